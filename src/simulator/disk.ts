/** A disk that forgets what was not durable: a write takes time, and a crash before its end undoes it, or not; nothing between. */
import { type LogStorage, type LogWrite, StorageFailed, type StoredState } from "../driver/interfaces.ts";
import { pristineHardState } from "../raft/mod.ts";
import type { Entry, HardState, LogIndex, Snapshot, SnapshotMeta, SnapshotWrite, Term } from "../raft/types.ts";
import type { World } from "./world.ts";

export interface DiskFaults {
  /** Milliseconds of a write: from 0 to this. */
  maxDelayMs: number;
  /** Percent of writes that hang for `hangMs`. */
  hangPercent: number;
  hangMs: number;
}

export class SimulatedDisk implements LogStorage {
  /** What a crash leaves. */
  hardState: HardState = pristineHardState;
  snapshot: Snapshot | null = null;
  baseIndex: LogIndex = 0;
  baseTerm: Term = 0;
  entries: Entry[] = [];
  commitIndex: LogIndex = 0;
  #inFlight: (() => void) | null = null;
  #life = 0;
  #fenced = false;
  readonly #world: World;
  readonly #faults: DiskFaults;

  constructor(world: World, faults: DiskFaults) {
    this.#world = world;
    this.#faults = faults;
  }

  load(done: (result: StoredState | StorageFailed) => void): void {
    const life = this.#life;
    this.#world.schedule(this.#world.now() + 1, () => {
      if (life !== this.#life) return;
      const { hardState, snapshot, baseTerm, commitIndex } = this;
      done({ hardState, snapshot, firstIndex: this.baseIndex + 1, baseTerm, entries: [...this.entries], commitIndex });
    });
  }

  persist(write: LogWrite, done: (failure: StorageFailed | null) => void): void {
    this.#later(() => this.#write(write), done);
  }

  saveSnapshot(write: SnapshotWrite, done: (failure: StorageFailed | null) => void): void {
    this.#later(() => this.#replace(write), done);
  }

  snapshotMeta(): SnapshotMeta | null {
    return this.snapshot;
  }

  #later(work: () => void, done: (failure: StorageFailed | null) => void): void {
    const life = this.#life;
    const { maxDelayMs, hangPercent, hangMs } = this.#faults;
    this.#inFlight = work;
    const delay = this.#world.below(maxDelayMs + 1) + (this.#world.chance(hangPercent) ? hangMs : 0);
    this.#world.schedule(this.#world.now() + delay, () => {
      if (life !== this.#life) return;
      this.#inFlight = null;
      if (this.#fenced) return done(new StorageFailed("full", "no space is left"));
      work();
      done(null);
    });
  }

  /** From now on every write fails, as with a full quota. */
  fail(): void {
    this.#fenced = true;
  }

  heal(): void {
    this.#faults.hangPercent = 0;
  }

  /** The process is gone: the write under way became durable, or did not. Nobody is told. */
  crash(): void {
    if (this.#inFlight && !this.#fenced && this.#world.chance(50)) this.#inFlight();
    this.close();
  }

  close(): void {
    this.#inFlight = null;
    this.#fenced = false;
    this.#life++;
  }

  #write(write: LogWrite): void {
    if (write.hardState) this.hardState = write.hardState;
    if (write.truncateFrom !== null) this.entries.length = Math.min(this.entries.length, write.truncateFrom - this.baseIndex - 1);
    for (const entry of write.entries) {
      if (entry.index !== this.baseIndex + this.entries.length + 1)
        throw new Error(`the disk was asked to leave a gap before ${entry.index}`);
      this.entries.push(entry);
    }
    this.commitIndex = write.commitIndex;
  }

  #replace({ snapshot, compactThrough, reset }: SnapshotWrite): void {
    this.snapshot = snapshot;
    this.baseTerm = reset ? snapshot.term : (this.termAt(compactThrough) ?? 0);
    this.entries = reset ? [] : this.entries.slice(compactThrough - this.baseIndex);
    this.baseIndex = compactThrough;
  }

  /** Of an entry that is durable here; `null` if none is. */
  termAt(index: LogIndex): Term | null {
    if (index === this.baseIndex) return this.baseTerm;
    return this.entries[index - this.baseIndex - 1]?.term ?? null;
  }

  /** Whether the entry, or a snapshot that stands for it, is durable here. */
  holds(index: LogIndex, term: Term): boolean {
    return index <= (this.snapshot?.index ?? 0) || this.termAt(index) === term;
  }
}
