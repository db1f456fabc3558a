/**
 * The envelope of every stored thing, the same in all format versions, so that any version can tell damage from the future.
 *
 *   offset  bytes  what
 *        0      2  0x74 0x72, "tr"
 *        2      1  what it is: 1 log record, 2 meta, 3 snapshot header, 4 snapshot chunk
 *        3      1  format version of the body, from 1
 *        4      4  length of the whole in bytes
 *        8      4  checksum: CRC-32C of all other bytes
 *       12      .  body
 */

import { crc32c, tailCrc32c } from "../raft/crc32c.ts";
import { assert } from "./assert.ts";
import { ByteReader, ByteWriter } from "./bytes.ts";

/**
 * What this program writes, and the newest that it can read. 1: the meta record was rewritten by every write (format-1.ts). 2: a write of
 * entries is one record. The envelope, and the body of a snapshot's header and chunks, are the same in both.
 */
export const FORMAT_VERSION = 2;
export const FRAME_KINDS = { record: 1, meta: 2, snapshotHeader: 3, snapshotChunk: 4 } as const;
export type FrameKind = keyof typeof FRAME_KINDS;

/** `future`: sound, but written by a newer program. */
export interface Unreadable {
  readonly ok: false;
  readonly kind: "damaged" | "future";
  readonly message: string;
}
export type Decoded<T> = { readonly ok: true; readonly value: T } | Unreadable;

export function damaged(message: string): Unreadable {
  return { ok: false, kind: "damaged", message };
}

const MAGIC_0 = 0x74;
const MAGIC_1 = 0x72;
const LENGTH_AT = 4;
const CHECKSUM_AT = 8;
const BODY_AT = 12;

/** A writer that stands at the start of the body, which takes about so many bytes. `sealFrame` ends it. */
export function beginFrame(kind: FrameKind, bodyBytes: number, version = FORMAT_VERSION): ByteWriter {
  const writer = new ByteWriter(BODY_AT + bodyBytes);
  writer.u8(MAGIC_0);
  writer.u8(MAGIC_1);
  writer.u8(FRAME_KINDS[kind]);
  writer.u8(version);
  writer.u32(0);
  writer.u32(0);
  return writer;
}

export function sealFrame(writer: ByteWriter): Uint8Array<ArrayBuffer> {
  const bytes = writer.finish();
  assert(bytes.length < 2 ** 32, `a stored thing of ${bytes.length} bytes is too large`);
  const view = new DataView(bytes.buffer);
  view.setUint32(LENGTH_AT, bytes.length, true);
  view.setUint32(CHECKSUM_AT, computeChecksum(bytes), true);
  return bytes;
}

/** The checksum that a sealed frame carries. */
export function checksumOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(CHECKSUM_AT, true);
}

/** The checksum of the last so many bytes alone, of a frame whose own checksum holds: they are not gone through once more. */
export function tailChecksum(bytes: Uint8Array, tailBytes: number): number {
  const head = crc32c(bytes.subarray(BODY_AT, bytes.length - tailBytes), crc32c(bytes.subarray(0, CHECKSUM_AT)));
  return tailCrc32c(checksumOf(bytes), head, tailBytes);
}

/** A reader that stands at the start of a body whose checksum holds, and whose version is one of `versions`. Never throws. */
export function openFrame(kind: FrameKind, bytes: unknown, versions: readonly number[] = [FORMAT_VERSION]): Decoded<ByteReader> {
  if (!(bytes instanceof Uint8Array)) return damaged("not bytes");
  if (bytes.length < BODY_AT) return damaged(`only ${bytes.length} bytes long`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes[0] !== MAGIC_0 || bytes[1] !== MAGIC_1) return damaged("no known beginning");
  if (view.getUint32(LENGTH_AT, true) !== bytes.length) return damaged(`length ${bytes.length} is not the one written`);
  if (computeChecksum(bytes) !== checksumOf(bytes)) return damaged("checksum does not match");
  if (bytes[2] !== FRAME_KINDS[kind]) return damaged(`not a ${kind}`);
  const version = view.getUint8(3);
  if (version > FORMAT_VERSION) {
    return { ok: false, kind: "future", message: `format version ${version}; this program knows ${FORMAT_VERSION}` };
  }
  if (!versions.includes(version)) return damaged(`format version ${version} where ${versions.join(" or ")} is due`);
  return { ok: true, value: new ByteReader(bytes, BODY_AT) };
}

function computeChecksum(bytes: Uint8Array): number {
  return crc32c(bytes.subarray(BODY_AT), crc32c(bytes.subarray(0, CHECKSUM_AT)));
}
