/** A log in memory whose writes become durable when it is told so: for tests, and for those who build on the library. Pure. */
import type { LogStorage, LogWrite, StorageFailed, StoredState } from "../driver/interfaces.ts";
import type { Entry, HardState } from "../raft/types.ts";
import { assert } from "./assert.ts";

/** What survives a crash. Give the same disk to a new `MemoryStorage` to restart the node. */
export class MemoryDisk {
  #hardState: HardState = { currentTerm: 0, votedFor: null, generation: null };
  #commitIndex = 0;
  readonly #entries: Entry[] = [];

  read(): StoredState {
    return { hardState: this.#hardState, entries: this.#entries.slice(), commitIndex: this.#commitIndex };
  }

  apply({ hardState, truncateFrom, entries, commitIndex }: LogWrite): void {
    this.#hardState = hardState ?? this.#hardState;
    if (truncateFrom !== null) this.#entries.splice(truncateFrom - 1);
    for (const entry of entries) {
      assert(
        entry.index === this.#entries.length + 1,
        `entry ${entry.index} appended to a log that ends at ${this.#entries.length}`,
      );
      this.#entries.push(entry);
    }
    this.#commitIndex = Math.min(commitIndex, this.#entries.length);
  }
}

export class MemoryStorage implements LogStorage {
  readonly #disk: MemoryDisk;
  readonly #defer: (complete: () => void) => void;
  /** In the order of issue; `defer` may complete them in any. */
  readonly #waiting: (() => void)[] = [];
  #closed = false;

  /** `defer` calls what it is given once, later, never at once; until then a write is not durable, and a close loses it. */
  constructor(disk: MemoryDisk, defer: (complete: () => void) => void) {
    this.#disk = disk;
    this.#defer = defer;
  }

  load(done: (result: StoredState | StorageFailed) => void): void {
    this.#enqueue(() => done(this.#disk.read()));
  }

  persist(write: LogWrite, done: (failure: StorageFailed | null) => void): void {
    this.#enqueue(() => {
      this.#disk.apply(write);
      done(null);
    });
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
