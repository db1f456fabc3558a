/**
 * Client sessions (diss. §6.3), part of the replicated state: which commands of whom were applied, and with what response, so that a command
 * that stands in the log twice is applied once. A pure function of the log: when a session ends is decided by stamps in entries, late
 * and the same on every replica.
 */
import type { Millis } from "../raft/types.ts";
import type { ByteReader, ByteWriter } from "./bytes.ts";
import type { Registration, SessionCommand, SessionId } from "./framing.ts";
import { ResponseWindow } from "./response-window.ts";

/** Log time follows the stamps by at most so much an entry: one device with a wrong clock cannot end everybody's session. */
const maxStepMs = 60_000;

interface Session<Response> {
  lastUse: Millis;
  readonly expiryMs: Millis;
  /** Every serial below was answered, and its response is gone. */
  openFrom: number;
  /** No serial above it was ever judged. Follows from the rest. */
  highest: number;
  readonly responses: ResponseWindow<Response>;
}

/** What becomes of a command: apply it, answer as before, or refuse it. */
export type Verdict<Response> =
  | { readonly kind: "new" }
  | { readonly kind: "repeated"; readonly response: Response }
  /** Unknown or ended; or so old that its response was given up by the client itself. Surely not applied now; maybe before. */
  | { readonly kind: "expired" };

const isNew = { kind: "new" } as const;
const isExpired = { kind: "expired" } as const;

function openSession<Response>(lastUse: Millis, expiryMs: Millis, openFrom: number): Session<Response> {
  return { lastUse, expiryMs, openFrom, highest: openFrom - 1, responses: new ResponseWindow(openFrom) };
}

export class SessionTable<Response> {
  #logTime: Millis = 0;
  /** Least recently used first. */
  #sessions = new Map<SessionId, Session<Response>>();
  /** The last in that order: most commands are of the session of the command before. */
  #latest: SessionId = 0;
  #latestSession: Session<Response> | undefined;

  get size(): number {
    return this.#sessions.size;
  }

  register(id: SessionId, { stamp, maxSessions, expiryMs }: Registration): void {
    this.#advance(stamp);
    this.#makeLatest(id, openSession(this.#logTime, expiryMs, 1));
    for (const [oldest] of this.#sessions) {
      if (this.#sessions.size <= maxSessions) break;
      this.#end(oldest);
    }
  }

  #find(id: SessionId): Session<Response> | undefined {
    return id === this.#latest ? this.#latestSession : this.#sessions.get(id);
  }

  #end(id: SessionId): void {
    this.#sessions.delete(id);
    if (id === this.#latest) this.#latestSession = undefined;
  }

  /** Whether this command, as far as its number tells, was judged before. */
  mayRepeat({ session, serial }: SessionCommand): boolean {
    return serial <= (this.#find(session)?.highest ?? 0);
  }

  judge({ session: id, serial, openFrom, stamp }: SessionCommand): Verdict<Response> {
    this.#advance(stamp);
    const session = this.#find(id);
    if (!session) return isExpired;
    if (id !== this.#latest) this.#makeLatest(id, session);
    session.lastUse = this.#logTime;
    if (openFrom > session.openFrom) {
      session.openFrom = openFrom;
      session.responses.drop(openFrom);
    }
    if (serial < session.openFrom) return isExpired;
    if (serial > session.highest) {
      session.highest = serial;
      return isNew;
    }
    const { responses } = session;
    return responses.has(serial) ? { kind: "repeated", response: responses.get(serial) as Response } : isNew;
  }

  #makeLatest(id: SessionId, session: Session<Response>): void {
    this.#sessions.delete(id);
    this.#sessions.set(id, session);
    this.#latest = id;
    this.#latestSession = session;
  }

  record(id: SessionId, serial: number, response: Response): void {
    this.#find(id)?.responses.set(serial, response);
  }

  #advance(stamp: Millis): void {
    if (stamp <= this.#logTime) return;
    this.#logTime = this.#logTime === 0 ? stamp : Math.min(stamp, this.#logTime + maxStepMs);
    for (const [id, { lastUse, expiryMs }] of this.#sessions) {
      if (lastUse + expiryMs >= this.#logTime) break;
      this.#end(id);
    }
  }

  write(writer: ByteWriter, encode: (response: Response) => Uint8Array): void {
    writer.integer(this.#logTime).integer(this.#sessions.size);
    for (const [id, { lastUse, expiryMs, openFrom, responses }] of this.#sessions) {
      // In order of serial, whatever the order of apply: equal tables have equal bytes.
      const open = responses.from(openFrom);
      writer.integer(id).integer(lastUse).integer(expiryMs).integer(openFrom).integer(open.length);
      for (const [serial, response] of open) writer.integer(serial).bytes(encode(response));
    }
  }

  /** Becomes what was written. The reader's `sound` says whether it was sound. */
  read(reader: ByteReader, decode: (bytes: Uint8Array) => Response): void {
    this.#logTime = reader.integer();
    this.#sessions = new Map();
    this.#latest = 0;
    this.#latestSession = undefined;
    for (let left = reader.integer(); left > 0 && reader.sound; left--) {
      const id = reader.integer();
      const [lastUse, expiryMs, openFrom] = [reader.integer(), reader.integer(), reader.integer()];
      const session = openSession<Response>(lastUse, expiryMs, openFrom);
      for (let more = reader.integer(); more > 0 && reader.sound; more--) {
        const serial = reader.integer();
        const bytes = reader.bytes();
        session.highest = Math.max(session.highest, serial);
        if (reader.sound) session.responses.set(serial, decode(bytes));
      }
      this.#makeLatest(id, session);
    }
  }
}
