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
  readonly #world: World;
  /** Whether it may ever run at another rate than the world. */
  readonly #mayDrift: boolean;

  constructor(world: World, mayDrift: boolean) {
    this.#world = world;
    this.#mayDrift = mayDrift;
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

  forLife(life: Life): Clock {
    return {
      now: () => this.now(),
      wallTime: () => Math.max(0, epoch + this.now() + this.#wallOffset),
      soon: (run) => {
        this.#world.at(this.#world.now(), run, life);
      },
      schedule: (at, run) => this.#schedule(at, run, life),
    };
  }

  /** Never early by this clock, even if it was slowed meanwhile. */
  #schedule(at: Millis, run: () => void, life: Life): () => void {
    const wait = (at - this.now()) / this.#rate;
    const happening = this.#world.at(this.#world.now() + wait, run, life);
    if (this.#mayDrift) return this.#watch(happening, at, run, life);
    return () => {
      happening.run = null;
    };
  }

  #watch(first: Happening, at: Millis, run: () => void, life: Life): () => void {
    let happening = first;
    happening.run = fire;
    const { world, clock } = { world: this.#world, clock: this };
    function fire(): void {
      if (clock.now() >= at) return run();
      happening = world.at(world.now() + Math.max(1, (at - clock.now()) / clock.rate), fire, life);
    }
    return () => {
      happening.run = null;
    };
  }
}
