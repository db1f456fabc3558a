/** What one transaction does: planned as a whole before it begins, committed in one piece, and then followed in memory. */
import type { LogWrite } from "../driver/interfaces.ts";
import type { Entry, LogIndex, SnapshotMeta, SnapshotWrite, Term } from "../raft/types.ts";
import { rejections } from "./failure.ts";
import { clampCommitIndex, type LogSpan, spanAfterSnapshot, spanAfterWrite } from "./log-span.ts";
import { encodeMeta, type Meta } from "./meta.ts";
import { META_KEY, type NodeDatabase, SNAPSHOT_HEADER_KEY } from "./node-database.ts";
import { checksumOf, encodeRecord } from "./record.ts";
import { RecordList } from "./record-list.ts";
import { encodeSnapshotChunks, encodeSnapshotHeader, snapshotMetaOf } from "./snapshot-record.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** An open database and what is remembered of it. */
export interface Opened {
  readonly db: NodeDatabase;
  records: RecordList;
  meta: Meta;
  metaBytes: number;
  snapshotMeta: SnapshotMeta | null;
  snapshotBytes: number;
  /** Records that count no more still lie in the log: the next write clears it. */
  hasLeftovers: boolean;
}

interface RecordPut {
  readonly firstIndex: LogIndex;
  readonly count: number;
  readonly bytes: Bytes;
}

export interface Plan {
  readonly durability: "strict" | "relaxed";
  /** All records go, before any is put. */
  readonly clearLog: boolean;
  readonly deleteFrom: LogIndex | null;
  /** Records wholly before this entry go. */
  readonly compactBefore: LogIndex | null;
  readonly puts: readonly RecordPut[];
  /** In place of all that is in the snapshot's store: the header, then the chunks. */
  readonly snapshot: { readonly meta: SnapshotMeta; readonly values: readonly Bytes[] } | null;
  readonly meta: Meta;
  readonly metaBytes: Bytes;
}

export function spanOf({ firstIndex, lastIndex, snapshot }: Meta): LogSpan {
  return { firstIndex, lastIndex, snapshotIndex: snapshot?.index ?? 0 };
}

/** `kept`: the entries of a record that the truncation cuts in two, before the cut. */
export function planWrite(opened: Opened, write: LogWrite, kept: readonly Entry[], durability: Plan["durability"]): Plan {
  const { meta, records } = opened;
  const { truncateFrom, entries } = write;
  const span = spanAfterWrite(spanOf(meta), write);
  let chain = truncateFrom === null ? records.lastChain : records.chainBefore(truncateFrom);
  const puts: RecordPut[] = [];
  for (const batch of [kept, entries]) {
    const first = batch[0];
    if (first === undefined) continue;
    const bytes = encodeRecord(chain, batch);
    puts.push({ firstIndex: first.index, count: batch.length, bytes });
    chain = checksumOf(bytes);
  }
  const next: Meta = {
    ...meta,
    hardState: write.hardState ?? meta.hardState,
    commitIndex: clampCommitIndex(write.commitIndex, span),
    lastIndex: span.lastIndex,
    lastChain: chain,
  };
  // What is known to be committed is only a help for the next start.
  const commitIndexAlone = write.hardState === null && truncateFrom === null && entries.length === 0;
  return {
    durability: write.hardState !== null ? "strict" : commitIndexAlone ? "relaxed" : durability,
    clearLog: opened.hasLeftovers,
    deleteFrom: truncateFrom,
    compactBefore: null,
    puts,
    snapshot: null,
    meta: next,
    metaBytes: encodeMeta(next),
  };
}

/** `baseTerm`: of the entry before the first one that will be kept. */
export function planSnapshot(opened: Opened, write: SnapshotWrite, baseTerm: Term): Plan {
  const { meta, records } = opened;
  const { snapshot, reset } = write;
  const span = spanAfterSnapshot(spanOf(meta), write);
  const { firstIndex, lastIndex } = span;
  const header = encodeSnapshotHeader(snapshot);
  // After a reset the chain goes on from the log that is gone: a record of another node, or of another time, does not fit.
  const beginning = reset ? { firstIndex, chain: records.lastChain } : records.beginningFor(firstIndex);
  const next: Meta = {
    ...meta,
    commitIndex: clampCommitIndex(meta.commitIndex, span),
    firstIndex,
    baseTerm,
    firstRecord: beginning.firstIndex,
    firstChain: beginning.chain,
    lastIndex,
    snapshot: { index: snapshot.index, checksum: checksumOf(header) },
  };
  return {
    durability: "strict",
    clearLog: reset || opened.hasLeftovers,
    deleteFrom: null,
    compactBefore: reset ? null : firstIndex,
    puts: [],
    snapshot: { meta: snapshotMetaOf(snapshot), values: [header, ...encodeSnapshotChunks(snapshot.data)] },
    meta: next,
    metaBytes: encodeMeta(next),
  };
}

/** Returns what went wrong; nothing once all of the plan is durable. All requests are made before the first of them runs. */
export async function commitPlan(db: NodeDatabase, plan: Plan): Promise<unknown[]> {
  const { durability } = plan;
  const transaction = db.transaction(["meta", "log", "snapshot"], "readwrite", { durability });
  const requests: Promise<unknown>[] = [transaction.done];
  try {
    const log = transaction.objectStore("log");
    if (plan.clearLog) requests.push(log.clear());
    if (plan.deleteFrom !== null) requests.push(log.delete(IDBKeyRange.lowerBound(plan.deleteFrom)));
    if (plan.compactBefore !== null) requests.push(log.delete(IDBKeyRange.upperBound(plan.meta.firstRecord, true)));
    for (const { firstIndex, bytes } of plan.puts) requests.push(log.put(bytes, firstIndex));
    if (plan.snapshot !== null) {
      const store = transaction.objectStore("snapshot");
      requests.push(store.clear());
      for (const [at, bytes] of plan.snapshot.values.entries()) requests.push(store.put(bytes, SNAPSHOT_HEADER_KEY + at));
    }
    requests.push(transaction.objectStore("meta").put(plan.metaBytes, META_KEY));
    transaction.commit();
  } catch (error) {
    // What was already requested would be committed without the rest.
    transaction.abort();
    return [error, ...(await rejections(requests))];
  }
  return rejections(requests);
}

/** Remembers what was committed. */
export function followPlan(opened: Opened, plan: Plan): void {
  if (plan.clearLog) opened.records = new RecordList(plan.meta.firstRecord, plan.meta.firstChain);
  if (plan.deleteFrom !== null) opened.records.truncate(plan.deleteFrom);
  if (plan.compactBefore !== null) opened.records.compact(plan.compactBefore);
  for (const { firstIndex, count, bytes } of plan.puts) {
    opened.records.append({ firstIndex, count, checksum: checksumOf(bytes), bytes: bytes.length });
  }
  if (plan.snapshot !== null) {
    opened.snapshotMeta = plan.snapshot.meta;
    opened.snapshotBytes = plan.snapshot.values.reduce((sum, { length }) => sum + length, 0);
  }
  opened.hasLeftovers = false;
  opened.meta = plan.meta;
  opened.metaBytes = plan.metaBytes.length;
}
