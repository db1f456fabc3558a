/**
 * A log record: one write of entries, or a truncation, as one stored value, and the only one that such a write stores. Its key is its number:
 * records are numbered as they are written, and no number is used twice. Pure functions over bytes.
 *
 * Inside the envelope of frame.ts (optional: one byte 0 or 1, then the value if 1):
 *
 *   4 bytes   chain: the checksum of the record before; in a log's first record the seed of that log (`chainSeed`)
 *   varint    number, at least 1
 *   optional  hard state, if the write changed it (hard-state-record.ts)
 *   optional  truncateFrom varint: the entries before it in the chain count only below this index
 *   varint    commitIndex, as the write knew it
 *   varint    count of entries; without a truncation at least 1; their indexes follow each other without a gap
 *   varint    firstIndex, if there are any; then the entries (entry-record.ts)
 *
 * Since the checksum covers the chain value, each checksum depends on every record before it: a record that is missing, swapped, or an older
 * version of itself breaks the chain at the next one. What is missing at the end is noticed by the database's own counter of keys, which
 * no deletion takes back (recovery.ts). Nothing in a record ever changes: a truncation deletes the records that it cuts away whole, and says in
 * the next record how much of the one before it still counts; a compaction deletes whole records only, and the meta record says where the
 * log begins.
 */

import { crc32c } from "../raft/crc32c.ts";
import type { Entry, HardState, LogIndex, NodeId } from "../raft/types.ts";
import { assert } from "./assert.ts";
import { ByteWriter } from "./bytes.ts";
import { assertEntries, entriesBytes, readEntries, writeEntries } from "./entry-record.ts";
import { beginFrame, type Decoded, damaged, openFrame, sealFrame } from "./frame.ts";
import {
  assertHardState,
  hardStateProblem,
  isCount,
  readHardState,
  readOptional,
  writeHardState,
  writeOptional,
} from "./hard-state-record.ts";

export { checksumOf } from "./frame.ts";

export interface LogRecord {
  /** Checksum of the record before it, or the seed. */
  readonly chain: number;
  readonly number: number;
  readonly hardState: HardState | null;
  readonly truncateFrom: LogIndex | null;
  readonly commitIndex: LogIndex;
  /** Without gaps. A command is a view of the record's bytes: copy it before handing it to another thread. */
  readonly entries: readonly Entry[];
}

/** Where the chain of a log begins: differs between nodes, so that a record of another node never fits. */
export function chainSeed(topic: string, nodeId: NodeId): number {
  return crc32c(new TextEncoder().encode(`${topic}/${nodeId}`));
}

/** Throws (assertion) on what `decodeRecord` would refuse. `areChecked`: the entries were, and are not gone through once more. */
export function encodeRecord(record: LogRecord, areChecked = false): Uint8Array<ArrayBuffer> {
  const { entries, hardState, truncateFrom } = record;
  assert(isCount(record.number) && record.number >= 1, `record ${record.number}`);
  assert(entries.length > 0 || truncateFrom !== null, "a record of nothing");
  if (entries.length > 0 && !areChecked) assertEntries(entries);
  if (hardState !== null) assertHardState(hardState);
  const fields = encodeFields(record);
  // Exact, so that a large batch is not copied once more at the end.
  const writer = beginFrame("record", fields.length + entriesBytes(entries));
  writer.raw(fields);
  writeEntries(writer, entries);
  return sealFrame(writer);
}

/** All that stands before the entries. */
function encodeFields({ chain, number, hardState, truncateFrom, commitIndex, entries }: LogRecord): Uint8Array {
  const writer = new ByteWriter(32);
  writer.u32(chain);
  writer.varint(number);
  writeOptional(writer, hardState, (value) => writeHardState(writer, value));
  writeOptional(writer, truncateFrom, (index) => writer.varint(index));
  writer.varint(commitIndex);
  writer.varint(entries.length);
  const first = entries[0];
  if (first !== undefined) writer.varint(first.index);
  return writer.finish();
}

/** Total: any value gives a record or says why not. Never throws. */
export function decodeRecord(bytes: unknown): Decoded<LogRecord> {
  const frame = openFrame("record", bytes);
  if (!frame.ok) return frame;
  const reader = frame.value;
  const chain = reader.u32();
  const number = reader.varint();
  const hardState = readOptional(reader, () => readHardState(reader));
  const truncateFrom = readOptional(reader, () => reader.varint());
  const commitIndex = reader.varint();
  const count = reader.varint();
  if (reader.failed) return damaged("shorter than its fields");
  if (number < 1) return damaged("record 0");
  if (hardState !== null && hardStateProblem(hardState) !== null) return damaged(`hard state: ${hardStateProblem(hardState)}`);
  if (truncateFrom !== null && truncateFrom < 1) return damaged("truncation from 0");
  if (count === 0 && truncateFrom === null) return damaged("a record of nothing");
  const entries = count === 0 ? [] : readEntries(reader, reader.varint(), count);
  if (typeof entries === "string") return damaged(entries);
  if (reader.failed || reader.remaining !== 0) return damaged("bytes after the last entry");
  return { ok: true, value: { chain, number, hardState, truncateFrom, commitIndex, entries } };
}
