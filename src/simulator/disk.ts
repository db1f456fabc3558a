/**
 * A disk that forgets what was not durable: a write takes time, and a crash before its end undoes it, or not; nothing between. It can be slow,
 * hang, be full, be damaged, and, where that is asked for, lose a tail of what it called durable.
 */
import { type LogStorage, type LogWrite, StorageFailed, type StoredState } from "../driver/interfaces.ts";
import { pristineHardState } from "../raft/mod.ts";
import type {
  Configuration,
  Entry,
  HardState,
  LogIndex,
  Millis,
  Snapshot,
  SnapshotMeta,
  SnapshotWrite,
  Term,
} from "../raft/types.ts";
import { law } from "./law.ts";
import type { Life, World } from "./world.ts";

export interface DiskFaults {
  /** Milliseconds of a write: from 0 to this. */
  maxDelayMs: Millis;
  /** Percent of writes that hang for up to `hangMs`. */
  hangPercent: number;
  hangMs: Millis;
  /** Entries may be called durable before they are: a crash loses up to so many of the last. Term and vote are always kept. */
  relaxedEntries?: number;
}

export type WriteKind = "hardState" | "entries" | "snapshot";

/** Told of each write as it becomes durable; `true`: the node dies at that very moment, and is not told. */
export type DurableHook = (kind: WriteKind) => boolean;

export class SimulatedDisk implements LogStorage {
  /** What a crash leaves. */
  hardState: HardState = pristineHardState;
  snapshot: Snapshot | null = null;
  baseIndex: LogIndex = 0;
  baseTerm: Term = 0;
  entries: Entry[] = [];
  commitIndex: LogIndex = 0;
  /** A record fails its checksum: found at the next start. */
  damaged = false;
  /** No space is left: every write fails. */
  full = false;
  /** Writes until one fails though those around it would not; `Infinity`: none. */
  failsAfter = Number.POSITIVE_INFINITY;
  /** What the first write that failed in this life would have written. */
  refused: WriteKind | null = null;
  /** Whether the next crash leaves the write that is under way; `null`: by chance. */
  keepsNext: boolean | null = null;
  onDurable: DurableHook = () => false;
  onFault: (kind: "hang" | "slow" | "relaxed" | "full" | "failingWrite") => void = () => undefined;
  #writing: LogWrite | SnapshotWrite | null = null;
  #holder: Life | null = null;
  readonly #world: World;
  readonly faults: DiskFaults;

  constructor(world: World, faults: DiskFaults) {
    this.#world = world;
    this.faults = faults;
  }

  /** The lock that a node's process takes before it opens its disk: until it dies, frozen or not. */
  get isHeld(): boolean {
    return this.#holder?.alive === true;
  }

  /** For one life of its node. `mayAct`: asked before each write; a node that has just died writes nothing more. */
  open(life: Life, mayAct: () => boolean): LogStorage {
    law(
      !this.isHeld || this.#holder === life,
      "One process an identity",
      () => "a second process opened the disk of one that lives",
    );
    this.#holder = life;
    let fenced: StorageFailed | null = null;
    this.refused = null;
    const write = (what: LogWrite | SnapshotWrite, done: (failure: StorageFailed | null) => void): void => {
      if (!mayAct()) return;
      this.#writing = what;
      this.#world.after(
        this.#delay(),
        () => {
          this.#writing = null;
          fenced ??= this.#refusal();
          if (fenced) {
            this.refused ??= kindOf(what);
            return done(fenced);
          }
          this.#apply(what);
          if (!this.onDurable(kindOf(what))) done(null);
        },
        life,
      );
    };
    return {
      load: (done) => {
        this.#world.after(1, () => done(this.#load()), life);
      },
      persist: write,
      saveSnapshot: write,
      snapshotMeta: () => this.snapshot,
      close: () => undefined,
    };
  }

  // ---- by itself: the storage of one life after the other, each ended by a crash ----

  #own: { readonly life: Life; readonly storage: LogStorage } | null = null;

  #ownStorage(): LogStorage {
    if (!this.#own) {
      const life: Life = { alive: true, held: null };
      this.#own = { life, storage: this.open(life, () => true) };
    }
    return this.#own.storage;
  }

  load(done: (result: StoredState | StorageFailed) => void): void {
    this.#ownStorage().load(done);
  }

  persist(write: LogWrite, done: (failure: StorageFailed | null) => void): void {
    this.#ownStorage().persist(write, done);
  }

  saveSnapshot(write: SnapshotWrite, done: (failure: StorageFailed | null) => void): void {
    this.#ownStorage().saveSnapshot(write, done);
  }

  /** In this life every write fails from now on. */
  fail(): void {
    this.full = true;
  }

  close(): void {
    if (!this.#own) return;
    this.#own.life.alive = false;
    this.#own = null;
    this.full = false;
  }

  #load(): StoredState | StorageFailed {
    if (this.damaged) return new StorageFailed("damaged", "a record fails its checksum");
    const { hardState, snapshot, baseTerm, commitIndex } = this;
    return { hardState, snapshot, firstIndex: this.baseIndex + 1, baseTerm, entries: [...this.entries], commitIndex };
  }

  #delay(): Millis {
    const { maxDelayMs, hangPercent, hangMs } = this.faults;
    let delay = this.#world.below(maxDelayMs + 1);
    if (maxDelayMs > 50) this.onFault("slow");
    if (hangPercent > 0 && this.#world.chance(hangPercent)) {
      delay += this.#world.below(hangMs);
      this.onFault("hang");
    }
    return delay;
  }

  #refusal(): StorageFailed | null {
    if (this.failsAfter !== Number.POSITIVE_INFINITY) this.failsAfter--;
    if (this.failsAfter === 0) {
      this.onFault("failingWrite");
      return new StorageFailed("lost", "a write failed");
    }
    if (this.full) this.onFault("full");
    return this.full ? new StorageFailed("full", "no space is left") : null;
  }

  /** As a disk that works. */
  heal(): void {
    this.full = false;
    this.failsAfter = Number.POSITIVE_INFINITY;
    Object.assign(this.faults, { maxDelayMs: Math.min(20, this.faults.maxDelayMs), hangPercent: 0, relaxedEntries: 0 });
  }

  /** What is under way. */
  get writing(): WriteKind | null {
    return this.#writing && kindOf(this.#writing);
  }

  /** The node is gone: the write under way became durable, or did not. Nobody is told. */
  crash(): void {
    const what = this.#writing;
    this.#writing = null;
    const keeps = this.keepsNext ?? this.#world.chance(50);
    this.keepsNext = null;
    if (what && this.#refusal() === null && keeps) this.#apply(what);
    this.close();
    if (this.faults.relaxedEntries) this.#forgetTail(this.faults.relaxedEntries);
  }

  #forgetTail(most: number): void {
    const lost = Math.min(this.#world.below(most + 1), this.entries.length);
    const first = this.baseIndex + this.entries.length - lost + 1;
    if (lost === 0 || (this.snapshot?.index ?? 0) >= first) return;
    this.entries.length -= lost;
    this.commitIndex = Math.min(this.commitIndex, first - 1);
    this.onFault("relaxed");
  }

  #apply(what: LogWrite | SnapshotWrite): void {
    if ("snapshot" in what) this.#replace(what);
    else this.#write(what);
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

  snapshotMeta(): SnapshotMeta | null {
    return this.snapshot;
  }

  // ---- for the laws ----

  get lastIndex(): LogIndex {
    return this.baseIndex + this.entries.length;
  }

  /** Of an entry that is durable here; `null` if none is. */
  termAt(index: LogIndex): Term | null {
    if (index === this.baseIndex) return this.baseTerm;
    return this.entries[index - this.baseIndex - 1]?.term ?? null;
  }

  /** Whether the entry, or a snapshot that stands for it, is durable here; of a node that was set aside, was: it votes no more, so it counts. */
  holds(index: LogIndex, term: Term): boolean {
    return index <= (this.snapshot?.index ?? 0) || this.termAt(index) === term;
  }

  /** The latest that is durable here; `null` without one. */
  configuration(): { readonly index: LogIndex; readonly configuration: Configuration } | null {
    for (let at = this.entries.length - 1; at >= 0; at--) {
      const entry = this.entries[at];
      if (entry?.kind === "configuration") return entry;
    }
    return this.snapshot && { index: this.snapshot.configurationIndex, configuration: this.snapshot.configuration };
  }
}

function kindOf(what: LogWrite | SnapshotWrite): WriteKind {
  if ("snapshot" in what) return "snapshot";
  return what.hardState ? "hardState" : "entries";
}
