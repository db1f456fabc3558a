/**
 * The durable log of one node in IndexedDB. One write is one transaction; it is acknowledged when the transaction is complete,
 * and after the first one that fails nothing is written any more: a hole in the log would be worse than a node that stops.
 */
import { type LogStorage, type LogWrite, StorageFailed, type StoredState } from "../driver/interfaces.ts";
import type { Entry, LogIndex } from "../raft/types.ts";
import { assert } from "./assert.ts";
import { rejections, toStorageFailed } from "./failure.ts";
import { assertHardState, encodeMeta, type Meta } from "./meta.ts";
import { META_KEY, type NodeDatabase, type NodeDatabaseOptions, openNodeDatabase } from "./node-database.ts";
import { assertEntries, checksumOf, decodeRecord, encodeRecord } from "./record.ts";
import type { RecordList } from "./record-list.ts";
import { recover } from "./recovery.ts";

/**
 * `strict`: an entry is flushed to the device before it is acknowledged. `relaxed`: it is handed to the operating system only. It
 * then survives a crash of the tab and of the browser, but not a power cut: a device that loses power may have forgotten entries
 * that this node acknowledged, and what was committed with its help can be lost. Term and vote are strict in either case.
 */
export type Durability = "strict" | "relaxed";

export interface IndexedDbStorageOptions extends NodeDatabaseOptions {
  readonly durability?: Durability;
  /** Told once, when the storage fails: also if that happens while nothing is being written. */
  readonly onFailure?: (failure: StorageFailed) => void;
}

interface Opened {
  readonly db: NodeDatabase;
  readonly records: RecordList;
  meta: Meta;
  metaBytes: number;
}

/** All that one transaction does, ready before it begins. */
interface Plan {
  readonly durability: Durability;
  readonly deleteFrom: LogIndex | null;
  readonly puts: readonly { readonly firstIndex: LogIndex; readonly count: number; readonly bytes: Uint8Array<ArrayBuffer> }[];
  readonly meta: Meta;
  readonly metaBytes: Uint8Array<ArrayBuffer>;
}

export class IndexedDbStorage implements LogStorage {
  readonly #options: IndexedDbStorageOptions;
  #opened: Opened | null = null;
  #failure: StorageFailed | null = null;
  #loading = false;
  #closed = false;
  /** Where the log ends once every write that was issued is done. */
  #issuedLastIndex: LogIndex = 0;
  /** Ends when the last issued call is done. */
  #queue: Promise<void> = Promise.resolve();

  constructor(options: IndexedDbStorageOptions) {
    this.#options = options;
  }

  get durability(): Durability {
    return this.#options.durability ?? "strict";
  }

  /** Size of what is stored, in bytes, without what the browser needs around it. */
  get bytes(): number {
    return this.#opened === null ? 0 : this.#opened.records.bytes + this.#opened.metaBytes;
  }

  get failure(): StorageFailed | null {
    return this.#failure;
  }

  /** To be called once, before the first `persist`, by whoever holds the lock of this node. */
  load(done: (result: StoredState | StorageFailed) => void): void {
    assert(!this.#loading && !this.#closed, "a storage is loaded once");
    this.#loading = true;
    this.#enqueue(async () => {
      const result = await this.#load();
      return () => done(result);
    });
  }

  persist(write: LogWrite, done: (failure: StorageFailed | null) => void): void {
    assert(!this.#closed, "write after close");
    if (this.#failure === null) this.#issuedLastIndex = this.#check(write);
    this.#enqueue(async () => {
      const failure = await this.#write(write);
      return () => done(failure);
    });
  }

  close(): void {
    this.#closed = true;
    this.#opened?.db.close();
  }

  #enqueue(work: () => Promise<() => void>): void {
    this.#queue = this.#queue.then(work).then((report) => {
      if (this.#closed) return;
      // On its own, so that an error thrown by the listener is its own and reaches the thread's error handler.
      queueMicrotask(report);
    });
  }

  /** Our own mistakes, found at the call. Returns the index with which the log will end. */
  #check({ hardState, truncateFrom, entries }: LogWrite): LogIndex {
    assert(this.#opened !== null, "write before the storage was loaded");
    if (hardState !== null) assertHardState(hardState);
    let last = this.#issuedLastIndex;
    if (truncateFrom !== null) {
      assert(truncateFrom >= this.#opened.meta.firstIndex, `truncation from ${truncateFrom}`);
      last = Math.min(last, truncateFrom - 1);
    }
    const first = entries[0];
    if (first === undefined) return last;
    assert(first.index === last + 1, `entry ${first.index} appended to a log that ends at ${last}`);
    assertEntries(entries);
    return last + entries.length;
  }

  async #load(): Promise<StoredState | StorageFailed> {
    let db: NodeDatabase | null = null;
    try {
      db = await openNodeDatabase(this.#options, (reason) => this.#lose(reason));
      const { state, ...found } = await recover(db, this.#options.topic, this.#options.nodeId);
      if (this.#failure !== null) throw this.#failure;
      this.#opened = { db, ...found };
      this.#issuedLastIndex = found.meta.lastIndex;
      if (this.#closed) db.close();
      return state;
    } catch (error) {
      db?.close();
      return this.#fail(toStorageFailed("opening", error));
    }
  }

  async #write(write: LogWrite): Promise<StorageFailed | null> {
    const opened = this.#opened;
    if (this.#failure !== null || opened === null) return this.#failure ?? new StorageFailed("lost", "the storage is not open");
    try {
      const kept = await this.#entriesKept(opened, write.truncateFrom);
      const plan = makePlan(opened, write, kept, this.durability);
      const errors = await commit(opened.db, plan);
      if (errors.length > 0) throw toStorageFailed("writing", ...errors);
      follow(opened, plan);
    } catch (error) {
      this.#fail(toStorageFailed("writing", error));
    }
    return this.#failure;
  }

  /** The entries before a cut that falls inside a record. Read before the write's transaction begins; nobody else writes. */
  async #entriesKept({ db, records }: Opened, truncateFrom: LogIndex | null): Promise<readonly Entry[]> {
    const split = truncateFrom === null ? null : records.splitBy(truncateFrom);
    if (split === null || truncateFrom === null) return [];
    const value: unknown = await db.get("log", split.firstIndex);
    const decoded = decodeRecord(value);
    if (!decoded.ok) throw new StorageFailed(decoded.kind, `log record ${split.firstIndex}: ${decoded.message}`);
    return decoded.value.entries.filter(({ index }) => index < truncateFrom);
  }

  #lose(reason: string): void {
    this.#fail(new StorageFailed("lost", reason));
    this.#opened?.db.close();
  }

  /** Keeps the first failure, and returns it. */
  #fail(failure: StorageFailed): StorageFailed {
    if (this.#failure !== null) return this.#failure;
    this.#failure = failure;
    if (!this.#closed) this.#options.onFailure?.(failure);
    return failure;
  }
}

function makePlan(opened: Opened, write: LogWrite, kept: readonly Entry[], durability: Durability): Plan {
  const { meta, records } = opened;
  const { truncateFrom, entries } = write;
  let lastIndex = truncateFrom === null ? records.lastIndex : Math.min(records.lastIndex, truncateFrom - 1);
  let chain = truncateFrom === null ? records.lastChain : records.chainBefore(truncateFrom);
  const puts: { firstIndex: LogIndex; count: number; bytes: Uint8Array<ArrayBuffer> }[] = [];
  for (const batch of [kept, entries]) {
    const first = batch[0];
    if (first === undefined) continue;
    const bytes = encodeRecord(chain, batch);
    puts.push({ firstIndex: first.index, count: batch.length, bytes });
    chain = checksumOf(bytes);
    lastIndex = first.index + batch.length - 1;
  }
  const next: Meta = {
    ...meta,
    hardState: write.hardState ?? meta.hardState,
    commitIndex: Math.min(write.commitIndex, lastIndex),
    lastIndex,
    lastChain: chain,
  };
  // What is known to be committed is only a help for the next start.
  const commitIndexAlone = write.hardState === null && truncateFrom === null && entries.length === 0;
  return {
    durability: write.hardState !== null ? "strict" : commitIndexAlone ? "relaxed" : durability,
    deleteFrom: truncateFrom,
    puts,
    meta: next,
    metaBytes: encodeMeta(next),
  };
}

/** Returns what went wrong; nothing once all of the plan is durable. All requests are made before the first of them runs. */
async function commit(db: NodeDatabase, plan: Plan): Promise<unknown[]> {
  const transaction = db.transaction(["meta", "log"], "readwrite", { durability: plan.durability });
  const requests: Promise<unknown>[] = [transaction.done];
  try {
    const log = transaction.objectStore("log");
    if (plan.deleteFrom !== null) requests.push(log.delete(IDBKeyRange.lowerBound(plan.deleteFrom)));
    for (const { firstIndex, bytes } of plan.puts) requests.push(log.put(bytes, firstIndex));
    requests.push(transaction.objectStore("meta").put(plan.metaBytes, META_KEY));
    transaction.commit();
  } catch (error) {
    // What was already requested would be committed without the rest.
    transaction.abort();
    return [error, ...(await rejections(requests))];
  }
  return rejections(requests);
}

function follow(opened: Opened, plan: Plan): void {
  if (plan.deleteFrom !== null) opened.records.truncate(plan.deleteFrom);
  for (const { firstIndex, count, bytes } of plan.puts) {
    opened.records.append({ firstIndex, count, checksum: checksumOf(bytes), bytes: bytes.length });
  }
  opened.meta = plan.meta;
  opened.metaBytes = plan.metaBytes.length;
}
