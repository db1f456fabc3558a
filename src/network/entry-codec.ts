/** Entries and configurations on the wire. An entry's index is not sent: it follows from its place, so a gap cannot be said. */
import type { Configuration, Entry, LogIndex, NodeId, Term } from "../raft/types.ts";
import type { ByteReader, ByteWriter } from "./bytes.ts";

const KINDS = ["blank", "command", "configuration"] as const;
/** Kind and term. */
const LEAST_ENTRY_BYTES = 2;
/** Length and one character. */
const LEAST_ID_BYTES = 2;

/** The entries after `prevLogIndex`, without a gap. Throws if they are not: a mistake of this program. */
export function writeEntries(writer: ByteWriter, entries: readonly Entry[], prevLogIndex: LogIndex): void {
  let next = prevLogIndex;
  writer.list(entries, (entry) => {
    next += 1;
    if (entry.index !== next) throw new Error(`Entry ${entry.index} stands where ${next} belongs.`);
    writeEntry(writer, entry);
  });
}

function writeEntry(writer: ByteWriter, entry: Entry): void {
  writer.oneOf(KINDS, entry.kind);
  writer.integer(entry.term);
  if (entry.kind === "command") writer.bytes(entry.command);
  if (entry.kind === "configuration") writeConfiguration(writer, entry.configuration);
}

/** Terms in a log never fall, and none is above the term of the leader that sends it (`maxTerm`). */
export function readEntries(reader: ByteReader, prevLogIndex: LogIndex, prevLogTerm: Term, maxTerm: Term): Entry[] {
  let term = Math.max(prevLogTerm, 1);
  const entries = reader.list(LEAST_ENTRY_BYTES, (position) => {
    const entry = readEntry(reader, prevLogIndex + 1 + position);
    if (entry.term < term || entry.term > maxTerm) reader.fail("badInteger");
    term = entry.term;
    return entry;
  });
  if (!Number.isSafeInteger(prevLogIndex + entries.length)) reader.fail("badInteger");
  return entries;
}

function readEntry(reader: ByteReader, index: LogIndex): Entry {
  const kind = reader.oneOf(KINDS);
  const term = reader.integer();
  if (kind === "blank") return { kind, index, term };
  if (kind === "command") return { kind, index, term, command: reader.bytes() };
  return { kind, index, term, configuration: readConfiguration(reader) };
}

export function writeConfiguration(writer: ByteWriter, configuration: Configuration): void {
  for (const ids of [configuration.voters, configuration.votersOld, configuration.learners]) {
    writer.list(ids, (id) => writer.id(id));
  }
}

/** At least one voter, and no learner among them; a voter that is being demoted may be among `votersOld` and the learners. */
export function readConfiguration(reader: ByteReader): Configuration {
  const voters = readSortedIds(reader);
  const votersOld = readSortedIds(reader);
  const learners = readSortedIds(reader);
  const both = new Set(voters);
  if (voters.length === 0 || learners.some((id) => both.has(id))) reader.fail("badList");
  return { voters, votersOld, learners };
}

function readSortedIds(reader: ByteReader): NodeId[] {
  let last = "";
  return reader.list(LEAST_ID_BYTES, () => {
    const id = reader.id();
    if (id <= last) reader.fail("badList");
    last = id;
    return id;
  });
}
