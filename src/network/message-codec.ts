/** The body of each Raft message. Sender and receiver are not sent: they are the two ends of the authenticated connection. */
import type {
  AppendEntriesResponse,
  Generation,
  Message,
  NodeId,
  Refusal,
  RelayEntries,
  RelayRequest,
  Term,
} from "../raft/types.ts";
import type { ByteReader, ByteWriter } from "./bytes.ts";
import { readEntries, writeEntries } from "./entry-codec.ts";
import { MAX_SNAPSHOT_BYTES, readChunk, writeChunk } from "./snapshot-codec.ts";

/** Position is the byte on the wire: append only. */
const KINDS = [
  "requestVote",
  "requestVoteResponse",
  "appendEntries",
  "appendEntriesResponse",
  "propose",
  "proposeResponse",
  "readIndex",
  "readIndexResponse",
  "installSnapshot",
  "installSnapshotResponse",
  "timeoutNow",
  "leaderCheck",
  "leaderCheckResponse",
  "relayEntries",
  "relayRequest",
] as const satisfies readonly Message["kind"][];

/** Position is the byte on the wire: append only. */
const REFUSALS = [
  "notLeader",
  "overloaded",
  "notReady",
  "changeOpen",
  "configurationMoved",
  "noVoters",
  "noChange",
  "notPristine",
  "transferring",
  "noTarget",
  "transferFailed",
  "leaderHeard",
] as const satisfies readonly Refusal[];

/** The two ends of a connection as the receiver sees them. */
export interface Link {
  readonly from: NodeId;
  readonly to: NodeId;
}

export function writeMessage(writer: ByteWriter, message: Message): void {
  writer.oneOf(KINDS, message.kind);
  writer.integer(message.term);
  writeGeneration(writer, message.generation);
  switch (message.kind) {
    case "requestVote":
      writer.boolean(message.preVote);
      writer.boolean(message.leadershipTransfer);
      writer.boolean(message.leaderGone);
      writer.integer(message.lastLogIndex);
      writer.integer(message.lastLogTerm);
      return;
    case "requestVoteResponse":
      writer.boolean(message.preVote);
      writer.integer(message.requestedTerm);
      writer.boolean(message.voteGranted);
      return;
    case "appendEntries":
      writer.integer(message.prevLogIndex);
      writer.integer(message.prevLogTerm);
      writer.integer(message.leaderCommit);
      writer.integer(message.round);
      writeEntries(writer, message.entries, message.prevLogIndex);
      return;
    case "appendEntriesResponse":
      writeAcknowledgement(writer, message);
      return;
    case "propose":
      writer.integer(message.requestId);
      writer.list(message.commands, (command) => writer.bytes(command));
      return;
    case "proposeResponse":
      writer.integer(message.requestId);
      writer.integer(message.firstIndex);
      writer.integer(message.entriesTerm);
      writeRefusal(writer, message.refusal);
      return;
    case "readIndex":
      writer.integer(message.requestId);
      return;
    case "readIndexResponse":
      writer.integer(message.requestId);
      writer.integer(message.readIndex);
      writeRefusal(writer, message.refusal);
      return;
    case "installSnapshot":
      writeChunk(writer, message);
      return;
    case "installSnapshotResponse":
      writer.integer(message.index);
      writer.uint32(message.checksum);
      writer.integer(message.offset);
      return;
    case "relayEntries":
      writeRelayEntries(writer, message);
      return;
    case "relayRequest":
      writeRelayRequest(writer, message);
      return;
    case "timeoutNow":
      return;
    case "leaderCheck":
    case "leaderCheckResponse":
      writer.integer(message.checkId);
      return;
  }
}

export function readMessage(reader: ByteReader, link: Link): Message {
  const kind = reader.oneOf(KINDS);
  const term = reader.integer();
  const generation = readGeneration(reader);
  if (kind === "appendEntries") return readAppendEntries(reader, link, term, generation);
  if (kind === "appendEntriesResponse") return readAppendEntriesResponse(reader, link, term, generation);
  const base = { from: link.from, to: link.to, term, generation };
  switch (kind) {
    case "requestVote": {
      const preVote = reader.boolean();
      const leadershipTransfer = reader.boolean();
      const leaderGone = reader.boolean();
      const [lastLogIndex, lastLogTerm] = readPosition(reader, term);
      return { ...base, kind, preVote, leadershipTransfer, leaderGone, lastLogIndex, lastLogTerm };
    }
    case "requestVoteResponse":
      return { ...base, kind, preVote: reader.boolean(), requestedTerm: reader.integer(), voteGranted: reader.boolean() };
    case "propose":
      return { ...base, kind, requestId: reader.integer(), commands: reader.list(1, () => reader.bytes()) };
    case "proposeResponse": {
      const requestId = reader.integer();
      const firstIndex = reader.integer();
      return { ...base, kind, requestId, firstIndex, entriesTerm: reader.integer(), refusal: readRefusal(reader) };
    }
    case "readIndex":
      return { ...base, kind, requestId: reader.integer() };
    case "readIndexResponse":
      return { ...base, kind, requestId: reader.integer(), readIndex: reader.integer(), refusal: readRefusal(reader) };
    case "installSnapshot":
      return { ...base, kind, ...readChunk(reader, term) };
    case "installSnapshotResponse": {
      const index = reader.integer();
      const checksum = reader.uint32();
      const offset = reader.integer();
      if (index === 0 || offset > MAX_SNAPSHOT_BYTES) reader.fail("badInteger");
      return { ...base, kind, index, checksum, offset };
    }
    case "relayEntries": {
      const leader = reader.id();
      const [prevLogIndex, prevLogTerm] = readPosition(reader, term);
      return { ...base, kind, leader, prevLogIndex, prevLogTerm, entries: readEntries(reader, prevLogIndex, prevLogTerm, term) };
    }
    case "relayRequest": {
      const commitIndex = reader.integer();
      const matchIndex = reader.integer();
      if (matchIndex > commitIndex) reader.fail("badInteger");
      return { ...base, kind, commitIndex, matchIndex, restart: reader.boolean() };
    }
    case "timeoutNow":
      return { ...base, kind };
    case "leaderCheck":
    case "leaderCheckResponse":
      return { ...base, kind, checkId: reader.integer() };
  }
}

function writeRelayEntries(writer: ByteWriter, message: RelayEntries): void {
  writer.id(message.leader);
  writer.integer(message.prevLogIndex);
  writer.integer(message.prevLogTerm);
  writeEntries(writer, message.entries, message.prevLogIndex);
}

function writeRelayRequest(writer: ByteWriter, message: RelayRequest): void {
  writer.integer(message.commitIndex);
  writer.integer(message.matchIndex);
  writer.boolean(message.restart);
}

function writeAcknowledgement(writer: ByteWriter, message: AppendEntriesResponse): void {
  writer.boolean(message.success);
  writer.integer(message.matchIndex);
  writer.integer(message.refusedIndex);
  writer.integer(message.hintIndex);
  writer.integer(message.hintTerm);
  writer.integer(message.round);
}

/** The two that a busy cluster lives on are made in one piece: spreading a base into them takes longer than reading them. */
function readAppendEntries(reader: ByteReader, { from, to }: Link, term: Term, generation: Generation): Message {
  const [prevLogIndex, prevLogTerm] = readPosition(reader, term);
  const leaderCommit = reader.integer();
  const round = reader.integer();
  const entries = readEntries(reader, prevLogIndex, prevLogTerm, term);
  return { kind: "appendEntries", from, to, term, generation, prevLogIndex, prevLogTerm, leaderCommit, round, entries };
}

function readAppendEntriesResponse(reader: ByteReader, { from, to }: Link, term: Term, generation: Generation): Message {
  const kind = "appendEntriesResponse";
  const success = reader.boolean();
  const matchIndex = reader.integer();
  const refusedIndex = reader.integer();
  const hintIndex = reader.integer();
  const hintTerm = reader.integer();
  const round = reader.integer();
  return { kind, from, to, term, generation, success, matchIndex, refusedIndex, hintIndex, hintTerm, round };
}

/** Index and term of an entry in the sender's log: both 0 or neither, and no term above the sender's. */
function readPosition(reader: ByteReader, maxTerm: number): [index: number, term: number] {
  const index = reader.integer();
  const term = reader.integer();
  if ((index === 0) !== (term === 0) || term > maxTerm) reader.fail("badInteger");
  return [index, term];
}

export function writeGeneration(writer: ByteWriter, generation: Generation): void {
  writer.integer(generation.number);
  writer.hex128(generation.id);
  writer.optional(generation.parentId, (id) => writer.hex128(id));
  writer.integer(generation.forkIndex);
}

export function readGeneration(reader: ByteReader): Generation {
  const number = reader.integer();
  const id = reader.hex128();
  const parentId = reader.optional(() => reader.hex128());
  const forkIndex = reader.integer();
  if (number === 0 || (parentId === null && forkIndex > 0)) reader.fail("badInteger");
  return { number, id, parentId, forkIndex };
}

function writeRefusal(writer: ByteWriter, refusal: Refusal | null): void {
  writer.optional(refusal, (word) => writer.oneOf<Refusal>(REFUSALS, word));
}

function readRefusal(reader: ByteReader): Refusal | null {
  return reader.optional(() => reader.oneOf<Refusal>(REFUSALS));
}
