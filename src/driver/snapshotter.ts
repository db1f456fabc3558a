/** When to take a snapshot (§7): every so many entries or bytes of log, never beyond what is durable here. */
import { lastIndex, type RaftConfig, type RaftState } from "../raft/mod.ts";
import type { Entry, LogIndex } from "../raft/types.ts";

export class Snapshotter {
  readonly #config: RaftConfig;
  #bytesSince = 0;

  constructor(config: RaftConfig) {
    this.#config = config;
  }

  count(applied: readonly Entry[]): void {
    for (const entry of applied) if (entry.kind === "command") this.#bytesSince += entry.command.byteLength;
  }

  /** Whether one is due of the state as applied through `lastApplied`; asked again later if the disk is behind. */
  isDue(core: Readonly<RaftState>, lastApplied: LogIndex): boolean {
    const { snapshotEveryEntries, snapshotEveryBytes } = this.#config;
    const entriesSince = lastApplied - (core.snapshot?.index ?? 0);
    const wanted =
      (snapshotEveryEntries > 0 && entriesSince >= snapshotEveryEntries) ||
      (snapshotEveryBytes > 0 && this.#bytesSince >= snapshotEveryBytes);
    return (
      wanted && core.snapshotBeingWritten === null && lastApplied <= core.log.durableIndex && lastApplied <= lastIndex(core.log)
    );
  }

  taken(): void {
    this.#bytesSince = 0;
  }
}
