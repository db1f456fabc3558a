/**
 * A log record: all entries of one write, as one stored value. Its key is the index of its first entry. Pure functions over bytes.
 *
 * Inside the envelope of frame.ts:
 *
 *   bytes  what
 *       4  chain: the checksum of the record before; in a log's first record the seed of that log (`chainSeed`)
 *  varint  firstIndex, at least 1
 *  varint  count of entries, at least 1; their indexes follow each other without a gap
 *       .  the entries, each:
 *            1 byte  kind: 0 blank, 1 command, 2 configuration
 *            varint  term, at least 1, never less than that of the entry before
 *            command: varint length, bytes
 *            configuration: voters, votersOld, learners, each: varint count, then per node id: varint length, bytes
 *
 * A varint is a safe integer, seven bits a byte, lowest first, in the fewest bytes; so a record has exactly one form.
 *
 * Since the checksum covers the chain value, each checksum depends on every record before it: a record that is missing, swapped,
 * or an older version of itself breaks the chain at the next one, or at the end of the chain that the meta record keeps.
 * To truncate inside a record, its kept entries are encoded anew under the same chain value; nothing before them changes.
 * To compact inside a record would change its checksum and break the chain behind it: such a record stays as it is, and the meta
 * record says which of its entries still count.
 */

import { crc32c } from "../raft/crc32c.ts";
import type { Configuration, Entry, NodeId } from "../raft/types.ts";
import { assert } from "./assert.ts";
import { type ByteReader, type ByteWriter, varintBytes } from "./bytes.ts";
import { beginFrame, type Decoded, damaged, openFrame, sealFrame } from "./frame.ts";

export { checksumOf } from "./frame.ts";

export interface LogRecord {
  /** Checksum of the record before it, or the seed. */
  readonly chain: number;
  /** At least one, without gaps. A command is a view of the record's bytes: copy it before handing it to another thread. */
  readonly entries: readonly Entry[];
}

/** What a node id looks like, wherever it is stored. */
export const NODE_ID = /^[A-Za-z0-9_-]{1,64}$/;
const KINDS = { blank: 0, command: 1, configuration: 2 } as const;
/** Kind and term take a byte each, so a count can be refused before anything is allocated for it. */
const ENTRY_BYTES_MIN = 2;
const CHAIN_BYTES = 4;

/** Where the chain of a log begins: differs between nodes, so that a record of another node never fits. */
export function chainSeed(topic: string, nodeId: NodeId): number {
  return crc32c(new TextEncoder().encode(`${topic}/${nodeId}`));
}

/** Throws (assertion) on entries that `decodeRecord` would refuse. */
export function encodeRecord(chain: number, entries: readonly Entry[]): Uint8Array<ArrayBuffer> {
  assertEntries(entries);
  const firstIndex = entries[0]?.index ?? 0;
  // Exact, so that a large batch is not copied once more at the end.
  let size = CHAIN_BYTES + varintBytes(firstIndex) + varintBytes(entries.length);
  for (const entry of entries) size += entryBytes(entry);
  const writer = beginFrame("record", size);
  writer.u32(chain);
  writer.varint(firstIndex);
  writer.varint(entries.length);
  for (const entry of entries) writeEntry(writer, entry);
  return sealFrame(writer);
}

/** Total: any value gives a record or says why not. Never throws. */
export function decodeRecord(bytes: unknown): Decoded<LogRecord> {
  const frame = openFrame("record", bytes);
  if (!frame.ok) return frame;
  const reader = frame.value;
  const chain = reader.u32();
  const firstIndex = reader.varint();
  const count = reader.varint();
  if (firstIndex < 1 || !Number.isSafeInteger(firstIndex + count)) return damaged(`first index ${firstIndex}`);
  if (count < 1 || count > reader.remaining / ENTRY_BYTES_MIN) return damaged(`count of entries ${count}`);
  const entries: Entry[] = [];
  for (let index = firstIndex; index < firstIndex + count; index++) {
    const entry = readEntry(reader, index);
    if (entry === null || entry.term < (entries.at(-1)?.term ?? 1)) return damaged(`entry ${index}`);
    entries.push(entry);
  }
  if (reader.remaining !== 0) return damaged("bytes after the last entry");
  return { ok: true, value: { chain, entries } };
}

/** Throws (assertion) unless the entries could stand in one record. */
export function assertEntries(entries: readonly Entry[]): void {
  const firstIndex = entries[0]?.index ?? 0;
  assert(Number.isSafeInteger(firstIndex) && firstIndex >= 1, "a record without a first entry");
  let term = 1;
  let index = firstIndex;
  for (const entry of entries) {
    // No message is put together for an entry that is right: there may be many thousands.
    if (entry.index !== index || !Number.isSafeInteger(entry.term) || entry.term < term || !hasSoundBody(entry)) {
      throw new Error(`assertion: entry ${entry.index} of term ${entry.term} where ${index} is due, of term ${term} or later`);
    }
    term = entry.term;
    index += 1;
  }
}

function hasSoundBody(entry: Entry): boolean {
  return entry.kind !== "configuration" || isConfiguration(entry.configuration);
}

function entryBytes(entry: Entry): number {
  const head = 1 + varintBytes(entry.term);
  if (entry.kind === "blank") return head;
  if (entry.kind === "command") return head + varintBytes(entry.command.length) + entry.command.length;
  return head + configurationBytes(entry.configuration);
}

export function configurationBytes({ voters, votersOld, learners }: Configuration): number {
  // A node id is at most 64 ASCII characters: its length takes one byte.
  const idBytes = (ids: readonly NodeId[]) => ids.reduce((sum, id) => sum + 1 + id.length, varintBytes(ids.length));
  return idBytes(voters) + idBytes(votersOld) + idBytes(learners);
}

function writeEntry(writer: ByteWriter, entry: Entry): void {
  writer.u8(KINDS[entry.kind]);
  writer.varint(entry.term);
  if (entry.kind === "command") writer.bytes(entry.command);
  if (entry.kind === "configuration") writeConfiguration(writer, entry.configuration);
}

export function writeConfiguration(writer: ByteWriter, { voters, votersOld, learners }: Configuration): void {
  for (const list of [voters, votersOld, learners]) {
    writer.varint(list.length);
    for (const id of list) writer.text(id);
  }
}

function readEntry(reader: ByteReader, index: number): Entry | null {
  const kind = reader.u8();
  const term = reader.varint();
  if (kind === KINDS.blank) return reader.failed ? null : { kind: "blank", index, term };
  if (kind === KINDS.command) {
    const command = reader.bytes();
    return reader.failed ? null : { kind: "command", index, term, command };
  }
  if (kind !== KINDS.configuration) return null;
  const configuration = readConfiguration(reader);
  return configuration === null ? null : { kind: "configuration", index, term, configuration };
}

/** `null`: none that could have been written. */
export function readConfiguration(reader: ByteReader): Configuration | null {
  const configuration = { voters: readIds(reader), votersOld: readIds(reader), learners: readIds(reader) };
  return reader.failed || !isConfiguration(configuration) ? null : configuration;
}

function readIds(reader: ByteReader): NodeId[] {
  const count = reader.varint();
  const ids: NodeId[] = [];
  for (let at = 0; at < count && !reader.failed; at++) ids.push(reader.text());
  return ids;
}

/** Its lists are sorted and without repeats, and nobody is a voter and a learner. */
export function isConfiguration({ voters, votersOld, learners }: Configuration): boolean {
  const voting = new Set(voters);
  return [voters, votersOld, learners].every(isSortedIds) && learners.every((id) => !voting.has(id));
}

function isSortedIds(ids: readonly NodeId[]): boolean {
  return ids.every((id, at) => NODE_ID.test(id) && (at === 0 || (ids[at - 1] ?? "") < id));
}
