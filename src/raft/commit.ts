/** When an entry is committed, and what the core says about it. */
import { assert } from "./assert.ts";
import { entryBytes, lastIndex, slice, termAt } from "./log.ts";
import type { Outbox } from "./outbox.ts";
import { quorumValue } from "./quorum.ts";
import { configurationOf, type Leader, type RaftState } from "./state.ts";
import type { Entry, LogIndex } from "./types.ts";

/** Hands the entries over for apply. Commit only ever rises. */
export function advanceCommit(raft: RaftState, out: Outbox, commitIndex: LogIndex): void {
  assert(commitIndex > raft.commitIndex, "commitIndex only rises");
  assert(commitIndex <= lastIndex(raft.log), "nothing beyond the log is committed");
  const entries = slice(raft.log, raft.commitIndex + 1, commitIndex);
  out.committed = out.committed.length === 0 ? entries : [...out.committed, ...entries];
  raft.commitIndex = commitIndex;
  if (raft.role.kind === "leader") discharge(raft.role, entries);
}

/** Commands that this leader took in its term no longer count against its limit. */
function discharge(leader: Leader, entries: readonly Entry[]): void {
  for (const entry of entries)
    if (entry.kind === "command" && entry.index > leader.termStartIndex) leader.uncommittedBytes -= entryBytes(entry);
  assert(leader.uncommittedBytes >= 0, "what is committed was counted when it was taken");
}

/**
 * Figure 2, "Leaders": an index that a majority holds durably is committed, if its entry is of this term (§5.4.2); the leader
 * counts itself by what its own disk has acknowledged (diss. §10.2.1), and only if it is a voter.
 */
export function commitByQuorum(raft: RaftState, out: Outbox): void {
  const { role } = raft;
  if (role.kind !== "leader" || raft.commitIndex === lastIndex(raft.log)) return;
  const index = quorumValue(configurationOf(raft), (id) =>
    id === raft.id ? raft.log.durableIndex : (role.progress.get(id)?.matchIndex ?? 0),
  );
  if (index > raft.commitIndex && termAt(raft.log, index) === raft.hardState.currentTerm) advanceCommit(raft, out, index);
}
