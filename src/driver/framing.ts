/**
 * What the driver puts before a command in its entry. The first byte says which of three; other values are kept for later versions, and are
 * no command to this one.
 */
import type { LogIndex, Millis } from "../raft/types.ts";
import { ByteReader, ByteWriter, bytesFrom, integerBytes, writeInteger } from "./bytes.ts";

const plain = 0;
const sessionCommand = 1;
const registerSession = 2;

/** A session is named by the index of the entry that registered it (diss. §6.3). */
export type SessionId = LogIndex;

/** What a command says of itself. */
export interface Numbered {
  readonly session: SessionId;
  readonly serial: number;
  /** Every response to a serial below this one has been received. */
  readonly openFrom: number;
}

export type Framed =
  | { readonly kind: "plain"; readonly body: Uint8Array }
  | {
      readonly kind: "session";
      readonly session: SessionId;
      /** Of this command within the session, from 1. */
      readonly serial: number;
      /** Every response to a serial below this one has been received: it need not be kept. */
      readonly openFrom: number;
      /** The proposer's clock, milliseconds since the epoch. */
      readonly stamp: Millis;
      readonly body: Uint8Array;
    }
  | {
      readonly kind: "register";
      readonly stamp: Millis;
      /** The limits of the proposer, so that the log alone decides when which session ends. */
      readonly maxSessions: number;
      readonly expiryMs: Millis;
    }
  | { readonly kind: "unknown" };

/** Commands are framed one behind the other in buffers of so many bytes ... */
const bufferBytes = 16 * 1024;
/** ... and those above so many in one of their own. */
const sharedBytes = 1024;

/** Frames commands. A buffer for each small one would cost more than everything else that is done for it. */
export class Framer {
  #buffer = new Uint8Array(0);
  #start = 0;
  #end = 0;

  plain(body: Uint8Array): Uint8Array {
    this.#begin(body, plain);
    return this.#finish(body);
  }

  session({ session, serial, openFrom }: Numbered, stamp: Millis, body: Uint8Array): Uint8Array {
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
      this.#end = 0;
    }
    this.#start = this.#end;
    this.#integer(kind);
  }

  #integer(value: number): void {
    this.#end = writeInteger(this.#buffer, this.#end, value);
  }

  #finish(body: Uint8Array): Uint8Array {
    this.#buffer.set(body, this.#end);
    this.#end += body.byteLength;
    return new Uint8Array(this.#buffer.buffer, this.#start, this.#end - this.#start);
  }
}

export function frameRegister({ stamp, maxSessions, expiryMs }: Omit<Extract<Framed, { kind: "register" }>, "kind">): Uint8Array {
  return new ByteWriter().integer(registerSession).integer(stamp).integer(maxSessions).integer(expiryMs).finish();
}

/** One for all commands: each is read at once and whole. */
const reader = new ByteReader(new Uint8Array(0));

/** Total: what no version of this code could have written is `unknown`, the same on every replica. */
export function readFramed(bytes: Uint8Array): Framed {
  if (bytes[0] === plain) return { kind: "plain", body: bytesFrom(bytes, 1) };
  reader.begin(bytes);
  const kind = reader.integer();
  if (kind === sessionCommand) {
    const session = reader.integer();
    const serial = reader.integer();
    const openFrom = reader.integer();
    const stamp = reader.integer();
    const body = reader.rest();
    return reader.sound ? { kind: "session", session, serial, openFrom, stamp, body } : { kind: "unknown" };
  }
  if (kind === registerSession) {
    const [stamp, maxSessions, expiryMs] = [reader.integer(), reader.integer(), reader.integer()];
    return reader.sound && maxSessions > 0 ? { kind: "register", stamp, maxSessions, expiryMs } : { kind: "unknown" };
  }
  return { kind: "unknown" };
}
