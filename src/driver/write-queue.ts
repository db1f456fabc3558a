/**
 * Group commit: one write under way, everything asked for meanwhile folds into the next. Keeps the gate: a message leaves only when
 * every hard state that its update knew of is durable.
 */
import type { Entry, HardState, LogIndex, Message, Term, Update, WriteId } from "../raft/types.ts";
import type { LogStorage, LogWrite, StorageFailed } from "./interfaces.ts";

/** Where the log ends once the write is durable. */
export interface LogEnd {
  readonly index: LogIndex;
  readonly term: Term;
}

interface FoldedWrite {
  write: WriteId;
  hardState: HardState | null;
  truncateFrom: LogIndex | null;
  entries: Entry[];
  end: LogEnd;
}

interface GatedMessages {
  readonly after: WriteId;
  readonly messages: readonly Message[];
}

export interface WriteQueueHandlers {
  onDurable(write: WriteId, end: LogEnd): void;
  onFailed(failure: StorageFailed): void;
  send(message: Message): void;
}

export class WriteQueue {
  #folded: FoldedWrite | null = null;
  #writing = false;
  #failed = false;
  #durable: WriteId = 0;
  #lastHardState: WriteId = 0;
  #gated: GatedMessages[] = [];
  #end: LogEnd;
  #storedCommitIndex: LogIndex;
  readonly #storage: LogStorage;
  readonly #handlers: WriteQueueHandlers;

  constructor(storage: LogStorage, end: LogEnd, commitIndex: LogIndex, handlers: WriteQueueHandlers) {
    this.#storage = storage;
    this.#end = end;
    this.#storedCommitIndex = commitIndex;
    this.#handlers = handlers;
  }

  get idle(): boolean {
    return !this.#writing && this.#folded === null;
  }

  get storedCommitIndex(): LogIndex {
    return this.#storedCommitIndex;
  }

  /** Rules 1 to 4 of `Update`. `end`: where the core's log ends after it. */
  add(update: Update, end: LogEnd, commitIndex: LogIndex): void {
    if (update.write !== 0) this.#fold(update, end);
    if (update.hardState) this.#lastHardState = update.write;
    if (update.messages.length > 0) this.#gated.push({ after: this.#lastHardState, messages: update.messages });
    // The disk first: sending has a cost of its own, and needs no hurry that the disk has not.
    this.flush(commitIndex);
    this.#release();
  }

  #fold(update: Update, end: LogEnd): void {
    const folded = this.#folded ?? { write: 0, hardState: null, truncateFrom: null, entries: [], end };
    const from = update.truncateFrom;
    if (from !== null) {
      folded.truncateFrom = Math.min(folded.truncateFrom ?? from, from);
      folded.entries = folded.entries.filter((entry) => entry.index < from);
    }
    for (const entry of update.entries) folded.entries.push(entry);
    folded.hardState = update.hardState ?? folded.hardState;
    folded.write = update.write;
    folded.end = end;
    this.#folded = folded;
  }

  /** Starts the next write, if none is under way. */
  flush(commitIndex: LogIndex): void {
    if (this.#writing || this.#failed || !this.#folded) return;
    const folded = this.#folded;
    this.#folded = null;
    this.#end = folded.end;
    this.#persist({ ...folded, commitIndex: Math.min(commitIndex, folded.end.index) }, () => {
      this.#durable = folded.write;
      this.#release();
      this.#handlers.onDurable(folded.write, folded.end);
    });
  }

  /** The commit index alone, after a quiet moment. It gates nothing. */
  storeCommitIndex(commitIndex: LogIndex): void {
    if (!this.idle || this.#failed || commitIndex <= this.#storedCommitIndex) return;
    const write = { hardState: null, truncateFrom: null, entries: [], commitIndex: Math.min(commitIndex, this.#end.index) };
    this.#persist(write, () => this.flush(write.commitIndex));
  }

  #persist(write: LogWrite, done: () => void): void {
    this.#writing = true;
    this.#storage.persist(write, (failure) => {
      this.#writing = false;
      if (this.#failed) return;
      if (failure) {
        // The first failed write fences every later one, and everything that waited to be said.
        this.#failed = true;
        this.#gated = [];
        this.#handlers.onFailed(failure);
        return;
      }
      this.#storedCommitIndex = Math.max(this.#storedCommitIndex, write.commitIndex);
      done();
    });
  }

  #release(): void {
    while (this.#gated[0] && this.#gated[0].after <= this.#durable && !this.#failed) {
      const gated = this.#gated.shift();
      for (const message of gated?.messages ?? []) this.#handlers.send(message);
    }
  }
}
