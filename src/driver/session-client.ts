/**
 * This node's own session: registered when it is first needed, again after it has ended. Numbers the commands, and tells the others up to
 * which of them every response has arrived.
 */
import type { SessionId } from "./framing.ts";

export class SessionClient {
  #session: SessionId | null = null;
  #nextSerial = 1;
  #openFrom = 1;
  /** Those behind it that have one. */
  readonly #closed = new Set<number>();

  get registered(): boolean {
    return this.#session !== null;
  }

  /** The first serial without an outcome. */
  get openFrom(): number {
    return this.#openFrom;
  }

  /** 0 while there is none. */
  get session(): SessionId {
    return this.#session ?? 0;
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

  /** The serial of a command; only while registered. It is the same for every attempt. */
  number(): number {
    return this.#nextSerial++;
  }

  /** Its outcome is known, or nobody waits for it any more. */
  close(session: SessionId, serial: number): void {
    if (session !== this.#session) return;
    if (serial !== this.#openFrom) {
      this.#closed.add(serial);
      return;
    }
    do this.#openFrom++;
    while (this.#closed.size > 0 && this.#closed.delete(this.#openFrom));
  }
}
