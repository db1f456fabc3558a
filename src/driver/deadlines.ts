/** When to give up on whom: many deadlines, one timer. Fires up to `grainMs` late, never early. */
import type { Millis } from "../raft/types.ts";
import type { Clock } from "./interfaces.ts";

const grainMs = 50;

/** Those that are due together, in no order. */
interface Bucket<T> {
  /** In grains since the clock began. */
  readonly at: number;
  readonly items: T[];
}

/** What can be due keeps its own place, so that it is found and let go without a search. */
export interface Due<T> {
  /** `null` while nothing is to be given up. */
  bucket: Bucket<T> | null;
  /** In that bucket. */
  slot: number;
}

export class Deadlines<T extends Due<T>> {
  readonly #buckets = new Map<number, Bucket<T>>();
  /** The one that was added to last: those of one turn are due together. */
  #latest: Bucket<T> | null = null;
  readonly #clock: Clock;
  readonly #onDue: (item: T) => void;
  #cancel: (() => void) | null = null;
  #armedFor = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, onDue: (item: T) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  add(item: T, dueAt: Millis): void {
    const at = Math.ceil(dueAt / grainMs);
    const bucket = this.#latest?.at === at ? this.#latest : (this.#buckets.get(at) ?? this.#open(at));
    this.#latest = bucket;
    item.bucket = bucket;
    item.slot = bucket.items.push(item) - 1;
    if (at < this.#armedFor) this.#arm(at);
  }

  #open(at: number): Bucket<T> {
    const bucket: Bucket<T> = { at, items: [] };
    this.#buckets.set(at, bucket);
    return bucket;
  }

  /** Whether it was there or not. */
  remove(item: T): void {
    if (!item.bucket) return;
    const { items } = item.bucket;
    const last = items.pop();
    if (last && last !== item) {
      items[item.slot] = last;
      last.slot = item.slot;
    }
    item.bucket = null;
  }

  stop(): void {
    this.#cancel?.();
    this.#buckets.clear();
  }

  #arm(at: number): void {
    this.#cancel?.();
    this.#armedFor = at;
    this.#cancel = this.#clock.schedule(at * grainMs, () => this.#fire());
  }

  #fire(): void {
    this.#armedFor = Number.POSITIVE_INFINITY;
    this.#cancel = null;
    this.#latest = null;
    const now = this.#clock.now();
    for (const [at, { items }] of [...this.#buckets]) {
      const isDue = at * grainMs <= now;
      if (isDue || items.length === 0) this.#buckets.delete(at);
      // Whoever hears of it may let others of the same bucket go.
      for (let item = items[0]; isDue && item; item = items[0]) {
        this.remove(item);
        this.#onDue(item);
      }
    }
    const next = Math.min(...this.#buckets.keys());
    if (next < this.#armedFor) this.#arm(next);
  }
}
