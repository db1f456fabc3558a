/**
 * What the driver puts before a command in its entry. The first byte says which of three; other values are kept for later versions, and are
 * no command to this one.
 */
import type { LogIndex, Millis } from "../raft/types.ts";
import { ByteReader, ByteWriter } from "./bytes.ts";

const plain = 0;
const sessionCommand = 1;
const registerSession = 2;

/** A session is named by the index of the entry that registered it (diss. §6.3). */
export type SessionId = LogIndex;

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

export function framePlain(body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(body.byteLength + 1);
  bytes[0] = plain;
  bytes.set(body, 1);
  return bytes;
}

export function frameSession(framed: Omit<Extract<Framed, { kind: "session" }>, "kind">): Uint8Array {
  const { session, serial, openFrom, stamp, body } = framed;
  return new ByteWriter(body.byteLength + 32)
    .integer(sessionCommand)
    .integer(session)
    .integer(serial)
    .integer(openFrom)
    .integer(stamp)
    .rest(body)
    .finish();
}

export function frameRegister({ stamp, maxSessions, expiryMs }: Omit<Extract<Framed, { kind: "register" }>, "kind">): Uint8Array {
  return new ByteWriter().integer(registerSession).integer(stamp).integer(maxSessions).integer(expiryMs).finish();
}

/** Total: what no version of this code could have written is `unknown`, the same on every replica. */
export function readFramed(bytes: Uint8Array): Framed {
  if (bytes[0] === plain) return { kind: "plain", body: bytes.subarray(1) };
  const reader = new ByteReader(bytes);
  const kind = reader.integer();
  if (kind === sessionCommand) {
    const [session, serial, openFrom, stamp] = [reader.integer(), reader.integer(), reader.integer(), reader.integer()];
    const body = reader.rest();
    return reader.sound ? { kind: "session", session, serial, openFrom, stamp, body } : { kind: "unknown" };
  }
  if (kind === registerSession) {
    const [stamp, maxSessions, expiryMs] = [reader.integer(), reader.integer(), reader.integer()];
    return reader.sound && maxSessions > 0 ? { kind: "register", stamp, maxSessions, expiryMs } : { kind: "unknown" };
  }
  return { kind: "unknown" };
}
