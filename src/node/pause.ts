/**
 * A node that stands still, as a frozen tab does: nothing that happens reaches it, and nothing in it goes on, until it is resumed; then all of it
 * comes at once, late. For this the clock, the disk and the channels that the node is given are wrapped.
 */
import type { Clock, LogStorage } from "../driver/interfaces.ts";
import type { ChannelLike } from "../network/channel.ts";

export class Pause {
  #held: (() => void)[] | null = null;

  get paused(): boolean {
    return this.#held !== null;
  }

  pause(): void {
    this.#held ??= [];
  }

  /** In the order in which it happened. */
  resume(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const run of held) this.pass(run);
  }

  /** Now, or once the node goes on. */
  pass(run: () => void): void {
    if (this.#held === null) run();
    else this.#held.push(run);
  }

  describe(): string[] {
    return this.paused ? ["paused: it stands still until it is healed"] : [];
  }

  clock(clock: Clock): Clock {
    return {
      now: () => clock.now(),
      wallTime: () => clock.wallTime(),
      soon: (run) => clock.soon(() => this.pass(run)),
      schedule: (at, fire) => {
        let cancelled = false;
        const cancel = clock.schedule(at, () =>
          this.pass(() => {
            if (!cancelled) fire();
          }),
        );
        return () => {
          cancelled = true;
          cancel();
        };
      },
    };
  }

  storage(storage: LogStorage): LogStorage {
    return {
      load: (done) => storage.load((result) => this.pass(() => done(result))),
      persist: (write, done) => storage.persist(write, (failure) => this.pass(() => done(failure))),
      saveSnapshot: (write, done) => storage.saveSnapshot(write, (failure) => this.pass(() => done(failure))),
      snapshotMeta: () => storage.snapshotMeta(),
      close: () => storage.close(),
    };
  }

  /** The same channel; what arrives on it, and its end, are held back. */
  channel(channel: ChannelLike): ChannelLike {
    const pass = (run: () => void): void => this.pass(run);
    return {
      get readyState() {
        return channel.readyState;
      },
      get bufferedAmount() {
        return channel.bufferedAmount;
      },
      get bufferedAmountLowThreshold() {
        return channel.bufferedAmountLowThreshold;
      },
      set bufferedAmountLowThreshold(bytes) {
        channel.bufferedAmountLowThreshold = bytes;
      },
      get binaryType() {
        return channel.binaryType;
      },
      set binaryType(type) {
        channel.binaryType = type;
      },
      get onopen() {
        return channel.onopen;
      },
      set onopen(listener) {
        channel.onopen = held(listener, pass);
      },
      get onmessage() {
        return channel.onmessage;
      },
      set onmessage(listener) {
        channel.onmessage = held(listener, pass);
      },
      get onclose() {
        return channel.onclose;
      },
      set onclose(listener) {
        channel.onclose = held(listener, pass);
      },
      get onbufferedamountlow() {
        return channel.onbufferedamountlow;
      },
      set onbufferedamountlow(listener) {
        channel.onbufferedamountlow = held(listener, pass);
      },
      send: (bytes) => channel.send(bytes),
      close: () => channel.close(),
    };
  }
}

function held<E>(listener: ((event: E) => void) | null, pass: (run: () => void) => void): ((event: E) => void) | null {
  return listener && ((event) => pass(() => listener(event)));
}
