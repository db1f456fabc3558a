/** A log in memory whose writes become durable when it is told so: for tests, and for those who build on the library. Pure. */
import type { LogStorage, LogWrite, StorageFailed, StoredState } from "../driver/interfaces.ts";
import type { Entry, HardState, LogIndex, Snapshot, SnapshotMeta, SnapshotWrite, Term } from "../raft/types.ts";
import { assert } from "./assert.ts";
import { clampCommitIndex, type LogSpan, spanAfterSnapshot, spanAfterWrite } from "./log-span.ts";
import { assertSnapshot, snapshotMetaOf } from "./snapshot-record.ts";

/** What survives a crash. Give the same disk to a new `MemoryStorage` to restart the node. */
export class MemoryDisk {
  #hardState: HardState = { currentTerm: 0, votedFor: null, generation: null };
  #commitIndex: LogIndex = 0;
  #snapshot: Snapshot | null = null;
  #span: LogSpan = { firstIndex: 1, lastIndex: 0, snapshotIndex: 0 };
  #baseTerm: Term = 0;
  #entries: Entry[] = [];

  get span(): LogSpan {
    return this.#span;
  }

  read(): StoredState {
    return {
      hardState: this.#hardState,
      snapshot: this.#snapshot,
      baseTerm: this.#baseTerm,
      entries: this.#entries.slice(),
      firstIndex: this.#span.firstIndex,
      commitIndex: this.#commitIndex,
    };
  }

  apply(write: LogWrite): void {
    const span = spanAfterWrite(this.#span, write);
    this.#hardState = write.hardState ?? this.#hardState;
    if (write.truncateFrom !== null) this.#entries.splice(write.truncateFrom - span.firstIndex);
    for (const entry of write.entries) this.#entries.push(entry);
    this.#span = span;
    this.#commitIndex = clampCommitIndex(write.commitIndex, span);
  }

  applySnapshot(write: SnapshotWrite): void {
    const span = spanAfterSnapshot(this.#span, write);
    const dropped = write.reset ? this.#entries.length : span.firstIndex - this.#span.firstIndex;
    const lastDropped = this.#entries.splice(0, dropped).at(-1);
    this.#baseTerm = write.reset ? write.snapshot.term : (lastDropped?.term ?? this.#baseTerm);
    this.#snapshot = write.snapshot;
    this.#span = span;
    this.#commitIndex = clampCommitIndex(this.#commitIndex, span);
  }
}

export class MemoryStorage implements LogStorage {
  readonly #disk: MemoryDisk;
  readonly #defer: (complete: () => void) => void;
  /** In the order of issue; `defer` may complete them in any. */
  readonly #waiting: (() => void)[] = [];
  /** What will be on the disk once every write that was issued is done. */
  #issued: LogSpan;
  #snapshotMeta: SnapshotMeta | null = null;
  #closed = false;

  /** `defer` calls what it is given once, later, never at once; until then a write is not durable, and a close loses it. */
  constructor(disk: MemoryDisk, defer: (complete: () => void) => void) {
    this.#disk = disk;
    this.#issued = disk.span;
    this.#defer = defer;
  }

  load(done: (result: StoredState | StorageFailed) => void): void {
    this.#enqueue(() => {
      const state = this.#disk.read();
      this.#snapshotMeta = state.snapshot && snapshotMetaOf(state.snapshot);
      done(state);
    });
  }

  persist(write: LogWrite, done: (failure: StorageFailed | null) => void): void {
    this.#issued = spanAfterWrite(this.#issued, write);
    this.#enqueue(() => {
      this.#disk.apply(write);
      done(null);
    });
  }

  saveSnapshot(write: SnapshotWrite, done: (failure: StorageFailed | null) => void): void {
    assertSnapshot(write.snapshot);
    this.#issued = spanAfterSnapshot(this.#issued, write);
    this.#enqueue(() => {
      this.#disk.applySnapshot(write);
      this.#snapshotMeta = snapshotMetaOf(write.snapshot);
      done(null);
    });
  }

  snapshotMeta(): SnapshotMeta | null {
    return this.#snapshotMeta;
  }

  close(): void {
    this.#closed = true;
  }

  #enqueue(complete: () => void): void {
    assert(!this.#closed, "use after close");
    this.#waiting.push(complete);
    let inside = true;
    this.#defer(() => {
      assert(!inside, "completed from inside the call");
      const oldest = this.#waiting.shift();
      if (!this.#closed) oldest?.();
    });
    inside = false;
  }
}
