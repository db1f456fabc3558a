/**
 * Group commit: one write under way, everything asked for meanwhile folds into the next. Keeps the gate: a message leaves only when
 * every hard state that its update knew of is durable.
 */
import { lastIndex, lastTerm, type RaftState } from "../raft/mod.ts";
import type { Entry, HardState, LogIndex, Message, SnapshotWrite, Term, Update, WriteId } from "../raft/types.ts";
import type { LogStorage, StorageFailed } from "./interfaces.ts";

/** Where the log ends once the write is durable. */
export interface LogEnd {
  readonly index: LogIndex;
  readonly term: Term;
}

function endOf({ log }: Readonly<RaftState>): LogEnd {
  return { index: lastIndex(log), term: lastTerm(log) };
}

interface FoldedWrite {
  readonly kind: "write";
  write: WriteId;
  hardState: HardState | null;
  truncateFrom: LogIndex | null;
  entries: Entry[];
  end: LogEnd;
}

interface QueuedSnapshot {
  readonly kind: "snapshot";
  readonly write: SnapshotWrite;
}

interface GatedMessages {
  readonly after: WriteId;
  readonly messages: readonly Message[];
}

export interface WriteQueueHandlers {
  onDurable(write: WriteId, end: LogEnd): void;
  onSnapshotDurable(index: LogIndex, term: Term): void;
  onFailed(failure: StorageFailed): void;
  send(message: Message): void;
}

export class WriteQueue {
  readonly #queued: (FoldedWrite | QueuedSnapshot)[] = [];
  #writing = false;
  #failed = false;
  #durable: WriteId = 0;
  #lastHardState: WriteId = 0;
  #gated: GatedMessages[] = [];
  #end: LogEnd;
  #storedCommitIndex: LogIndex;
  readonly #storage: LogStorage;
  readonly #handlers: WriteQueueHandlers;

  constructor(storage: LogStorage, core: Readonly<RaftState>, handlers: WriteQueueHandlers) {
    this.#storage = storage;
    this.#end = endOf(core);
    this.#storedCommitIndex = core.commitIndex;
    this.#handlers = handlers;
  }

  get idle(): boolean {
    return !this.#writing && this.#queued.length === 0;
  }

  get storedCommitIndex(): LogIndex {
    return this.#storedCommitIndex;
  }

  /** Rules 1 to 5 of `Update`, which `core` has just made. */
  add(update: Update, core: Readonly<RaftState>): void {
    if (update.write !== 0) this.#fold(update, endOf(core));
    if (update.snapshot) this.#queued.push({ kind: "snapshot", write: update.snapshot });
    if (update.hardState) this.#lastHardState = update.write;
    // The disk first: it takes longest.
    this.flush(core.commitIndex);
    if (update.messages.length === 0) return;
    if (this.#gated.length === 0 && this.#lastHardState <= this.#durable && !this.#failed) return this.#send(update.messages);
    this.#gated.push({ after: this.#lastHardState, messages: update.messages });
    this.#release();
  }

  #fold(update: Update, end: LogEnd): void {
    const folded = this.#openWrite(end);
    const from = update.truncateFrom;
    if (from !== null) {
      folded.truncateFrom = Math.min(folded.truncateFrom ?? from, from);
      folded.entries = folded.entries.filter((entry) => entry.index < from);
    }
    if (folded.entries.length === 0) folded.entries = update.entries.slice();
    else for (const entry of update.entries) folded.entries.push(entry);
    folded.hardState = update.hardState ?? folded.hardState;
    folded.write = update.write;
    folded.end = end;
  }

  /** The last in the queue, unless a snapshot stands there: what is written after it must stay after it. */
  #openWrite(end: LogEnd): FoldedWrite {
    const last = this.#queued.at(-1);
    if (last?.kind === "write") return last;
    const opened: FoldedWrite = { kind: "write", write: 0, hardState: null, truncateFrom: null, entries: [], end };
    this.#queued.push(opened);
    return opened;
  }

  /** Starts the next write, if none is under way. */
  flush(commitIndex: LogIndex): void {
    if (this.#writing || this.#failed) return;
    const next = this.#queued.shift();
    if (next?.kind === "write") this.#persist(next, commitIndex);
    if (next?.kind === "snapshot") this.#saveSnapshot(next.write);
  }

  #persist({ write, hardState, truncateFrom, entries, end }: FoldedWrite, commitIndex: LogIndex): void {
    this.#end = end;
    const stored = Math.min(commitIndex, end.index);
    this.#writing = true;
    this.#storage.persist({ hardState, truncateFrom, entries, commitIndex: stored }, (failure) =>
      this.#finish(failure, () => {
        this.#storedCommitIndex = Math.max(this.#storedCommitIndex, stored);
        this.#durable = write;
        this.#release();
        this.#handlers.onDurable(write, end);
      }),
    );
  }

  #saveSnapshot(write: SnapshotWrite): void {
    const { index, term } = write.snapshot;
    if (write.reset) this.#end = { index, term };
    this.#writing = true;
    this.#storage.saveSnapshot(write, (failure) => this.#finish(failure, () => this.#handlers.onSnapshotDurable(index, term)));
  }

  /** The commit index alone, after a quiet moment. It gates nothing. */
  storeCommitIndex(commitIndex: LogIndex): void {
    if (!this.idle || this.#failed || commitIndex <= this.#storedCommitIndex) return;
    const stored = Math.min(commitIndex, this.#end.index);
    this.#writing = true;
    this.#storage.persist({ hardState: null, truncateFrom: null, entries: [], commitIndex: stored }, (failure) =>
      this.#finish(failure, () => {
        this.#storedCommitIndex = Math.max(this.#storedCommitIndex, stored);
        this.flush(commitIndex);
      }),
    );
  }

  /** The first failed write fences every later one, and everything that waited to be said. */
  #finish(failure: StorageFailed | null, done: () => void): void {
    this.#writing = false;
    if (this.#failed) return;
    if (!failure) return done();
    this.#failed = true;
    this.#gated = [];
    this.#handlers.onFailed(failure);
  }

  #release(): void {
    let released = 0;
    for (const { after, messages } of this.#gated) {
      if (after > this.#durable || this.#failed) break;
      released++;
      this.#send(messages);
    }
    if (released > 0) this.#gated.splice(0, released);
  }

  #send(messages: readonly Message[]): void {
    for (const message of messages) this.#handlers.send(message);
  }
}
