/**
 * The meta record of a node: who it is, its hard state, and where its log begins, as of one moment. Written when a node is made, when its
 * hard state or commit index changes without an entry, and with each snapshot; a write of entries leaves it alone, and says in its own record
 * what changed. Its key is its number; the one before it goes in the same transaction.
 *
 * Inside the envelope of frame.ts, in this order (text: varint length, UTF-8; optional: one byte 0 or 1, then the value if 1):
 *   topic text, nodeId text, number varint, hard state (hard-state-record.ts), commitIndex varint, firstIndex varint, baseTerm varint,
 *   firstRecord varint, firstChain 4 bytes, baseIndex varint, nextRecord varint, lastChain 4 bytes, lastIndex varint,
 *   snapshot optional { index varint, checksum 4 bytes }
 */
import type { HardState, LogIndex, NodeId, Term } from "../raft/types.ts";
import { assert } from "./assert.ts";
import { NODE_ID } from "./entry-record.ts";
import { beginFrame, type Decoded, damaged, openFrame, sealFrame } from "./frame.ts";
import { hardStateProblem, isCount, readHardState, readOptional, writeHardState, writeOptional } from "./hard-state-record.ts";
import { chainSeed } from "./record.ts";

export interface Meta {
  /** The room, as its public topic. */
  readonly topic: string;
  readonly nodeId: NodeId;
  /** Meta records are numbered as they are written, from 1. */
  readonly number: number;
  readonly hardState: HardState;
  readonly commitIndex: LogIndex;
  /** The first index that the log holds, or will hold. 1 unless the beginning was compacted; at most one past the snapshot. */
  readonly firstIndex: LogIndex;
  /** The term of the entry before `firstIndex`; 0 if that is 1. */
  readonly baseTerm: Term;
  /** The number of the first log record, there or to come. */
  readonly firstRecord: number;
  /** The chain value that the first record carries. */
  readonly firstChain: number;
  /** The index before the first entry of the first record: before `firstIndex - 1` if the log was compacted inside that record. */
  readonly baseIndex: LogIndex;
  /** The number of the record that was to come next when this was written: what later ones say of hard state and commit index is newer. */
  readonly nextRecord: number;
  /** Checksum of the last record when this was written; `firstChain` if there was none. */
  readonly lastChain: number;
  /** The last index of the log when this was written; `firstIndex - 1` if it was empty. */
  readonly lastIndex: LogIndex;
  /** Which snapshot lies beside it, so that a missing or outdated one is noticed: its index, and the checksum of its header. */
  readonly snapshot: { readonly index: LogIndex; readonly checksum: number } | null;
}

/** What a node that has never heard anything remembers. */
export function pristineMeta(topic: string, nodeId: NodeId): Meta {
  const seed = chainSeed(topic, nodeId);
  return {
    topic,
    nodeId,
    number: 1,
    hardState: { currentTerm: 0, votedFor: null, generation: null },
    commitIndex: 0,
    firstIndex: 1,
    baseTerm: 0,
    firstRecord: 1,
    firstChain: seed,
    baseIndex: 0,
    nextRecord: 1,
    lastChain: seed,
    lastIndex: 0,
    snapshot: null,
  };
}

/** Throws (assertion) on what `decodeMeta` would refuse. */
export function encodeMeta(meta: Meta): Uint8Array<ArrayBuffer> {
  const problem = problemOf(meta);
  assert(problem === null, `meta: ${problem}`);
  const writer = beginFrame("meta", 256);
  writer.text(meta.topic);
  writer.text(meta.nodeId);
  writer.varint(meta.number);
  writeHardState(writer, meta.hardState);
  writer.varint(meta.commitIndex);
  writer.varint(meta.firstIndex);
  writer.varint(meta.baseTerm);
  writer.varint(meta.firstRecord);
  writer.u32(meta.firstChain);
  writer.varint(meta.baseIndex);
  writer.varint(meta.nextRecord);
  writer.u32(meta.lastChain);
  writer.varint(meta.lastIndex);
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
    number: reader.varint(),
    hardState: readHardState(reader),
    commitIndex: reader.varint(),
    firstIndex: reader.varint(),
    baseTerm: reader.varint(),
    firstRecord: reader.varint(),
    firstChain: reader.u32(),
    baseIndex: reader.varint(),
    nextRecord: reader.varint(),
    lastChain: reader.u32(),
    lastIndex: reader.varint(),
    snapshot: readOptional(reader, () => ({ index: reader.varint(), checksum: reader.u32() })),
  };
  if (reader.failed) return damaged("shorter than its fields");
  if (reader.remaining !== 0) return damaged("bytes after the last field");
  const problem = problemOf(meta);
  return problem === null ? { ok: true, value: meta } : damaged(problem);
}

function problemOf(meta: Meta): string | null {
  if (!NODE_ID.test(meta.nodeId)) return "not a node id";
  if (!isCount(meta.number) || meta.number < 1) return `number ${meta.number}`;
  if (!isCount(meta.lastIndex) || meta.lastIndex < meta.firstIndex - 1) return `last index ${meta.lastIndex}`;
  if (!isCount(meta.commitIndex) || meta.commitIndex > meta.lastIndex) return `commit index ${meta.commitIndex}`;
  return beginningProblem(meta) ?? recordsProblem(meta) ?? hardStateProblem(meta.hardState);
}

function beginningProblem({ firstIndex, baseTerm, snapshot }: Meta): string | null {
  if (!isCount(firstIndex) || firstIndex < 1) return `first index ${firstIndex}`;
  if (snapshot !== null && (!isCount(snapshot.index) || snapshot.index < 1)) return `snapshot of index ${snapshot.index}`;
  if (firstIndex > (snapshot?.index ?? 0) + 1) return "a gap between the snapshot and the log";
  return !isCount(baseTerm) || (baseTerm === 0) !== (firstIndex === 1) ? `term ${baseTerm} before entry ${firstIndex}` : null;
}

function recordsProblem({ firstRecord, nextRecord, baseIndex, firstIndex, lastIndex, ...meta }: Meta): string | null {
  if (!isCount(firstRecord) || firstRecord < 1) return `first record ${firstRecord}`;
  if (!isCount(nextRecord) || nextRecord < firstRecord) return `next record ${nextRecord}`;
  if (!isCount(baseIndex) || baseIndex >= firstIndex) return `the first record begins after entry ${baseIndex}`;
  if (nextRecord > firstRecord) return null;
  const isEmpty = meta.lastChain === meta.firstChain && baseIndex === firstIndex - 1 && lastIndex === baseIndex;
  return isEmpty ? null : "a log without records that is not empty";
}
