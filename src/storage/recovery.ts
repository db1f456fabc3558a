/** Reads all that a node stored, in chunks, and believes none of it before its checksum, its place and its chain are verified. */
import { StorageFailed, type StoredState } from "../driver/interfaces.ts";
import type { Entry, LogIndex, NodeId } from "../raft/types.ts";
import { rejections, toStorageFailed } from "./failure.ts";
import type { Unreadable } from "./frame.ts";
import { decodeMeta, type Meta } from "./meta.ts";
import { META_KEY, type NodeDatabase } from "./node-database.ts";
import { checksumOf, decodeRecord } from "./record.ts";
import { RecordList } from "./record-list.ts";

export interface Recovered {
  readonly state: StoredState;
  readonly meta: Meta;
  readonly metaBytes: number;
  readonly records: RecordList;
}

/** About how much is asked of the database at once. */
const CHUNK_BYTES = 4 * 1024 * 1024;
/** Nothing is known of the size of the records before the first chunk. */
const FIRST_CHUNK_RECORDS = 16;
const CHUNK_RECORDS_MAX = 4096;

/** Rejects with `StorageFailed`: "damaged", "future", or "lost". */
export async function recover(db: NodeDatabase, topic: string, nodeId: NodeId): Promise<Recovered> {
  try {
    const transaction = db.transaction(["meta", "log"], "readonly");
    // An abort also rejects the request that waits at that time, which tells more.
    const ended = rejections([transaction.done]);
    const metaValue: unknown = await transaction.objectStore("meta").get(META_KEY);
    const meta = readMeta(metaValue, topic, nodeId);
    const records = new RecordList(meta.firstIndex, meta.firstChain);
    const entries: Entry[] = [];
    const store = transaction.objectStore("log");
    let wanted = FIRST_CHUNK_RECORDS;
    for (let range: IDBKeyRange | null = null; ; ) {
      const [keys, values]: [unknown[], unknown[]] = await Promise.all([
        store.getAllKeys(range, wanted),
        store.getAll(range, wanted),
      ]);
      for (const [at, key] of keys.entries()) for (const entry of readRecord(records, key, values[at])) entries.push(entry);
      if (keys.length < wanted) break;
      range = IDBKeyRange.lowerBound(keys.at(-1), true);
      wanted = Math.max(1, Math.min(CHUNK_RECORDS_MAX, Math.floor(CHUNK_BYTES / records.averageBytes)));
    }
    const errors = await ended;
    if (errors.length > 0) throw toStorageFailed("reading", ...errors);
    checkEnd(records, meta);
    const state = { hardState: meta.hardState, entries, commitIndex: meta.commitIndex };
    return { state, meta, metaBytes: metaValue instanceof Uint8Array ? metaValue.length : 0, records };
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
  if (meta.firstIndex !== 1) throw new StorageFailed("damaged", "the beginning of the log is missing");
  return meta;
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

function unreadable(name: string, { kind, message }: Unreadable): StorageFailed {
  return new StorageFailed(kind, `${name}: ${message}`);
}
