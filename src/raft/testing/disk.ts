/** A disk whose writes wait: what is queued is gone after a crash, what was completed is there. */
import { pristineHardState } from "../state.ts";
import type { Entry, HardState, LogIndex, Snapshot, SnapshotWrite, Term, Update, WriteId } from "../types.ts";

export interface Stored {
  readonly hardState: HardState;
  readonly snapshot: Snapshot | null;
  readonly baseIndex: LogIndex;
  readonly baseTerm: Term;
  readonly entries: readonly Entry[];
  readonly commitIndex: LogIndex;
}

export const pristineStored: Stored = {
  hardState: pristineHardState,
  snapshot: null,
  baseIndex: 0,
  baseTerm: 0,
  entries: [],
  commitIndex: 0,
};

export type QueuedWrite =
  | {
      readonly kind: "write";
      readonly update: Update;
      readonly end: { readonly index: LogIndex; readonly term: Term };
      readonly commitIndex: LogIndex;
    }
  | { readonly kind: "snapshot"; readonly write: SnapshotWrite };

export class TestDisk {
  queue: QueuedWrite[] = [];
  durableWrite: WriteId = 0;
  stored: Stored;

  constructor(stored: Stored) {
    this.stored = stored;
  }

  completeOne(): QueuedWrite {
    const next = this.queue.shift();
    if (!next) throw new Error("no write is under way");
    if (next.kind === "snapshot") this.#replace(next.write);
    else this.#write(next.update, Math.min(next.commitIndex, next.end.index));
    return next;
  }

  #write({ write, hardState, truncateFrom, entries }: Update, commitIndex: LogIndex): void {
    const { baseIndex } = this.stored;
    const kept = truncateFrom === null ? this.stored.entries : this.stored.entries.slice(0, truncateFrom - baseIndex - 1);
    for (let at = 0; at < entries.length; at++)
      if (entries[at]?.index !== baseIndex + kept.length + at + 1)
        throw new Error(`the disk was asked to leave a gap before ${entries[at]?.index}`);
    this.durableWrite = write;
    this.stored = { ...this.stored, hardState: hardState ?? this.stored.hardState, entries: [...kept, ...entries], commitIndex };
  }

  #replace({ snapshot, compactThrough, reset }: SnapshotWrite): void {
    const { baseIndex, baseTerm, entries } = this.stored;
    const cutTerm = compactThrough === baseIndex ? baseTerm : (entries[compactThrough - baseIndex - 1]?.term ?? 0);
    this.stored = {
      ...this.stored,
      snapshot,
      baseIndex: compactThrough,
      baseTerm: reset ? snapshot.term : cutTerm,
      entries: reset ? [] : entries.slice(compactThrough - baseIndex),
    };
  }
}
