/** Reads all that a node stored, in chunks, and believes none of it before its checksum, its place and its chain are verified. */
import type { IDBPObjectStore } from "idb";
import { StorageFailed, type StoredState } from "../driver/interfaces.ts";
import type { Entry, LogIndex, NodeId, Snapshot } from "../raft/types.ts";
import { rejections, toStorageFailed } from "./failure.ts";
import type { Unreadable } from "./frame.ts";
import { clampCommitIndex } from "./log-span.ts";
import { decodeMeta, type Meta } from "./meta.ts";
import { META_KEY, type NodeDatabase, type NodeSchema } from "./node-database.ts";
import { checksumOf, decodeRecord } from "./record.ts";
import { RecordList } from "./record-list.ts";
import { recoverSnapshot } from "./snapshot-recovery.ts";

export interface Recovered {
  readonly state: StoredState;
  readonly meta: Meta;
  readonly metaBytes: number;
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
    const transaction = db.transaction(["meta", "log", "snapshot"], "readonly");
    // An abort also rejects the request that waits at that time, which tells more.
    const ended = rejections([transaction.done]);
    const metaValue: unknown = await transaction.objectStore("meta").get(META_KEY);
    const meta = readMeta(metaValue, topic, nodeId);
    const { snapshot, bytes: snapshotBytes } = await recoverSnapshot(transaction.objectStore("snapshot"), meta.snapshot);
    const { records, entries } = await readLog(transaction.objectStore("log"), meta);
    const errors = await ended;
    if (errors.length > 0) throw toStorageFailed("reading", ...errors);
    checkEnd(records, meta);
    checkSnapshotFits(snapshot, meta, entries);
    const metaBytes = metaValue instanceof Uint8Array ? metaValue.length : 0;
    const log = withoutShortLog({ meta, records, entries }, snapshot);
    return { state: stateOf(log.meta, snapshot, log.entries), metaBytes, snapshotBytes, ...log };
  } catch (error) {
    throw toStorageFailed("reading", error);
  }
}

function readMeta(value: unknown, topic: string, nodeId: NodeId): Meta {
  if (value === undefined) throw new StorageFailed("damaged", "the meta record is missing");
  const decoded = decodeMeta(value);
  if (!decoded.ok) throw unreadable("the meta record", decoded);
  const meta = decoded.value;
  if (meta.nodeId !== nodeId || meta.topic !== topic) throw new StorageFailed("damaged", "the meta record is of another node");
  return meta;
}

interface FoundLog {
  readonly meta: Meta;
  readonly records: RecordList;
  /** From `meta.firstIndex` on. */
  readonly entries: readonly Entry[];
}

async function readLog(store: LogStore, meta: Meta): Promise<Omit<FoundLog, "meta">> {
  const records = new RecordList(meta.firstRecord, meta.firstChain);
  const entries: Entry[] = [];
  let wanted = FIRST_CHUNK_RECORDS;
  for (let range: IDBKeyRange | null = null; ; ) {
    const [keys, values]: [unknown[], unknown[]] = await Promise.all([
      store.getAllKeys(range, wanted),
      store.getAll(range, wanted),
    ]);
    for (const [at, key] of keys.entries()) {
      for (const entry of readRecord(records, key, values[at])) {
        if (entry.index >= meta.firstIndex) entries.push(entry);
        else checkDropped(entry, meta);
      }
    }
    if (keys.length < wanted) return { records, entries };
    range = IDBKeyRange.lowerBound(keys.at(-1), true);
    wanted = Math.max(1, Math.min(CHUNK_RECORDS_MAX, Math.floor(CHUNK_BYTES / records.averageBytes)));
  }
}

/** An entry that was compacted away, in a record that holds later ones too. */
function checkDropped({ index, term }: Entry, { firstIndex, baseTerm }: Meta): void {
  if (index !== firstIndex - 1 || term === baseTerm) return;
  throw new StorageFailed("damaged", `entry ${index} is of term ${term}, not ${baseTerm}`);
}

function readRecord(records: RecordList, key: unknown, value: unknown): readonly Entry[] {
  const name = `log record ${String(key)}`;
  const decoded = decodeRecord(value);
  if (!decoded.ok || !(value instanceof Uint8Array)) {
    throw unreadable(name, decoded.ok ? { ok: false, kind: "damaged", message: "not bytes" } : decoded);
  }
  const { chain, entries } = decoded.value;
  const first: LogIndex = entries[0]?.index ?? 0;
  if (key !== first) throw new StorageFailed("damaged", `${name} begins with entry ${first}`);
  if (first !== records.lastIndex + 1) throw new StorageFailed("damaged", `${name} follows entry ${records.lastIndex}`);
  if (chain !== records.lastChain) throw new StorageFailed("damaged", `${name} does not continue the record before it`);
  records.append({ firstIndex: first, count: entries.length, checksum: checksumOf(value), bytes: value.length });
  return entries;
}

function checkEnd(records: RecordList, meta: Meta): void {
  if (records.lastIndex === meta.lastIndex && records.lastChain === meta.lastChain) return;
  throw new StorageFailed(
    "damaged",
    `the log ends with entry ${records.lastIndex}, not with the entry ${meta.lastIndex} that was written last`,
  );
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
  const firstIndex = index + 1;
  const chain = log.records.lastChain;
  const beginning = { firstIndex, baseTerm: term, firstRecord: firstIndex, firstChain: chain };
  const meta: Meta = { ...log.meta, ...beginning, lastIndex: index, lastChain: chain };
  return { meta, records: new RecordList(firstIndex, chain), entries: [], hasLeftovers: true };
}

function stateOf(meta: Meta, snapshot: Snapshot | null, entries: readonly Entry[]): StoredState {
  const { hardState, baseTerm, firstIndex, lastIndex } = meta;
  const commitIndex = clampCommitIndex(meta.commitIndex, { firstIndex, lastIndex, snapshotIndex: snapshot?.index ?? 0 });
  return { hardState, snapshot, baseTerm, entries, firstIndex, commitIndex };
}

function unreadable(name: string, { kind, message }: Unreadable): StorageFailed {
  return new StorageFailed(kind, `${name}: ${message}`);
}
