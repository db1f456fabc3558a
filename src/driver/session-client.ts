/**
 * This node's own session: registered when it is first needed, again after it has ended. Numbers the commands, and tells the others up to
 * which of them every response has arrived.
 */
import type { Numbered, SessionId } from "./framing.ts";

export class SessionClient {
  #session: SessionId | null = null;
  #nextSerial = 1;
  /** The first serial without an outcome. */
  #openFrom = 1;
  /** Those behind it that have one. */
  readonly #closed = new Set<number>();

  get registered(): boolean {
    return this.#session !== null;
  }

  begin(session: SessionId): void {
    this.#session = session;
    this.#nextSerial = 1;
    this.#openFrom = 1;
    this.#closed.clear();
  }

  /** It has ended; what was numbered in it is not numbered anew: a second number could apply it twice. */
  end(): void {
    this.#session = null;
  }

  /** Numbers a command; only while registered. The number is the same for every attempt. */
  number(): Numbered {
    return { session: this.#session ?? 0, serial: this.#nextSerial++, openFrom: this.#openFrom };
  }

  /** Its outcome is known, or nobody waits for it any more. */
  close(session: SessionId, serial: number): void {
    if (session !== this.#session) return;
    if (serial !== this.#openFrom) {
      this.#closed.add(serial);
      return;
    }
    do this.#openFrom++;
    while (this.#closed.delete(this.#openFrom));
  }
}
