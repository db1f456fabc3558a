/**
 * What the driver puts before a command in its entry. The first byte says which of three; other values are kept for later versions, and are
 * no command to this one.
 */
import type { LogIndex, Millis } from "../raft/types.ts";
import { ByteWriter, integerBytes, readIntegers, writeInteger } from "./bytes.ts";

const plain = 0;
const sessionCommand = 1;
const registerSession = 2;

/** A session is named by the index of the entry that registered it (diss. §6.3). */
export type SessionId = LogIndex;

/** What a command of a session says of itself. */
export interface SessionCommand {
  readonly session: SessionId;
  /** Of this command within the session, from 1. */
  readonly serial: number;
  /** Every response to a serial below this one has been received: it need not be kept. */
  readonly openFrom: number;
  /** The proposer's clock, milliseconds since the epoch. */
  readonly stamp: Millis;
}

export interface Registration {
  readonly stamp: Millis;
  /** The limits of the proposer, so that the log alone decides when which session ends. */
  readonly maxSessions: number;
  readonly expiryMs: Millis;
}

/** Commands are framed one behind the other in buffers of so many bytes ... */
const bufferBytes = 16 * 1024;
/** ... and those above so many in one of their own. */
const sharedBytes = 1024;

/** Frames commands. A buffer for each small one would cost more than everything else that is done for it. */
export class Framer {
  #buffer = new Uint8Array(0);
  /** The same memory. Kept, since asking an array for its buffer costs as much as making the next one. */
  #memory = this.#buffer.buffer;
  #start = 0;
  #end = 0;

  plain(body: Uint8Array): Uint8Array {
    this.#begin(body, plain);
    return this.#finish(body);
  }

  session(session: SessionId, serial: number, openFrom: number, stamp: Millis, body: Uint8Array): Uint8Array {
    this.#begin(body, sessionCommand);
    this.#integer(session);
    this.#integer(serial);
    this.#integer(openFrom);
    this.#integer(stamp);
    return this.#finish(body);
  }

  #begin(body: Uint8Array, kind: number): void {
    const most = 1 + 4 * integerBytes + body.byteLength;
    if (this.#end + most > this.#buffer.byteLength || most > sharedBytes) {
      this.#buffer = new Uint8Array(most > sharedBytes ? most : bufferBytes);
      this.#memory = this.#buffer.buffer;
      this.#end = 0;
    }
    this.#start = this.#end;
    this.#buffer[this.#end++] = kind;
  }

  #integer(value: number): void {
    this.#end = writeInteger(this.#buffer, this.#end, value);
  }

  #finish(body: Uint8Array): Uint8Array {
    this.#buffer.set(body, this.#end);
    this.#end += body.byteLength;
    return new Uint8Array(this.#memory, this.#start, this.#end - this.#start);
  }
}

export function frameRegister({ stamp, maxSessions, expiryMs }: Registration): Uint8Array {
  return new ByteWriter().integer(registerSession).integer(stamp).integer(maxSessions).integer(expiryMs).finish();
}

/** `unknown`: what no version of this code could have written, the same on every replica. */
export type FrameKind = "plain" | "session" | "register" | "unknown";

/** Reads one framed command after the other, each into itself: a record of each would cost more than reading it. Total. */
export class FrameReader implements SessionCommand, Registration {
  session: SessionId = 0;
  serial = 0;
  openFrom = 0;
  stamp: Millis = 0;
  maxSessions = 0;
  expiryMs: Millis = 0;
  /** Of a plain command or one of a session: where the state machine's own bytes begin. */
  bodyAt = 0;
  readonly #integers = [0, 0, 0, 0];

  /** What it is; only the fields of that kind then mean something. */
  read(bytes: Uint8Array): FrameKind {
    const kind = bytes[0];
    if (kind === plain) {
      this.bodyAt = 1;
      return "plain";
    }
    if (kind === sessionCommand) return this.#readSession(bytes);
    return kind === registerSession ? this.#readRegistration(bytes) : "unknown";
  }

  #readSession(bytes: Uint8Array): FrameKind {
    const integers = this.#integers;
    this.bodyAt = readIntegers(bytes, 1, 4, integers);
    this.session = integers[0] ?? 0;
    this.serial = integers[1] ?? 0;
    this.openFrom = integers[2] ?? 0;
    this.stamp = integers[3] ?? 0;
    return this.bodyAt === 0 ? "unknown" : "session";
  }

  #readRegistration(bytes: Uint8Array): FrameKind {
    const integers = this.#integers;
    const end = readIntegers(bytes, 1, 3, integers);
    this.stamp = integers[0] ?? 0;
    this.maxSessions = integers[1] ?? 0;
    this.expiryMs = integers[2] ?? 0;
    return end > 0 && this.maxSessions > 0 ? "register" : "unknown";
  }
}
