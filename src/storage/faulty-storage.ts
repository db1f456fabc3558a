/** Makes any log storage slow, or lets it fail: for tests and for people who want to watch a node whose disk gives up. */
import { type LogStorage, type LogWrite, StorageFailed, type StoredState } from "../driver/interfaces.ts";
import type { Millis, SnapshotMeta, SnapshotWrite } from "../raft/types.ts";

type Done = (failure: StorageFailed | null) => void;

export class FaultyStorage implements LogStorage {
  /** How long each write waits before it is begun. */
  delayMs: Millis = 0;
  readonly #inner: LogStorage;
  readonly #schedule: (delayMs: Millis, fire: () => void) => void;
  readonly #waiting: { readonly begin: (ended: Done) => void; readonly done: Done }[] = [];
  #writesLeft = Number.POSITIVE_INFINITY;
  #kind: StorageFailed["kind"] = "lost";
  #failure: StorageFailed | null = null;
  #closed = false;

  /** `schedule` calls back once, after the delay, never from inside the call. */
  constructor(inner: LogStorage, schedule: (delayMs: Millis, fire: () => void) => void) {
    this.#inner = inner;
    this.#schedule = schedule;
  }

  /** Lets `writes` more writes through, and fails from then on. A storage that has failed stays so until it is opened anew. */
  failAfter(writes: number, kind: StorageFailed["kind"] = "lost"): void {
    this.#writesLeft = writes;
    this.#kind = kind;
  }

  /** What is wrong on purpose, in words. */
  describe(): readonly string[] {
    const slow = this.delayMs > 0 ? [`each write waits ${this.delayMs} ms`] : [];
    const fails = Number.isFinite(this.#writesLeft) ? ["the disk fails"] : [];
    return [...slow, ...fails];
  }

  /** Nothing new goes wrong; a storage that has failed stays so. */
  heal(): void {
    this.delayMs = 0;
    this.#writesLeft = Number.POSITIVE_INFINITY;
  }

  load(done: (result: StoredState | StorageFailed) => void): void {
    this.#inner.load(done);
  }

  persist(write: LogWrite, done: Done): void {
    this.#enqueue((ended) => this.#inner.persist(write, ended), done);
  }

  /** A write like the others: slow, and counted by `failAfter`. */
  saveSnapshot(write: SnapshotWrite, done: Done): void {
    this.#enqueue((ended) => this.#inner.saveSnapshot(write, ended), done);
  }

  snapshotMeta(): SnapshotMeta | null {
    return this.#inner.snapshotMeta();
  }

  close(): void {
    this.#closed = true;
    this.#inner.close();
  }

  #enqueue(begin: (ended: Done) => void, done: Done): void {
    this.#waiting.push({ begin, done });
    if (this.#waiting.length === 1) this.#beginNext();
  }

  #beginNext(): void {
    const next = this.#waiting[0];
    if (next === undefined) return;
    if (this.#failure === null && this.#writesLeft <= 0) this.#failure = new StorageFailed(this.#kind, "made to fail");
    this.#writesLeft -= 1;
    const failing = this.#failure;
    if (failing === null && this.delayMs === 0) {
      next.begin((failure) => this.#end(failure));
      return;
    }
    this.#schedule(this.delayMs, () => {
      if (this.#closed) return;
      if (failing !== null) this.#end(failing);
      else next.begin((failure) => this.#end(failure));
    });
  }

  #end(failure: StorageFailed | null): void {
    const ended = this.#waiting.shift();
    this.#failure ??= failure;
    this.#beginNext();
    ended?.done(failure);
  }
}
