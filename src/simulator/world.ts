/** Virtual time: one queue of what is to happen, in order of time and then of asking. Nothing happens but through it. */
import type { Clock } from "../driver/interfaces.ts";
import { createRandom, nextBelow, type Random } from "../raft/mod.ts";
import type { Millis } from "../raft/types.ts";

interface Happening {
  readonly at: Millis;
  readonly order: number;
  run: (() => void) | null;
}

export class World implements Clock {
  readonly random: Random;
  #now: Millis = 0;
  #asked = 0;
  readonly #heap: Happening[] = [];

  constructor(seed: number) {
    this.random = createRandom(seed);
  }

  now(): Millis {
    return this.#now;
  }

  wallTime(): Millis {
    return 1_700_000_000_000 + this.#now;
  }

  /** In the order of asking, before any time passes. */
  soon(run: () => void): void {
    this.schedule(this.#now, run);
  }

  /** 0 to `bound` - 1. */
  below(bound: number): number {
    return nextBelow(this.random, bound);
  }

  /** True in `percent` of 100 cases. */
  chance(percent: number): boolean {
    return this.below(10_000) < percent * 100;
  }

  pick<T>(from: readonly T[]): T | undefined {
    return from[this.below(Math.max(1, from.length))];
  }

  schedule(at: Millis, run: () => void): () => void {
    const happening: Happening = { at: Math.max(at, this.#now), order: this.#asked++, run };
    this.#push(happening);
    return () => {
      happening.run = null;
    };
  }

  /** The next thing that happens; `false` if nothing will. */
  advance(): boolean {
    for (let next = this.#pop(); next; next = this.#pop()) {
      if (!next.run) continue;
      this.#now = next.at;
      next.run();
      return true;
    }
    return false;
  }

  #push(happening: Happening): void {
    const heap = this.#heap;
    let at = heap.push(happening) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!earlier(happening, heap[parent])) break;
      heap[at] = heap[parent] as Happening;
      at = parent;
    }
    heap[at] = happening;
  }

  #pop(): Happening | null {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (!first || !last) return null;
    if (heap.length === 0) return first;
    let at = 0;
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && earlier(heap[child + 1], heap[child])) child++;
      if (!earlier(heap[child], last)) break;
      heap[at] = heap[child] as Happening;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function earlier(a: Happening | undefined, b: Happening | undefined): boolean {
  if (!a || !b) return false;
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
