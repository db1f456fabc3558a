/**
 * Client sessions (diss. §6.3), part of the replicated state: which commands of whom were applied, and with what response, so that a command
 * that stands in the log twice is applied once. A pure function of the log: when a session ends is decided by stamps in entries, late
 * and the same on every replica.
 */
import type { Millis } from "../raft/types.ts";
import type { ByteReader, ByteWriter } from "./bytes.ts";
import type { Framed, SessionId } from "./framing.ts";

/** Log time follows the stamps by at most so much an entry: one device with a wrong clock cannot end everybody's session. */
const maxStepMs = 60_000;

interface Session<Response> {
  lastUse: Millis;
  readonly expiryMs: Millis;
  /** Every serial below was answered, and its response is gone. */
  openFrom: number;
  readonly responses: Map<number, Response>;
}

/** What becomes of a command: apply it, answer as before, or refuse it. */
export type Verdict<Response> =
  | { readonly kind: "new" }
  | { readonly kind: "repeated"; readonly response: Response }
  /** Unknown or ended; or so old that its response was given up by the client itself. Surely not applied now; maybe before. */
  | { readonly kind: "expired" };

/** Whichever walk is shorter: a hostile member could name any serial. */
function dropAnswered({ responses, ...session }: Session<unknown>, openFrom: number): void {
  if (openFrom - session.openFrom <= responses.size) {
    for (let serial = session.openFrom; serial < openFrom; serial++) responses.delete(serial);
  } else {
    for (const serial of responses.keys()) if (serial < openFrom) responses.delete(serial);
  }
}

export class SessionTable<Response> {
  #logTime: Millis = 0;
  /** Least recently used first. */
  #sessions = new Map<SessionId, Session<Response>>();

  get size(): number {
    return this.#sessions.size;
  }

  register(id: SessionId, { stamp, maxSessions, expiryMs }: Extract<Framed, { kind: "register" }>): void {
    this.#advance(stamp);
    this.#sessions.set(id, { lastUse: this.#logTime, expiryMs, openFrom: 1, responses: new Map() });
    for (const [oldest] of this.#sessions) {
      if (this.#sessions.size <= maxSessions) break;
      this.#sessions.delete(oldest);
    }
  }

  judge({ session: id, serial, openFrom, stamp }: Extract<Framed, { kind: "session" }>): Verdict<Response> {
    this.#advance(stamp);
    const session = this.#sessions.get(id);
    if (!session) return { kind: "expired" };
    this.#sessions.delete(id);
    this.#sessions.set(id, session);
    session.lastUse = this.#logTime;
    if (openFrom > session.openFrom) {
      dropAnswered(session, openFrom);
      session.openFrom = openFrom;
    }
    const response = session.responses.get(serial);
    if (response !== undefined) return { kind: "repeated", response };
    return serial < session.openFrom ? { kind: "expired" } : { kind: "new" };
  }

  record(id: SessionId, serial: number, response: Response): void {
    this.#sessions.get(id)?.responses.set(serial, response);
  }

  #advance(stamp: Millis): void {
    this.#logTime = this.#logTime === 0 ? stamp : Math.max(this.#logTime, Math.min(stamp, this.#logTime + maxStepMs));
    for (const [id, { lastUse, expiryMs }] of this.#sessions) {
      if (lastUse + expiryMs >= this.#logTime) break;
      this.#sessions.delete(id);
    }
  }

  write(writer: ByteWriter, encode: (response: Response) => Uint8Array): void {
    writer.integer(this.#logTime).integer(this.#sessions.size);
    for (const [id, { lastUse, expiryMs, openFrom, responses }] of this.#sessions) {
      writer.integer(id).integer(lastUse).integer(expiryMs).integer(openFrom).integer(responses.size);
      // In order of serial, whatever the order of apply: equal tables have equal bytes.
      for (const [serial, response] of [...responses].sort(([a], [b]) => a - b)) writer.integer(serial).bytes(encode(response));
    }
  }

  /** Becomes what was written. The reader's `sound` says whether it was sound. */
  read(reader: ByteReader, decode: (bytes: Uint8Array) => Response): void {
    this.#logTime = reader.integer();
    this.#sessions = new Map();
    for (let left = reader.integer(); left > 0 && reader.sound; left--) {
      const id = reader.integer();
      const [lastUse, expiryMs, openFrom] = [reader.integer(), reader.integer(), reader.integer()];
      const responses = new Map<number, Response>();
      for (let more = reader.integer(); more > 0 && reader.sound; more--) {
        const serial = reader.integer();
        const bytes = reader.bytes();
        if (reader.sound) responses.set(serial, decode(bytes));
      }
      this.#sessions.set(id, { lastUse, expiryMs, openFrom, responses });
    }
  }
}
