/** The receiving half of replication (§5.3, Figure 2 "AppendEntries RPC, receiver implementation"). */
import { assert } from "./assert.ts";
import { advanceCommit } from "./commit.ts";
import { envelope, generationOf } from "./envelope.ts";
import { lastIndex, lastIndexWithTermAtMost, termAt } from "./log.ts";
import { appendEntries, appendEntry, type Outbox, truncateLog } from "./outbox.ts";
import { becomeFollower } from "./roles.ts";
import { drawElectionTimeout, type Follower, type RaftState } from "./state.ts";
import type { AppendEntries, Entry, NodeId } from "./types.ts";

/** The message is of the current term, and its sender thus the leader, or of an earlier one, whose leader must learn that (rule 1). */
export function handleAppendEntries(raft: RaftState, out: Outbox, message: AppendEntries): void {
  if (message.term < raft.hardState.currentTerm) {
    refuseEntries(raft, out, message);
    return;
  }
  const role = followLeader(raft, out, message.from);
  role.round = Math.max(role.round, message.round);
  const verified = message.prevLogIndex + message.entries.length;
  if (message.prevLogIndex >= raft.commitIndex && termAt(raft.log, message.prevLogIndex) !== message.prevLogTerm) {
    refuseEntries(raft, out, message);
    return;
  }
  const appended = appendMissing(raft, out, message.entries);
  role.verifiedIndex = Math.max(role.verifiedIndex, verified);
  // Rule 5, with "last new entry" read strictly: the last one that this very message has verified.
  const commitIndex = Math.min(message.leaderCommit, verified);
  const isCommitNotice = message.entries.length === 0 && commitIndex > raft.commitIndex;
  if (commitIndex > raft.commitIndex) advanceCommit(raft, out, commitIndex);
  if (appended || (isCommitNotice && wasTold(raft, role))) return;
  acknowledge(raft, out);
}

/** The answer would say nothing new. Should the one before be lost, the next heartbeat, which has a round of its own, is answered. */
function wasTold({ log }: RaftState, { toldRound, round, toldIndex, verifiedIndex }: Follower): boolean {
  return toldRound === round && toldIndex === Math.min(log.durableIndex, verifiedIndex);
}

/** Whoever hears the leader of its term follows it, and does not campaign for a while. */
export function followLeader(raft: RaftState, out: Outbox, leader: NodeId): Follower {
  assert(raft.role.kind !== "leader", "two leaders never share a term (§5.2)");
  if (raft.role.kind === "candidate" || raft.role.leader !== leader)
    becomeFollower(raft, out, raft.hardState.currentTerm, leader);
  assert(raft.role.kind === "follower", "who hears its leader follows it");
  raft.role.leaderContact = raft.now;
  raft.role.electionDeadline = raft.now + drawElectionTimeout(raft);
  return raft.role;
}

/** Rules 3 and 4: truncates at a real conflict only; what already matches stays, whatever the order of arrival. */
export function appendMissing(raft: RaftState, out: Outbox, entries: readonly Entry[]): boolean {
  if (entries.length === 0) return false;
  if (entries[0]?.index === lastIndex(raft.log) + 1) {
    appendEntries(raft, out, entries);
    return true;
  }
  let appended = false;
  for (const entry of entries) {
    if (entry.index <= raft.commitIndex) continue;
    const term = termAt(raft.log, entry.index);
    if (term === entry.term) continue;
    if (term !== null) {
      assert(entry.index > raft.commitIndex, "a committed entry is never truncated (§5.4)");
      truncateLog(raft, out, entry.index);
    }
    appendEntry(raft, out, entry);
    appended = true;
  }
  return appended;
}

/** Rule 2, with the hint that lets the leader skip whole terms. */
function refuseEntries(raft: RaftState, out: Outbox, message: AppendEntries): void {
  if (raft.role.kind === "follower") raft.role.toldRound = -1;
  const hintIndex = lastIndexWithTermAtMost(raft.log, message.prevLogIndex, message.prevLogTerm);
  out.messages.push({
    ...envelope(raft, message.from),
    kind: "appendEntriesResponse",
    success: false,
    matchIndex: 0,
    refusedIndex: message.prevLogIndex,
    hintIndex,
    hintTerm: termAt(raft.log, hintIndex) ?? 0,
    round: message.round,
  });
}

/** Only what is durable here and verified against this leader: both, or a later crash or truncation makes it a lie. */
export function acknowledge(raft: RaftState, out: Outbox): void {
  const { role } = raft;
  if (role.kind !== "follower" || role.leader === null) return;
  const matchIndex = Math.min(raft.log.durableIndex, role.verifiedIndex);
  assert(matchIndex <= lastIndex(raft.log), "nothing beyond the log is acknowledged");
  role.toldIndex = matchIndex;
  role.toldRound = role.round;
  out.messages.push({
    from: raft.id,
    to: role.leader,
    term: raft.hardState.currentTerm,
    generation: generationOf(raft),
    kind: "appendEntriesResponse",
    success: true,
    matchIndex,
    refusedIndex: 0,
    hintIndex: 0,
    hintTerm: 0,
    round: role.round,
  });
}
