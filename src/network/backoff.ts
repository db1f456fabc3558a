/** Waiting times that double and are spread, so that many who lost the same thing do not all come back at once. */
import type { Millis } from "../raft/types.ts";

export class Backoff {
  #failures = 0;

  constructor(
    private readonly firstMs: Millis,
    private readonly lastMs: Millis,
    /** From 0 up to 1. */
    private readonly random: () => number,
  ) {}

  /** How long to wait before the next try: half of the doubled time is certain, half is random. */
  next(): Millis {
    const full = Math.min(this.lastMs, this.firstMs * 2 ** Math.min(this.#failures, 30));
    this.#failures += 1;
    return full / 2 + (this.random() * full) / 2;
  }

  reset(): void {
    this.#failures = 0;
  }

  /** The next times are of the longest. */
  slowest(): void {
    this.#failures = 30;
  }
}
