/**
 * Reads all that a node stored, in chunks, and believes none of it before its checksum, its place and its chain are verified. That nothing is
 * missing at the end is told by the counters of keys that the database keeps: what was written moves them on, and no deletion back.
 */
import { type IDBPObjectStore, unwrap } from "idb";
import { StorageFailed, type StoredState } from "../driver/interfaces.ts";
import type { Entry, NodeId, Snapshot } from "../raft/types.ts";
import { rejections, toStorageFailed } from "./failure.ts";
import { checksumOf, type Unreadable } from "./frame.ts";
import { clampCommitIndex } from "./log-span.ts";
import { decodeMeta, type Meta } from "./meta.ts";
import type { NodeDatabase, NodeSchema } from "./node-database.ts";
import { RecordList } from "./record-list.ts";
import { type FoundLog, Replay } from "./replay.ts";
import { askSnapshot, recoverSnapshot } from "./snapshot-recovery.ts";

export interface Recovered {
  readonly state: StoredState;
  readonly meta: Meta;
  readonly metaBytes: number;
  readonly metaChecksum: number;
  readonly records: RecordList;
  readonly snapshotBytes: number;
  /** Records that count no more still lie in the log: the next write has to clear it. */
  readonly hasLeftovers: boolean;
}

type LogStore = IDBPObjectStore<NodeSchema, ("meta" | "log" | "snapshot")[], "log", "readonly">;

/** About how much is asked of the database at once. */
const CHUNK_BYTES = 4 * 1024 * 1024;
/** Nothing is known of the size of the records before the first chunk. */
const FIRST_CHUNK_RECORDS = 16;
const CHUNK_RECORDS_MAX = 4096;

/** Rejects with `StorageFailed`: "damaged", "future", or "lost". */
export async function recover(db: NodeDatabase, topic: string, nodeId: NodeId): Promise<Recovered> {
  try {
    // All that is surely needed is asked at once: each answer that is waited for costs about what a small write does.
    const counters = readCounters(db);
    const transaction = db.transaction(["meta", "log", "snapshot"], "readonly");
    // An abort also rejects the request that waits at that time, which tells more.
    const ended = rejections([transaction.done]);
    const metas = transaction.objectStore("meta");
    const metaKeys = metas.getAllKeys(null, 2);
    const metaValues = metas.getAll(null, 2);
    const beginning = askSnapshot(transaction.objectStore("snapshot"));
    const logStore = transaction.objectStore("log");
    const logBeginning = askLog(logStore, null, FIRST_CHUNK_RECORDS);
    // What fails first is told; the rest of them is not waited for then.
    const asked = rejections([counters, metaKeys, metaValues, beginning, logBeginning]);
    const meta = readMeta(await metaKeys, await metaValues, topic, nodeId);
    const snapshots = transaction.objectStore("snapshot");
    const { snapshot, bytes: snapshotBytes } = await recoverSnapshot(snapshots, await beginning, meta.snapshot);
    const log = await readLog(logStore, logBeginning, meta);
    const errors = [...(await asked), ...(await ended)];
    if (errors.length > 0) throw toStorageFailed("reading", ...errors);
    checkEnd(log, await counters);
    checkSnapshotFits(snapshot, log.meta, log.entries);
    const [metaValue] = await metaValues;
    const size = { metaBytes: metaValue?.length ?? 0, metaChecksum: metaValue === undefined ? 0 : checksumOf(metaValue) };
    const kept = withoutShortLog(log, snapshot);
    return { state: stateOf(kept.meta, snapshot, kept.entries), snapshotBytes, ...size, ...kept };
  } catch (error) {
    throw toStorageFailed("reading", error);
  }
}

interface Counters {
  readonly meta: number;
  readonly log: number;
}

/** The numbers that the next meta record and the next log record would get. Nothing is written: the transaction is aborted. */
function readCounters(db: NodeDatabase): Promise<Counters> {
  return new Promise((resolve, reject) => {
    const transaction = unwrap(db).transaction(["meta", "log"], "readwrite", { durability: "relaxed" });
    const found: unknown[] = [];
    for (const store of ["meta", "log"]) {
      const probe = transaction.objectStore(store).add(0);
      probe.onsuccess = () => {
        if (found.push(probe.result) === 2) transaction.abort();
      };
    }
    transaction.onabort = () => {
      const [meta, log] = found;
      if (typeof meta === "number" && typeof log === "number") resolve({ meta, log });
      else reject(transaction.error ?? new StorageFailed("damaged", "the counters of the database cannot be read"));
    };
  });
}

function readMeta(keys: readonly unknown[], values: readonly unknown[], topic: string, nodeId: NodeId): Meta {
  if (values.length === 0) throw new StorageFailed("damaged", "the meta record is missing");
  const decoded = decodeMeta(values[0]);
  if (!decoded.ok) throw unreadable("the meta record", decoded);
  const meta = decoded.value;
  if (meta.nodeId !== nodeId || meta.topic !== topic) throw new StorageFailed("damaged", "the meta record is of another node");
  if (values.length > 1 || keys[0] !== meta.number)
    throw new StorageFailed("damaged", "the meta record is not where it was written");
  return meta;
}

type LogChunk = [keys: unknown[], values: unknown[]];

function askLog(store: LogStore, range: IDBKeyRange | null, count: number): Promise<LogChunk> {
  return Promise.all([store.getAllKeys(range, count), store.getAll(range, count)]);
}

/** `beginning`: the first `FIRST_CHUNK_RECORDS` records, which are under way. */
async function readLog(store: LogStore, beginning: Promise<LogChunk>, stored: Meta): Promise<FoundLog> {
  const replay = new Replay(stored);
  let wanted = FIRST_CHUNK_RECORDS;
  let asked = beginning;
  for (;;) {
    const [keys, values] = await asked;
    const isLast = keys.length < wanted;
    // The database reads on while this chunk is checked.
    if (!isLast) {
      const bytes = values.reduce<number>((sum, value) => sum + (value instanceof Uint8Array ? value.length : 0), 0);
      wanted = Math.max(1, Math.min(CHUNK_RECORDS_MAX, Math.floor((CHUNK_BYTES * values.length) / Math.max(1, bytes))));
      asked = askLog(store, IDBKeyRange.lowerBound(keys.at(-1), true), wanted);
    }
    for (const [at, key] of keys.entries()) replay.add(key, values[at]);
    if (isLast) return replay.end();
  }
}

function checkEnd({ meta, records }: FoundLog, due: Counters): void {
  if (due.meta !== meta.number + 1) throw new StorageFailed("damaged", `meta record ${due.meta - 1} is missing`);
  if (due.log === records.nextNumber) return;
  throw new StorageFailed("damaged", `the log ends before record ${due.log - 1}, which was written last`);
}

/** The entry at which the snapshot ends, if the log still knows its term, is the one that the snapshot means. */
function checkSnapshotFits(snapshot: Snapshot | null, { firstIndex, baseTerm }: Meta, entries: readonly Entry[]): void {
  if (snapshot === null) return;
  const term = snapshot.index === firstIndex - 1 ? baseTerm : (entries[snapshot.index - firstIndex]?.term ?? snapshot.term);
  if (term === snapshot.term) return;
  throw new StorageFailed("damaged", `entry ${snapshot.index} is of term ${term}, and of term ${snapshot.term} in the snapshot`);
}

/** A log that ends before the snapshot has nothing to say: it is dropped, and the log begins after the snapshot. */
function withoutShortLog(log: FoundLog, snapshot: Snapshot | null): FoundLog & { readonly hasLeftovers: boolean } {
  if (snapshot === null || log.meta.lastIndex >= snapshot.index) return { ...log, hasLeftovers: false };
  const { index, term } = snapshot;
  const { nextNumber, lastChain } = log.records;
  const beginning = { firstRecord: nextNumber, firstChain: lastChain, baseIndex: index };
  const meta: Meta = { ...log.meta, ...beginning, firstIndex: index + 1, baseTerm: term, lastIndex: index };
  return { meta, records: new RecordList(beginning), entries: [], hasLeftovers: true };
}

function stateOf(meta: Meta, snapshot: Snapshot | null, entries: readonly Entry[]): StoredState {
  const { hardState, baseTerm, firstIndex, lastIndex } = meta;
  const commitIndex = clampCommitIndex(meta.commitIndex, { firstIndex, lastIndex, snapshotIndex: snapshot?.index ?? 0 });
  return { hardState, snapshot, baseTerm, entries, firstIndex, commitIndex };
}

function unreadable(name: string, { kind, message }: Unreadable): StorageFailed {
  return new StorageFailed(kind, `${name}: ${message}`);
}
