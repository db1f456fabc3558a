/** When to give up on whom: many deadlines, one timer. Fires up to `grainMs` late, never early. */
import type { Millis } from "../raft/types.ts";
import type { Clock } from "./interfaces.ts";

const grainMs = 50;

export class Deadlines<T> {
  readonly #buckets = new Map<number, Set<T>>();
  readonly #clock: Clock;
  readonly #onDue: (item: T) => void;
  #cancel: (() => void) | null = null;
  #armedFor = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, onDue: (item: T) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /** Returns what `remove` wants to know. */
  add(item: T, at: Millis): number {
    const bucket = Math.ceil(at / grainMs);
    const items = this.#buckets.get(bucket);
    if (items) items.add(item);
    else this.#buckets.set(bucket, new Set([item]));
    if (bucket < this.#armedFor) this.#arm(bucket);
    return bucket;
  }

  remove(item: T, bucket: number): void {
    const items = this.#buckets.get(bucket);
    items?.delete(item);
    if (items?.size === 0) this.#buckets.delete(bucket);
  }

  stop(): void {
    this.#cancel?.();
    this.#buckets.clear();
  }

  #arm(bucket: number): void {
    this.#cancel?.();
    this.#armedFor = bucket;
    this.#cancel = this.#clock.schedule(bucket * grainMs, () => this.#fire());
  }

  #fire(): void {
    this.#armedFor = Number.POSITIVE_INFINITY;
    this.#cancel = null;
    const due = [...this.#buckets].filter(([bucket]) => bucket * grainMs <= this.#clock.now());
    for (const [bucket, items] of due) {
      this.#buckets.delete(bucket);
      for (const item of items) this.#onDue(item);
    }
    const next = Math.min(...this.#buckets.keys());
    if (this.#buckets.size > 0 && next < this.#armedFor) this.#arm(next);
  }
}
