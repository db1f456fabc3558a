/** The clock of one node: it may run fast or slow, and jump. What it wakes belongs to one life. */
import type { Clock } from "../driver/interfaces.ts";
import type { Millis } from "../raft/types.ts";
import type { Happening, Life, World } from "./world.ts";

const epoch = 1_700_000_000_000;

/** Outlives the lives of its node, as the clock of a device does. */
export class NodeClock {
  /** Milliseconds here for each of the world. */
  #rate = 1;
  #base: Millis = 0;
  #since: Millis = 0;
  #wallOffset: Millis = 0;
  #coarseness: Millis = 0;
  readonly #heldBack: Timer[] = [];
  /** Told how many timers are armed, as one more is. */
  onArmed: (armed: number) => void = () => undefined;
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  now(): Millis {
    return this.#rate === 1 ? this.#base + this.#world.now() - this.#since : this.#drifted();
  }

  #drifted(): Millis {
    return Math.floor(this.#base + (this.#world.now() - this.#since) * this.#rate);
  }

  drift(rate: number): void {
    this.#base = this.now();
    this.#since = this.#world.now();
    this.#rate = rate;
  }

  get rate(): number {
    return this.#rate;
  }

  /** As after a sleep: monotonic time goes on, only forward. */
  jump(ms: Millis): void {
    this.#base += ms;
  }

  /** As a person or a time server sets it: in either direction. */
  jumpWall(ms: Millis): void {
    this.#wallOffset += ms;
  }

  /** As of a hidden page: timers wake only when so many milliseconds are full; 0: as asked. */
  throttle(ms: Millis): void {
    this.#coarseness = ms;
    for (const timer of this.#heldBack.splice(0)) timer.armAnew();
  }

  /** It was armed; if it is held back, it is armed anew when that is over. */
  armed(timer: Timer): void {
    if (this.#coarseness > 0) this.#heldBack.push(timer);
  }

  /** Of the world: when a timer for `at` wakes. Never early by this clock, if it goes on as it does. */
  wakeAt(at: Millis): Millis {
    const wake = this.#world.now() + Math.max(0, at - this.now()) / this.#rate;
    return this.#coarseness === 0 ? wake : Math.ceil(wake / this.#coarseness) * this.#coarseness;
  }

  forLife(life: Life): Clock {
    const armed: Armed = { count: 0 };
    return {
      now: () => this.now(),
      wallTime: () => Math.max(0, epoch + this.now() + this.#wallOffset),
      soon: (run) => {
        this.#world.at(this.#world.now(), run, life);
      },
      schedule: (at, run) => {
        const timer = new Timer(this.#world, this, at, run, life, armed);
        return () => timer.cancel();
      },
    };
  }
}

/** Timers of one life. */
interface Armed {
  count: number;
}

class Timer {
  happening: Happening | null = null;

  constructor(
    readonly world: World,
    readonly clock: NodeClock,
    readonly at: Millis,
    readonly run: () => void,
    readonly life: Life,
    readonly armed: Armed,
  ) {
    armed.count++;
    clock.onArmed(armed.count);
    this.arm();
  }

  arm(): void {
    const wakeAt = Math.max(this.world.now(), this.clock.wakeAt(this.at));
    this.happening = this.world.at(wakeAt, () => this.wake(), this.life);
    this.clock.armed(this);
  }

  armAnew(): void {
    if (!this.happening) return;
    this.happening.run = null;
    this.arm();
  }

  /** If it was slowed meanwhile, it is too early. */
  wake(): void {
    const early = this.at - this.clock.now();
    if (early > 0) {
      this.happening = this.world.at(this.world.now() + Math.max(1, early / this.clock.rate), () => this.wake(), this.life);
      return;
    }
    this.happening = null;
    this.armed.count--;
    this.run();
  }

  cancel(): void {
    if (!this.happening) return;
    this.happening.run = null;
    this.happening = null;
    this.armed.count--;
  }
}
