/** When to take a snapshot (§7): every so many entries or bytes of log, never beyond what is durable here. */
import { lastIndex, type RaftConfig, type RaftState } from "../raft/mod.ts";
import type { Applier } from "./applier.ts";

type AppliedView = Pick<Applier<unknown, unknown, unknown>, "lastApplied" | "appliedBytes">;

export class Snapshotter {
  readonly #config: RaftConfig;
  #bytesBefore = 0;

  constructor(config: RaftConfig) {
    this.#config = config;
  }

  /** Whether one is due of the state as applied through `lastApplied`; asked again later if the disk is behind. */
  isDue(core: Readonly<RaftState>, { lastApplied, appliedBytes }: AppliedView): boolean {
    const { snapshotEveryEntries, snapshotEveryBytes } = this.#config;
    const entriesSince = lastApplied - (core.snapshot?.index ?? 0);
    const wanted =
      (snapshotEveryEntries > 0 && entriesSince >= snapshotEveryEntries) ||
      (snapshotEveryBytes > 0 && appliedBytes - this.#bytesBefore >= snapshotEveryBytes);
    return (
      wanted && core.snapshotBeingWritten === null && lastApplied <= core.log.durableIndex && lastApplied <= lastIndex(core.log)
    );
  }

  taken({ appliedBytes }: AppliedView): void {
    this.#bytesBefore = appliedBytes;
  }
}
