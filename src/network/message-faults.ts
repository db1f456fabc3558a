/** What a person lets happen to a node's messages, each way: some are late, some are lost, some come twice. */
import type { Clock } from "../driver/interfaces.ts";
import type { Millis } from "../raft/types.ts";

/** Messages that are held back at once; what comes beyond is lost, so that a long delay cannot fill the memory. */
const MAX_HELD = 10_000;

export class MessageFaults {
  #delayMs: Millis = 0;
  #jitterMs: Millis = 0;
  #lost = 0;
  #repeated = 0;
  #held = 0;

  constructor(
    private readonly clock: Clock,
    /** From 0 up to 1. */
    private readonly random: () => number,
  ) {}

  /** Each message comes later by `ms`, and by up to `jitterMs` more or less, drawn for each. Messages may overtake each other then. */
  delay(ms: Millis, jitterMs: Millis = 0): void {
    this.#delayMs = ms;
    this.#jitterMs = Math.min(jitterMs, ms);
  }

  /** Of all messages, this part is lost: 0 to 1. */
  drop(fraction: number): void {
    this.#lost = fraction;
  }

  /** Of all messages, this part comes twice: 0 to 1. */
  duplicate(fraction: number): void {
    this.#repeated = fraction;
  }

  heal(): void {
    this.delay(0);
    this.drop(0);
    this.duplicate(0);
  }

  /** Calls `deliver` now, later, twice or never. */
  carry(deliver: () => void): void {
    if (this.#lost > 0 && this.random() < this.#lost) return;
    this.#late(deliver);
    if (this.#repeated > 0 && this.random() < this.#repeated) this.#late(deliver);
  }

  /** In words, for people. */
  describe(): string[] {
    const words: string[] = [];
    const jitter = this.#jitterMs > 0 ? ` ± ${this.#jitterMs}` : "";
    if (this.#delayMs > 0) words.push(`every message is ${this.#delayMs}${jitter} ms late`);
    if (this.#lost > 0) words.push(`${percent(this.#lost)} of the messages are lost`);
    if (this.#repeated > 0) words.push(`${percent(this.#repeated)} of the messages come twice`);
    return words;
  }

  #late(deliver: () => void): void {
    if (this.#delayMs === 0) {
      deliver();
      return;
    }
    if (this.#held >= MAX_HELD) return;
    this.#held += 1;
    const lateMs = this.#delayMs + (2 * this.random() - 1) * this.#jitterMs;
    this.clock.schedule(this.clock.now() + lateMs, () => {
      this.#held -= 1;
      deliver();
    });
  }
}

function percent(fraction: number): string {
  return `${Math.round(fraction * 1000) / 10} %`;
}
