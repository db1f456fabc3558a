/** What one transaction does: planned as a whole before it begins, committed in one piece, and then followed in memory. */
import { unwrap } from "idb";
import type { LogWrite } from "../driver/interfaces.ts";
import type { Entry, LogIndex, SnapshotMeta, SnapshotWrite } from "../raft/types.ts";
import { assert } from "./assert.ts";
import { clampCommitIndex, type LogSpan, spanAfterSnapshot, spanAfterWrite } from "./log-span.ts";
import { encodeMeta, type Meta } from "./meta.ts";
import { type NodeDatabase, SNAPSHOT_HEADER_KEY } from "./node-database.ts";
import { checksumOf, encodeRecord } from "./record.ts";
import { type Beginning, RecordList } from "./record-list.ts";
import { encodeSnapshotChunks, encodeSnapshotHeader, snapshotMetaOf } from "./snapshot-record.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** An open database and what is remembered of it. */
export interface Opened {
  readonly db: NodeDatabase;
  records: RecordList;
  /** As it stands now, which is newer than what is stored under its number, but for what follows from `records`. */
  meta: Meta;
  /** Of the meta record that is stored. */
  metaBytes: number;
  metaChecksum: number;
  snapshotMeta: SnapshotMeta | null;
  snapshotBytes: number;
  /** Records that count no more still lie in the log: the next write clears it. */
  hasLeftovers: boolean;
}

interface RecordAdd {
  readonly number: number;
  readonly bytes: Bytes;
  readonly truncateFrom: LogIndex | null;
  readonly entries: readonly Entry[];
}

export interface Plan {
  readonly durability: "strict" | "relaxed";
  /** All records go, before any is added, and the log begins anew here. */
  readonly restart: Beginning | null;
  /** Records with a number above this go: a truncation cuts them away whole. */
  readonly deleteAfter: number | null;
  /** Records wholly before this entry go. */
  readonly compactBefore: LogIndex | null;
  readonly record: RecordAdd | null;
  /** In place of all that is in the snapshot's store: the header, then the chunks. */
  readonly snapshot: { readonly meta: SnapshotMeta; readonly values: readonly Bytes[] } | null;
  readonly meta: Meta;
  /** `null`: the meta record stays as it is. */
  readonly metaBytes: Bytes | null;
}

export function spanOf({ firstIndex, lastIndex, snapshot }: Meta): LogSpan {
  return { firstIndex, lastIndex, snapshotIndex: snapshot?.index ?? 0 };
}

/** `write` was checked. Entries, or a truncation, are one record and nothing else; what comes without them is one meta record. */
export function planWrite(opened: Opened, write: LogWrite, durability: Plan["durability"]): Plan {
  const { meta, hasLeftovers } = opened;
  const { hardState, truncateFrom, entries } = write;
  const { lastIndex, ...span } = spanAfterWrite(spanOf(meta), write);
  const commitIndex = clampCommitIndex(write.commitIndex, { lastIndex, ...span });
  const hasRecord = entries.length > 0 || truncateFrom !== null;
  const changed: Meta = { ...meta, hardState: hardState ?? meta.hardState, commitIndex, lastIndex };
  // What is known to be committed is only a help for the next start.
  const commitIndexAlone = hardState === null && !hasRecord;
  const common = {
    durability: hardState !== null ? "strict" : commitIndexAlone ? "relaxed" : durability,
    restart: hasLeftovers ? opened.records.beginning : null,
    compactBefore: null,
    snapshot: null,
  } as const;
  if (!hasRecord) {
    const next = numbered(changed, opened.records);
    return { ...common, deleteAfter: null, record: null, meta: next, metaBytes: encodeMeta(next) };
  }
  const { records } = opened;
  const number = records.nextNumber;
  const chain = truncateFrom === null ? records.lastChain : records.chainBefore(truncateFrom);
  // The record that brought the hard state may be one of those that a truncation deletes.
  const told = truncateFrom === null ? hardState : changed.hardState;
  const bytes = encodeRecord({ chain, number, hardState: told, truncateFrom, commitIndex, entries }, true);
  const record = { number, truncateFrom, entries, bytes };
  // Leftovers are dropped by a meta record that no longer knows them.
  const next = hasLeftovers ? numbered({ ...meta, commitIndex: spanOf(meta).snapshotIndex }, records) : null;
  return {
    ...common,
    deleteAfter: truncateFrom === null ? null : records.lastBefore(truncateFrom),
    record,
    meta: next === null ? changed : { ...changed, number: next.number },
    metaBytes: next && encodeMeta(next),
  };
}

export function planSnapshot(opened: Opened, write: SnapshotWrite): Plan {
  const { meta, records } = opened;
  const { snapshot, compactThrough, reset } = write;
  const span = spanAfterSnapshot(spanOf(meta), write);
  const { firstIndex, lastIndex } = span;
  const header = encodeSnapshotHeader(snapshot);
  // After a reset the chain goes on from the log that is gone: a record of another node, or of another time, does not fit.
  const restart = { firstRecord: records.nextNumber, firstChain: records.lastChain, baseIndex: snapshot.index };
  const beginning = reset ? restart : opened.hasLeftovers ? records.beginning : records.beginningFor(firstIndex);
  const kept = { ...meta, commitIndex: clampCommitIndex(meta.commitIndex, span), firstIndex, lastIndex, ...beginning };
  const baseTerm = reset ? snapshot.term : baseTermFor(opened, firstIndex);
  if (!reset && compactThrough === snapshot.index) assertSameTerm(snapshot, baseTerm);
  const next = numbered({ ...kept, baseTerm, snapshot: { index: snapshot.index, checksum: checksumOf(header) } }, records);
  return {
    durability: "strict",
    restart: reset ? restart : opened.hasLeftovers ? records.beginning : null,
    deleteAfter: null,
    compactBefore: reset ? null : firstIndex,
    record: null,
    snapshot: { meta: snapshotMetaOf(snapshot), values: [header, ...encodeSnapshotChunks(snapshot.data)] },
    meta: next,
    metaBytes: encodeMeta(next),
  };
}

/** As the next meta record. */
function numbered(meta: Meta, { nextNumber, lastChain }: RecordList): Meta {
  return { ...meta, number: meta.number + 1, nextRecord: nextNumber, lastChain };
}

/** The term of the entry before `firstIndex`. */
function baseTermFor({ meta, records }: Opened, firstIndex: LogIndex): number {
  if (firstIndex === meta.firstIndex) return meta.baseTerm;
  const term = records.termAt(firstIndex - 1);
  assert(term !== null, `no record holds entry ${firstIndex - 1}`);
  return term;
}

function assertSameTerm({ index, term }: SnapshotMeta, logTerm: number): void {
  assert(term === logTerm, `entry ${index} is of term ${logTerm}, and of term ${term} in the snapshot`);
}

/**
 * Returns what went wrong; nothing once all of the plan is durable. All requests are made before the first of them runs, and none is waited
 * for alone: the transaction's end says it all. Records and meta records are added, never put: what another worker has written under the
 * same number, which could only be if this one's lock was stolen, makes the transaction fail.
 */
export function commitPlan(db: NodeDatabase, plan: Plan): Promise<readonly unknown[]> {
  return new Promise((resolve) => {
    const errors: unknown[] = [];
    let transaction: IDBTransaction;
    try {
      transaction = unwrap(db).transaction(storesOf(plan), "readwrite", { durability: plan.durability });
    } catch (error) {
      resolve([error]);
      return;
    }
    transaction.oncomplete = () => resolve([]);
    transaction.onabort = () => resolve([...errors, transaction.error ?? new DOMException("no reason given", "AbortError")]);
    transaction.onerror = ({ target }) => errors.push((target as IDBRequest).error);
    try {
      request(transaction, plan);
      transaction.commit();
    } catch (error) {
      // What was already requested would be committed without the rest.
      errors.push(error);
      transaction.abort();
    }
  });
}

/** Only those that are needed: each costs. */
function storesOf({ record, snapshot, metaBytes, restart }: Plan): string[] {
  if (snapshot !== null || restart !== null) return ["meta", "log", "snapshot"];
  const stores: string[] = [];
  if (record !== null) stores.push("log");
  if (metaBytes !== null) stores.push("meta");
  return stores;
}

function request(transaction: IDBTransaction, plan: Plan): void {
  const { restart, deleteAfter, compactBefore, record, snapshot, meta, metaBytes } = plan;
  if (restart !== null) transaction.objectStore("log").clear();
  if (deleteAfter !== null) transaction.objectStore("log").delete(IDBKeyRange.lowerBound(deleteAfter, true));
  if (compactBefore !== null) transaction.objectStore("log").delete(IDBKeyRange.upperBound(meta.firstRecord, true));
  if (record !== null) transaction.objectStore("log").add(record.bytes, record.number);
  if (snapshot !== null) {
    const store = transaction.objectStore("snapshot");
    store.clear();
    for (const [at, bytes] of snapshot.values.entries()) store.put(bytes, SNAPSHOT_HEADER_KEY + at);
  }
  if (metaBytes === null) return;
  const store = transaction.objectStore("meta");
  store.add(metaBytes, meta.number);
  store.delete(IDBKeyRange.upperBound(meta.number, true));
}

/** Remembers what was committed. */
export function followPlan(opened: Opened, plan: Plan): void {
  const { restart, compactBefore, record, snapshot, metaBytes } = plan;
  if (restart !== null) opened.records = new RecordList(restart, opened.records.nextNumber);
  if (record !== null) {
    const { number, bytes } = record;
    opened.records.append({ number, checksum: checksumOf(bytes), bytes: bytes.length }, record);
  }
  if (compactBefore !== null) opened.records.compact(compactBefore);
  if (snapshot !== null) {
    opened.snapshotMeta = snapshot.meta;
    opened.snapshotBytes = snapshot.values.reduce((sum, { length }) => sum + length, 0);
  }
  if (metaBytes !== null) {
    opened.metaBytes = metaBytes.length;
    opened.metaChecksum = checksumOf(metaBytes);
  }
  opened.hasLeftovers = false;
  opened.meta = plan.meta;
}

/** Equal for equal disks: what was written last. */
export function markOf({ records, meta, metaChecksum }: Opened): string {
  return [records.nextNumber, records.lastChain, meta.number, metaChecksum].join();
}

/** The mark once the plan is committed. */
export function markAfter(opened: Opened, { record, restart, meta, metaBytes }: Plan): string {
  const { records } = opened;
  const next = record === null ? records.nextNumber : record.number + 1;
  const chain = record !== null ? checksumOf(record.bytes) : (restart?.firstChain ?? records.lastChain);
  return [next, chain, meta.number, metaBytes === null ? opened.metaChecksum : checksumOf(metaBytes)].join();
}
