/**
 * The durable log of one node in IndexedDB. One write is one transaction; it is acknowledged when the transaction is complete,
 * and after the first one that fails nothing is written any more: a hole in the log would be worse than a node that stops. Only a lost
 * connection is made anew, once, and only if the disk then shows what was written last, with or without the write that was under way.
 */
import { type LogStorage, type LogWrite, StorageFailed, type StoredState } from "../driver/interfaces.ts";
import type { SnapshotMeta, SnapshotWrite } from "../raft/types.ts";
import { assert } from "./assert.ts";
import { assertEntries } from "./entry-record.ts";
import { toStorageFailed } from "./failure.ts";
import { assertHardState } from "./hard-state-record.ts";
import { type LogSpan, spanAfterSnapshot, spanAfterWrite } from "./log-span.ts";
import { type NodeDatabase, type NodeDatabaseOptions, openNodeDatabase } from "./node-database.ts";
import { recover } from "./recovery.ts";
import { assertSnapshot, snapshotMetaOf } from "./snapshot-record.ts";
import {
  commitPlan,
  followPlan,
  markAfter,
  markOf,
  type Opened,
  type Plan,
  planSnapshot,
  planWrite,
  spanOf,
} from "./write-plan.ts";

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
    this.#enqueueWrite((opened) => planWrite(opened, write, this.durability), done);
  }

  /** Always strict. */
  saveSnapshot(write: SnapshotWrite, done: (failure: StorageFailed | null) => void): void {
    this.#check((issued) => {
      assertSnapshot(write.snapshot);
      return spanAfterSnapshot(issued, write);
    });
    this.#enqueueWrite((opened) => planSnapshot(opened, write), done);
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

  #enqueueWrite(makePlan: (opened: Opened) => Plan, done: (failure: StorageFailed | null) => void): void {
    this.#enqueue(async () => {
      await this.#write(makePlan);
      const failure = this.#failure;
      return () => done(failure);
    });
  }

  async #load(): Promise<StoredState | StorageFailed> {
    try {
      const { opened, state } = await this.#open(this.#options.create);
      if (this.#failure !== null) throw this.#failure;
      this.#opened = opened;
      this.#issued = spanOf(opened.meta);
      return state;
    } catch (error) {
      return this.#fail(toStorageFailed("opening", error));
    }
  }

  async #open(create: boolean): Promise<{ readonly opened: Opened; readonly state: StoredState }> {
    let db: NodeDatabase | null = null;
    try {
      db = await openNodeDatabase({ ...this.#options, create }, (reason) => this.#lose(db, reason));
      const { state, ...found } = await recover(db, this.#options.topic, this.#options.nodeId);
      if (this.#closed) db.close();
      return { opened: { db, ...found, snapshotMeta: state.snapshot && snapshotMetaOf(state.snapshot) }, state };
    } catch (error) {
      db?.close();
      throw error;
    }
  }

  async #write(makePlan: (opened: Opened) => Plan): Promise<void> {
    if (this.#failure !== null) return;
    try {
      const opened = this.#opened;
      if (opened === null) throw new StorageFailed("lost", "the storage is not open");
      const plan = makePlan(opened);
      const failure = await this.#commit(opened, plan);
      if (failure === null) return followPlan(opened, plan);
      // An outcome that is not known: the disk is asked, once.
      if (failure.kind !== "lost") throw failure;
      const before = markOf(opened);
      const after = markAfter(opened, plan);
      const again = await this.#reopen(opened, failure);
      const found = markOf(again);
      if (found === after) return;
      if (found !== before) throw new StorageFailed("lost", "another worker has written what this node stores");
      const second = await this.#commit(again, plan);
      if (second !== null) throw second;
      followPlan(again, plan);
    } catch (error) {
      this.#fail(toStorageFailed("writing", error));
    }
  }

  async #commit({ db }: Opened, plan: Plan): Promise<StorageFailed | null> {
    const errors = await commitPlan(db, plan);
    return errors.length === 0 ? null : toStorageFailed("writing", ...errors);
  }

  /** Rejects with `failure`, or with what is wrong with what it finds. */
  async #reopen(lost: Opened, failure: StorageFailed): Promise<Opened> {
    lost.db.close();
    if (this.#closed) throw failure;
    const { opened } = await this.#open(false);
    this.#opened = opened;
    return opened;
  }

  /** The connection is gone, perhaps while nothing is written: whether the disk still has what it should is asked at once. */
  #lose(db: NodeDatabase | null, reason: string): void {
    db?.close();
    this.#enqueue(async () => {
      const opened = this.#opened;
      const isGone = this.#failure === null && !this.#closed && (opened === null || opened.db === db);
      if (isGone) await this.#find(opened, new StorageFailed("lost", reason));
      return () => undefined;
    });
  }

  async #find(opened: Opened | null, failure: StorageFailed): Promise<void> {
    try {
      if (opened === null) throw failure;
      const before = markOf(opened);
      if (markOf(await this.#reopen(opened, failure)) !== before) throw failure;
    } catch (error) {
      const { kind, message } = toStorageFailed("opening", error);
      this.#fail(
        new StorageFailed(
          kind === "damaged" ? "lost" : kind,
          message === failure.message ? message : `${failure.message}; ${message}`,
        ),
      );
    }
  }

  /** Keeps the first failure, and returns it. */
  #fail(failure: StorageFailed): StorageFailed {
    if (this.#failure !== null) return this.#failure;
    this.#failure = failure;
    this.#opened?.db.close();
    if (!this.#closed) this.#options.onFailure?.(failure);
    return failure;
  }
}
