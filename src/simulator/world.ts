/**
 * Virtual time: what is to happen, in order of time and then of asking. Nothing happens but through it. A wheel of one slot a millisecond,
 * so that asking and happening cost the same however much waits.
 */
import type { Clock } from "../driver/interfaces.ts";
import { createRandom, nextBelow, type Random } from "../raft/mod.ts";
import type { Millis } from "../raft/types.ts";

/** One life of a node, to which timers and completions belong. */
export interface Life {
  /** What belongs to a life that is over does not happen any more. */
  alive: boolean;
  /** While frozen: what would have happened, in order. `null`: it runs. */
  held: Happening[] | null;
}

export interface Happening {
  readonly at: Millis;
  run: (() => void) | null;
  readonly life: Life | null;
  /** What happens after it within the same millisecond. */
  next: Happening | null;
}

/** Of one millisecond, in order. */
interface Slot {
  first: Happening | null;
  last: Happening | null;
}

const slots = 4096;

const epoch = 1_700_000_000_000;

export class World implements Clock {
  readonly random: Random;
  #now: Millis = 0;
  readonly #wheel: readonly Slot[] = Array.from({ length: slots }, () => ({ first: null, last: null }));
  /** Beyond the wheel's horizon: by time. */
  readonly #later = new Map<Millis, Slot>();
  #waiting = 0;

  constructor(seed: number) {
    this.random = createRandom(seed);
  }

  now(): Millis {
    return this.#now;
  }

  wallTime(): Millis {
    return epoch + this.#now;
  }

  /** 0 to `bound` - 1. */
  below(bound: number): number {
    return nextBelow(this.random, bound);
  }

  /** `least` to `most`. */
  between(least: number, most: number): number {
    return least + nextBelow(this.random, most - least + 1);
  }

  /** True in `percent` of 100 cases. */
  chance(percent: number): boolean {
    return percent > 0 && this.below(10_000) < percent * 100;
  }

  pick<T>(from: readonly T[]): T | undefined {
    return from[this.below(Math.max(1, from.length))];
  }

  /** In another order. */
  shuffle<T>(list: readonly T[]): T[] {
    const shuffled = [...list];
    for (let at = shuffled.length - 1; at > 0; at--) {
      const other = this.below(at + 1);
      const [a, b] = [shuffled[at] as T, shuffled[other] as T];
      shuffled[at] = b;
      shuffled[other] = a;
    }
    return shuffled;
  }

  /** Not before `at`; a time that is past means now, after what was asked for before. `run = null` calls it off. */
  at(at: Millis, run: () => void, life: Life | null = null): Happening {
    const time = at <= this.#now ? this.#now : Math.ceil(at);
    if (!Number.isFinite(time)) throw new Error(`nothing happens at ${at}`);
    const happening: Happening = { at: time, run, life, next: null };
    this.#waiting++;
    append(time - this.#now < slots ? (this.#wheel[time % slots] as Slot) : this.#laterAt(time), happening);
    return happening;
  }

  soon(run: () => void): void {
    this.at(this.#now, run);
  }

  schedule(at: Millis, run: () => void): () => void {
    const happening = this.at(at, run);
    return () => {
      happening.run = null;
    };
  }

  after(delay: Millis, run: () => void, life: Life | null = null): Happening {
    return this.at(this.#now + delay, run, life);
  }

  /** What was held while it was frozen happens now, in order, unless it was called off. */
  thaw(life: Life): number {
    const held = life.held ?? [];
    life.held = null;
    for (const happening of held) this.at(this.#now, () => happening.run?.(), life);
    return held.length;
  }

  #laterAt(time: Millis): Slot {
    const known = this.#later.get(time);
    if (known) return known;
    const slot: Slot = { first: null, last: null };
    this.#later.set(time, slot);
    return slot;
  }

  /** The next thing that happens; `false` if nothing will. */
  advance(): boolean {
    while (this.#waiting > 0) {
      const slot = this.#wheel[this.#now % slots] as Slot;
      for (let happening = slot.first; happening; happening = slot.first) {
        slot.first = happening.next;
        if (!slot.first) slot.last = null;
        this.#waiting--;
        const { run, life } = happening;
        if (run === null || life?.alive === false) continue;
        if (life?.held) {
          life.held.push(happening);
          continue;
        }
        run();
        return true;
      }
      this.#tick();
    }
    return false;
  }

  /** The next millisecond: what was far away then was asked for before anything that is in the wheel for that time. */
  #tick(): void {
    this.#now++;
    if (this.#later.size === 0) return;
    const due = this.#later.get(this.#now);
    if (!due) return;
    this.#later.delete(this.#now);
    const slot = this.#wheel[this.#now % slots] as Slot;
    if (due.last) due.last.next = slot.first;
    if (!slot.first) slot.last = due.last;
    slot.first = due.first;
  }
}

function append(slot: Slot, happening: Happening): void {
  if (slot.last) slot.last.next = happening;
  else slot.first = happening;
  slot.last = happening;
}
