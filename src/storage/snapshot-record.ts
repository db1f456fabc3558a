/**
 * The snapshot (§7) as stored values: a header, and the data in chunks. Pure functions over bytes.
 *
 * In chunks, so that neither a write nor a recovery ever needs a second copy of all of the data in one piece, and a browser never
 * meets a value of many megabytes. Inside the envelope of frame.ts:
 *
 *   header  index varint, term varint, configurationIndex varint, size varint, checksum 4 bytes (CRC-32C of all data),
 *           voters, votersOld, learners as in a log record
 *   chunk   offset varint, data: varint length, bytes; 1 MiB each, but for the last, which is never empty
 *
 * The meta record holds the checksum of the header, the header that of the data: an outdated part never fits.
 */
import { crc32c } from "../raft/crc32c.ts";
import type { Snapshot, SnapshotMeta } from "../raft/types.ts";
import { assert } from "./assert.ts";
import { varintBytes } from "./bytes.ts";
import { configurationBytes, isConfiguration, readConfiguration, writeConfiguration } from "./entry-record.ts";
import { beginFrame, type Decoded, damaged, openFrame, sealFrame, tailChecksum } from "./frame.ts";

export const SNAPSHOT_CHUNK_BYTES = 1024 * 1024;
const CHECKSUM_BYTES = 4;
/** Format versions in which a header and a chunk look like this. */
const BODY_VERSIONS = [1, 2];

export interface SnapshotChunk {
  readonly offset: number;
  /** A view of the chunk's bytes. */
  readonly data: Uint8Array;
  /** Of the data alone. */
  readonly checksum: number;
}

/** How many chunks so many bytes of data take. */
export function countChunks(size: number): number {
  return Math.ceil(size / SNAPSHOT_CHUNK_BYTES);
}

/** What is known of a snapshot without its data. */
export function snapshotMetaOf({ index, term, configuration, configurationIndex, size, checksum }: SnapshotMeta): SnapshotMeta {
  return { index, term, configuration, configurationIndex, size, checksum };
}

/** Throws (assertion) unless it could be read back. Goes through all of the data. */
export function assertSnapshot(snapshot: Snapshot): void {
  const problem = problemOf(snapshot);
  assert(problem === null && isConfiguration(snapshot.configuration), `snapshot: ${problem ?? "configuration"}`);
  assert(snapshot.size === snapshot.data.length, `snapshot of ${snapshot.data.length} bytes, not ${snapshot.size}`);
  assert(snapshot.checksum === crc32c(snapshot.data), "the checksum of the snapshot does not match its data");
}

/** Throws (assertion) on what `decodeSnapshotHeader` would refuse. */
export function encodeSnapshotHeader(meta: SnapshotMeta): Uint8Array<ArrayBuffer> {
  const problem = problemOf(meta);
  assert(problem === null && isConfiguration(meta.configuration), `snapshot: ${problem ?? "configuration"}`);
  const numbers = [meta.index, meta.term, meta.configurationIndex, meta.size];
  const size = numbers.reduce((sum, value) => sum + varintBytes(value), CHECKSUM_BYTES);
  const writer = beginFrame("snapshotHeader", size + configurationBytes(meta.configuration));
  for (const value of numbers) writer.varint(value);
  writer.u32(meta.checksum);
  writeConfiguration(writer, meta.configuration);
  return sealFrame(writer);
}

/** Total: any value gives a header or says why not. Never throws. */
export function decodeSnapshotHeader(bytes: unknown): Decoded<SnapshotMeta> {
  const frame = openFrame("snapshotHeader", bytes, BODY_VERSIONS);
  if (!frame.ok) return frame;
  const reader = frame.value;
  const numbers = {
    index: reader.varint(),
    term: reader.varint(),
    configurationIndex: reader.varint(),
    size: reader.varint(),
    checksum: reader.u32(),
  };
  const configuration = readConfiguration(reader);
  if (configuration === null) return damaged("configuration");
  if (reader.remaining !== 0) return damaged("bytes after the last field");
  const meta: SnapshotMeta = { ...numbers, configuration };
  const problem = problemOf(meta);
  return problem === null ? { ok: true, value: meta } : damaged(problem);
}

/** In order; together they are all of the data. */
export function encodeSnapshotChunks(data: Uint8Array): Uint8Array<ArrayBuffer>[] {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  for (let offset = 0; offset < data.length; offset += SNAPSHOT_CHUNK_BYTES) {
    const part = data.subarray(offset, offset + SNAPSHOT_CHUNK_BYTES);
    const writer = beginFrame("snapshotChunk", varintBytes(offset) + varintBytes(part.length) + part.length);
    writer.varint(offset);
    writer.bytes(part);
    chunks.push(sealFrame(writer));
  }
  return chunks;
}

/** Total: any value gives a chunk or says why not. Never throws. */
export function decodeSnapshotChunk(bytes: unknown): Decoded<SnapshotChunk> {
  const frame = openFrame("snapshotChunk", bytes, BODY_VERSIONS);
  if (!frame.ok) return frame;
  const reader = frame.value;
  const offset = reader.varint();
  const data = reader.bytes();
  if (reader.failed) return damaged("shorter than its fields");
  if (reader.remaining !== 0) return damaged("bytes after the data");
  if (offset % SNAPSHOT_CHUNK_BYTES !== 0) return damaged(`offset ${offset}`);
  if (data.length < 1 || data.length > SNAPSHOT_CHUNK_BYTES) return damaged(`${data.length} bytes of data`);
  return { ok: true, value: { offset, data, checksum: tailChecksum(bytes as Uint8Array, data.length) } };
}

function problemOf({ index, term, configurationIndex, size, checksum }: SnapshotMeta): string | null {
  if (!Number.isSafeInteger(index) || index < 1) return `index ${index}`;
  if (!Number.isSafeInteger(term) || term < 1) return `term ${term}`;
  const isBefore = Number.isSafeInteger(configurationIndex) && configurationIndex >= 0 && configurationIndex <= index;
  if (!isBefore) return `configuration index ${configurationIndex}`;
  if (!Number.isSafeInteger(size) || size < 0) return `size ${size}`;
  return Number.isInteger(checksum) && checksum >= 0 && checksum < 2 ** 32 ? null : `checksum ${checksum}`;
}
