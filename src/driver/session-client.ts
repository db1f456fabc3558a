/**
 * This node's own session: registered when it is first needed, again after it has ended. Numbers the commands, and tells the others up to
 * which of them every response has arrived.
 */
import type { Millis } from "../raft/types.ts";
import { frameSession, type SessionId } from "./framing.ts";

export class SessionClient {
  #session: SessionId | null = null;
  #nextSerial = 1;
  /** Serials without an outcome, in order. */
  readonly #open = new Set<number>();

  get registered(): boolean {
    return this.#session !== null;
  }

  begin(session: SessionId): void {
    this.#session = session;
    this.#nextSerial = 1;
    this.#open.clear();
  }

  /** It has ended; what was numbered in it is not numbered anew: a second number could apply it twice. */
  end(): void {
    this.#session = null;
  }

  /** Numbers a command; only while registered. Its bytes are the same for every attempt. */
  frame(body: Uint8Array, stamp: Millis): { readonly session: SessionId; readonly serial: number; readonly bytes: Uint8Array } {
    const session = this.#session ?? 0;
    const serial = this.#nextSerial++;
    this.#open.add(serial);
    const [openFrom = serial] = this.#open;
    return { session, serial, bytes: frameSession({ session, serial, openFrom, stamp, body }) };
  }

  /** Its outcome is known, or nobody waits for it any more. */
  close(session: SessionId, serial: number): void {
    if (session === this.#session) this.#open.delete(serial);
  }
}
