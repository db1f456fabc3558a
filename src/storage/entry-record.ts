/**
 * Entries and configurations as bytes: the same in a log record of every format version, and in the header of a snapshot.
 *
 *   entry          1 byte kind: 0 blank, 1 command, 2 configuration; varint term, at least 1, never less than that of the entry before;
 *                  command: varint length, bytes; configuration: as below
 *   configuration  voters, votersOld, learners, each: varint count, then per node id: varint length, bytes
 *
 * A varint is a safe integer, seven bits a byte, lowest first, in the fewest bytes; so an entry has exactly one form.
 */
import type { Configuration, Entry, LogIndex, NodeId } from "../raft/types.ts";
import { type ByteReader, type ByteWriter, varintBytes } from "./bytes.ts";

/** What a node id looks like, wherever it is stored. */
export const NODE_ID = /^[A-Za-z0-9_-]{1,64}$/;
const KINDS = { blank: 0, command: 1, configuration: 2 } as const;
/** Kind and term take a byte each, so a count can be refused before anything is allocated for it. */
const ENTRY_BYTES_MIN = 2;

/** Throws (assertion) unless the entries, at least one, could stand in one record. */
export function assertEntries(entries: readonly Entry[]): void {
  const firstIndex = entries[0]?.index ?? 0;
  if (!Number.isSafeInteger(firstIndex) || firstIndex < 1) throw new Error("assertion: a record without a first entry");
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

/** Exactly as many as `writeEntries` writes. */
export function entriesBytes(entries: readonly Entry[]): number {
  let size = 0;
  for (const entry of entries) size += entryBytes(entry);
  return size;
}

export function writeEntries(writer: ByteWriter, entries: readonly Entry[]): void {
  for (const entry of entries) {
    writer.u8(KINDS[entry.kind]);
    writer.varint(entry.term);
    if (entry.kind === "command") writer.bytes(entry.command);
    if (entry.kind === "configuration") writeConfiguration(writer, entry.configuration);
  }
}

/** So many entries from `firstIndex` on; or why there are none. A command is a view of the reader's bytes. */
export function readEntries(reader: ByteReader, firstIndex: LogIndex, count: number): Entry[] | string {
  if (count > reader.remaining / ENTRY_BYTES_MIN) return `count of entries ${count}`;
  if (firstIndex < 1 || !Number.isSafeInteger(firstIndex + count)) return `first index ${firstIndex}`;
  const entries: Entry[] = [];
  let term = 1;
  for (let index = firstIndex; index < firstIndex + count; index++) {
    const entry = readEntry(reader, index);
    if (entry === null || entry.term < term) return `entry ${index}`;
    term = entry.term;
    entries.push(entry);
  }
  return entries;
}

export function configurationBytes({ voters, votersOld, learners }: Configuration): number {
  // A node id is at most 64 ASCII characters: its length takes one byte.
  const idBytes = (ids: readonly NodeId[]) => ids.reduce((sum, id) => sum + 1 + id.length, varintBytes(ids.length));
  return idBytes(voters) + idBytes(votersOld) + idBytes(learners);
}

export function writeConfiguration(writer: ByteWriter, { voters, votersOld, learners }: Configuration): void {
  for (const list of [voters, votersOld, learners]) {
    writer.varint(list.length);
    for (const id of list) writer.text(id);
  }
}

/** `null`: none that could have been written. */
export function readConfiguration(reader: ByteReader): Configuration | null {
  const configuration = { voters: readIds(reader), votersOld: readIds(reader), learners: readIds(reader) };
  return reader.failed || !isConfiguration(configuration) ? null : configuration;
}

/** Its lists are sorted and without repeats, and nobody is a voter and a learner. */
export function isConfiguration({ voters, votersOld, learners }: Configuration): boolean {
  const voting = new Set(voters);
  return [voters, votersOld, learners].every(isSortedIds) && learners.every((id) => !voting.has(id));
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

function readEntry(reader: ByteReader, index: LogIndex): Entry | null {
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

function readIds(reader: ByteReader): NodeId[] {
  const count = reader.varint();
  const ids: NodeId[] = [];
  for (let at = 0; at < count && !reader.failed; at++) ids.push(reader.text());
  return ids;
}

function isSortedIds(ids: readonly NodeId[]): boolean {
  return ids.every((id, at) => NODE_ID.test(id) && (at === 0 || (ids[at - 1] ?? "") < id));
}
