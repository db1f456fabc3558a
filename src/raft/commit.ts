/** When an entry is committed, and what the core says about it. */
import { assert } from "./assert.ts";
import { entryBytes, lastIndex, slice, termAt } from "./log.ts";
import type { Outbox } from "./outbox.ts";
import { quorumValue } from "./quorum.ts";
import { configurationOf, type RaftState } from "./state.ts";
import type { LogIndex } from "./types.ts";

/** Hands the entries over for apply. Commit only ever rises. */
export function advanceCommit(raft: RaftState, out: Outbox, commitIndex: LogIndex): void {
  assert(commitIndex > raft.commitIndex, "commitIndex only rises");
  assert(commitIndex <= lastIndex(raft.log), "nothing beyond the log is committed");
  for (const entry of slice(raft.log, raft.commitIndex + 1, commitIndex)) {
    out.committed.push(entry);
    if (raft.role.kind === "leader") raft.role.uncommittedBytes = Math.max(0, raft.role.uncommittedBytes - entryBytes(entry));
  }
  raft.commitIndex = commitIndex;
}

/**
 * Figure 2, "Leaders": an index that a majority holds durably is committed, if its entry is of this term (§5.4.2); the leader
 * counts itself by what its own disk has acknowledged (diss. §10.2.1), and only if it is a voter.
 */
export function commitByQuorum(raft: RaftState, out: Outbox): void {
  const { role } = raft;
  if (role.kind !== "leader") return;
  const index = quorumValue(configurationOf(raft), (id) =>
    id === raft.id ? raft.log.durableIndex : (role.progress.get(id)?.matchIndex ?? 0),
  );
  if (index > raft.commitIndex && termAt(raft.log, index) === raft.hardState.currentTerm) advanceCommit(raft, out, index);
}
