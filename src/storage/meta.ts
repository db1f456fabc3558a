/**
 * The meta record of a node: who it is, its hard state, and where its log begins and ends. Rewritten whole by every write.
 *
 * Inside the envelope of frame.ts, in this order (text: varint length, UTF-8; optional: one byte 0 or 1, then the value if 1):
 *   topic text, nodeId text, currentTerm varint, votedFor optional text,
 *   generation optional { number varint, id text, parentId optional text, forkIndex varint },
 *   commitIndex varint, firstIndex varint, baseTerm varint, firstRecord varint, firstChain 4 bytes, lastIndex varint,
 *   lastChain 4 bytes, snapshot optional { index varint, checksum 4 bytes }
 */
import type { Generation, HardState, LogIndex, NodeId, Term } from "../raft/types.ts";
import { assert } from "./assert.ts";
import type { ByteReader, ByteWriter } from "./bytes.ts";
import { beginFrame, type Decoded, damaged, openFrame, sealFrame } from "./frame.ts";
import { chainSeed, NODE_ID } from "./record.ts";

export interface Meta {
  /** The room, as its public topic. */
  readonly topic: string;
  readonly nodeId: NodeId;
  readonly hardState: HardState;
  readonly commitIndex: LogIndex;
  /** The first index that the log holds, or will hold. 1 unless the beginning was compacted; at most one past the snapshot. */
  readonly firstIndex: LogIndex;
  /** The term of the entry before `firstIndex`; 0 if that is 1. */
  readonly baseTerm: Term;
  /** Where the first record begins, or will begin: before `firstIndex` if the log was compacted inside that record. */
  readonly firstRecord: LogIndex;
  /** The chain value that the first record carries. */
  readonly firstChain: number;
  /** The last index that the log holds; `firstIndex - 1` if it is empty. */
  readonly lastIndex: LogIndex;
  /** Checksum of the last record, so that a missing or outdated last record is noticed; `firstChain` if there is none. */
  readonly lastChain: number;
  /** Which snapshot lies beside it, so that a missing or outdated one is noticed: its index, and the checksum of its header. */
  readonly snapshot: { readonly index: LogIndex; readonly checksum: number } | null;
}

const GENERATION_ID = /^[0-9a-f]{32}$/;

/** What a node that has never heard anything remembers. */
export function pristineMeta(topic: string, nodeId: NodeId): Meta {
  const seed = chainSeed(topic, nodeId);
  return {
    topic,
    nodeId,
    hardState: { currentTerm: 0, votedFor: null, generation: null },
    commitIndex: 0,
    firstIndex: 1,
    baseTerm: 0,
    firstRecord: 1,
    firstChain: seed,
    lastIndex: 0,
    lastChain: seed,
    snapshot: null,
  };
}

/** Throws (assertion) on what `decodeMeta` would refuse. */
export function encodeMeta(meta: Meta): Uint8Array<ArrayBuffer> {
  const problem = problemOf(meta);
  assert(problem === null, `meta: ${problem}`);
  const writer = beginFrame("meta", 256);
  const { currentTerm, votedFor, generation } = meta.hardState;
  writer.text(meta.topic);
  writer.text(meta.nodeId);
  writer.varint(currentTerm);
  writeOptional(writer, votedFor, (id) => writer.text(id));
  writeOptional(writer, generation, (value) => writeGeneration(writer, value));
  writer.varint(meta.commitIndex);
  writer.varint(meta.firstIndex);
  writer.varint(meta.baseTerm);
  writer.varint(meta.firstRecord);
  writer.u32(meta.firstChain);
  writer.varint(meta.lastIndex);
  writer.u32(meta.lastChain);
  writeOptional(writer, meta.snapshot, ({ index, checksum }) => {
    writer.varint(index);
    writer.u32(checksum);
  });
  return sealFrame(writer);
}

/** Total: any value gives a meta record or says why not. Never throws. */
export function decodeMeta(bytes: unknown): Decoded<Meta> {
  const frame = openFrame("meta", bytes);
  if (!frame.ok) return frame;
  const reader = frame.value;
  const meta: Meta = {
    topic: reader.text(),
    nodeId: reader.text(),
    hardState: {
      currentTerm: reader.varint(),
      votedFor: readOptional(reader, () => reader.text()),
      generation: readOptional(reader, () => readGeneration(reader)),
    },
    commitIndex: reader.varint(),
    firstIndex: reader.varint(),
    baseTerm: reader.varint(),
    firstRecord: reader.varint(),
    firstChain: reader.u32(),
    lastIndex: reader.varint(),
    lastChain: reader.u32(),
    snapshot: readOptional(reader, () => ({ index: reader.varint(), checksum: reader.u32() })),
  };
  if (reader.failed) return damaged("shorter than its fields");
  if (reader.remaining !== 0) return damaged("bytes after the last field");
  const problem = problemOf(meta);
  return problem === null ? { ok: true, value: meta } : damaged(problem);
}

/** Throws (assertion) on a hard state that could not be read back. */
export function assertHardState(hardState: HardState): void {
  const problem = hardStateProblem(hardState);
  assert(problem === null, `hard state: ${problem}`);
}

function problemOf(meta: Meta): string | null {
  if (!NODE_ID.test(meta.nodeId)) return "not a node id";
  if (!isIndex(meta.lastIndex) || meta.lastIndex < meta.firstIndex - 1) return `last index ${meta.lastIndex}`;
  if (!isIndex(meta.commitIndex) || meta.commitIndex > meta.lastIndex) return `commit index ${meta.commitIndex}`;
  return beginningProblem(meta) ?? hardStateProblem(meta.hardState);
}

function beginningProblem({ firstIndex, baseTerm, firstRecord, snapshot, ...meta }: Meta): string | null {
  if (!isIndex(firstIndex) || firstIndex < 1) return `first index ${firstIndex}`;
  if (snapshot !== null && (!isIndex(snapshot.index) || snapshot.index < 1)) return `snapshot of index ${snapshot.index}`;
  if (firstIndex > (snapshot?.index ?? 0) + 1) return "a gap between the snapshot and the log";
  if (!isIndex(baseTerm) || (baseTerm === 0) !== (firstIndex === 1)) return `term ${baseTerm} before entry ${firstIndex}`;
  if (!isIndex(firstRecord) || firstRecord < 1 || firstRecord > firstIndex) return `first record ${firstRecord}`;
  const isEmpty = meta.lastIndex < firstRecord;
  return isEmpty && meta.lastChain !== meta.firstChain ? "the chain of an empty log" : null;
}

function hardStateProblem({ currentTerm, votedFor, generation }: HardState): string | null {
  if (!isIndex(currentTerm)) return `term ${currentTerm}`;
  if (votedFor !== null && (currentTerm === 0 || !NODE_ID.test(votedFor))) return "vote";
  return generation === null || isGeneration(generation) ? null : "generation";
}

function isGeneration({ number, id, parentId, forkIndex }: Generation): boolean {
  if (!isIndex(number) || number < 1 || !isIndex(forkIndex) || !GENERATION_ID.test(id)) return false;
  return parentId === null ? forkIndex === 0 : GENERATION_ID.test(parentId);
}

function isIndex(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function writeGeneration(writer: ByteWriter, generation: Generation): void {
  writer.varint(generation.number);
  writer.text(generation.id);
  writeOptional(writer, generation.parentId, (id) => writer.text(id));
  writer.varint(generation.forkIndex);
}

function readGeneration(reader: ByteReader): Generation {
  return {
    number: reader.varint(),
    id: reader.text(),
    parentId: readOptional(reader, () => reader.text()),
    forkIndex: reader.varint(),
  };
}

function writeOptional<T>(writer: ByteWriter, value: T | null, write: (value: T) => void): void {
  writer.u8(value === null ? 0 : 1);
  if (value !== null) write(value);
}

function readOptional<T>(reader: ByteReader, read: () => T): T | null {
  const flag = reader.u8();
  if (flag > 1) reader.failed = true;
  return flag === 1 ? read() : null;
}
