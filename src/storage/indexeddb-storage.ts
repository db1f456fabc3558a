/**
 * The durable log of one node in IndexedDB. One write is one transaction; it is acknowledged when the transaction is complete,
 * and after the first one that fails nothing is written any more: a hole in the log would be worse than a node that stops.
 */
import { type LogStorage, type LogWrite, StorageFailed, type StoredState } from "../driver/interfaces.ts";
import type { Entry, LogIndex, SnapshotMeta, SnapshotWrite, Term } from "../raft/types.ts";
import { assert } from "./assert.ts";
import { toStorageFailed } from "./failure.ts";
import { type LogSpan, spanAfterSnapshot, spanAfterWrite } from "./log-span.ts";
import { assertHardState } from "./meta.ts";
import { type NodeDatabase, type NodeDatabaseOptions, openNodeDatabase } from "./node-database.ts";
import { assertEntries, checksumOf, decodeRecord } from "./record.ts";
import type { RecordPlace } from "./record-list.ts";
import { recover } from "./recovery.ts";
import { assertSnapshot, snapshotMetaOf } from "./snapshot-record.ts";
import { commitPlan, followPlan, type Opened, type Plan, planSnapshot, planWrite, spanOf } from "./write-plan.ts";

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

export class IndexedDbStorage implements LogStorage {
  readonly #options: IndexedDbStorageOptions;
  #opened: Opened | null = null;
  #failure: StorageFailed | null = null;
  #loading = false;
  #closed = false;
  /** What is stored once every write that was issued is done; `null` before it is loaded. */
  #issued: LogSpan | null = null;
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
    if (this.#opened === null) return 0;
    const { records, metaBytes, snapshotBytes } = this.#opened;
    return records.bytes + metaBytes + snapshotBytes;
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
    this.#check((issued) => {
      if (write.hardState !== null) assertHardState(write.hardState);
      if (write.entries.length > 0) assertEntries(write.entries);
      return spanAfterWrite(issued, write);
    });
    this.#enqueueWrite(async (opened) => {
      const kept = await entriesKept(opened, write.truncateFrom);
      return planWrite(opened, write, kept, this.durability);
    }, done);
  }

  /** Always strict. */
  saveSnapshot(write: SnapshotWrite, done: (failure: StorageFailed | null) => void): void {
    this.#check((issued) => {
      assertSnapshot(write.snapshot);
      return spanAfterSnapshot(issued, write);
    });
    this.#enqueueWrite(async (opened) => planSnapshot(opened, write, await baseTermAfter(opened, write)), done);
  }

  snapshotMeta(): SnapshotMeta | null {
    return this.#opened?.snapshotMeta ?? null;
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

  /** Our own mistakes, found at the call. */
  #check(advance: (issued: LogSpan) => LogSpan): void {
    assert(!this.#closed, "write after close");
    if (this.#failure !== null) return;
    assert(this.#issued !== null, "write before the storage was loaded");
    this.#issued = advance(this.#issued);
  }

  #enqueueWrite(makePlan: (opened: Opened) => Promise<Plan>, done: (failure: StorageFailed | null) => void): void {
    this.#enqueue(async () => {
      const failure = await this.#write(makePlan);
      return () => done(failure);
    });
  }

  async #load(): Promise<StoredState | StorageFailed> {
    let db: NodeDatabase | null = null;
    try {
      db = await openNodeDatabase(this.#options, (reason) => this.#lose(reason));
      const { state, ...found } = await recover(db, this.#options.topic, this.#options.nodeId);
      if (this.#failure !== null) throw this.#failure;
      this.#opened = { db, ...found, snapshotMeta: state.snapshot && snapshotMetaOf(state.snapshot) };
      this.#issued = spanOf(found.meta);
      if (this.#closed) db.close();
      return state;
    } catch (error) {
      db?.close();
      return this.#fail(toStorageFailed("opening", error));
    }
  }

  async #write(makePlan: (opened: Opened) => Promise<Plan>): Promise<StorageFailed | null> {
    const opened = this.#opened;
    if (this.#failure !== null || opened === null) return this.#failure ?? new StorageFailed("lost", "the storage is not open");
    try {
      const plan = await makePlan(opened);
      const errors = await commitPlan(opened.db, plan);
      if (errors.length > 0) throw toStorageFailed("writing", ...errors);
      followPlan(opened, plan);
    } catch (error) {
      this.#fail(toStorageFailed("writing", error));
    }
    return this.#failure;
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

/** The entries before a cut that falls inside a record. */
async function entriesKept(opened: Opened, truncateFrom: LogIndex | null): Promise<readonly Entry[]> {
  const split = truncateFrom === null ? null : opened.records.splitBy(truncateFrom);
  if (split === null || truncateFrom === null) return [];
  return (await readRecord(opened, split)).filter(({ index }) => index < truncateFrom);
}

/** The term of the last entry that the write compacts away. */
async function baseTermAfter(opened: Opened, { snapshot, compactThrough, reset }: SnapshotWrite): Promise<Term> {
  if (reset) return snapshot.term;
  const { meta, records } = opened;
  if (compactThrough < meta.firstIndex) return meta.baseTerm;
  const place = records.holding(compactThrough);
  assert(place !== null, `no record holds entry ${compactThrough}`);
  const term = (await readRecord(opened, place)).find(({ index }) => index === compactThrough)?.term;
  assert(term !== undefined, `entry ${compactThrough} is not in its record`);
  const isSnapshotTerm = compactThrough < snapshot.index || term === snapshot.term;
  assert(isSnapshotTerm, `entry ${compactThrough} is of term ${term}, and of term ${snapshot.term} in the snapshot`);
  return term;
}

/** Read before a write's transaction begins; nobody else writes. */
async function readRecord({ db }: Opened, { firstIndex, checksum }: RecordPlace): Promise<readonly Entry[]> {
  const value: unknown = await db.get("log", firstIndex);
  const decoded = decodeRecord(value);
  if (!decoded.ok) throw new StorageFailed(decoded.kind, `log record ${firstIndex}: ${decoded.message}`);
  if (value instanceof Uint8Array && checksumOf(value) === checksum) return decoded.value.entries;
  throw new StorageFailed("damaged", `log record ${firstIndex} is not the one that was written last`);
}
