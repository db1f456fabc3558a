/** Changes of role (Figure 4). Whoever loses an office settles what was asked of it. */
import { assert } from "./assert.ts";
import { members } from "./configuration.ts";
import { lastIndex } from "./log.ts";
import { appendEntry, type Outbox, refuse, setHardState } from "./outbox.ts";
import { createProgress, type Progress } from "./progress.ts";
import { configurationOf, createFollower, drawElectionTimeout, mayCampaign, type RaftState } from "./state.ts";
import type { NodeId, Term } from "./types.ts";

/** §5.1: into `term`, or back to follower within this one. Within a term the vote is kept: it is given once, whatever comes after. */
export function becomeFollower(raft: RaftState, out: Outbox, term: Term, leader: NodeId | null): void {
  assert(term >= raft.hardState.currentTerm, "a term never goes back (§5.1)");
  const later = term > raft.hardState.currentTerm;
  if (later) setHardState(raft, out, { currentTerm: term, votedFor: null });
  settleOffice(raft, out, later);
  settleForwarded(raft, out, leader);
  // A later term alone does not put the next campaign off (§5.2): else one that cannot win could keep those that can from asking for ever.
  const electionDeadline =
    leader === null && raft.role.kind !== "leader" ? raft.role.electionDeadline : raft.now + drawElectionTimeout(raft);
  raft.role = createFollower(leader, raft.now, electionDeadline);
}

/**
 * §5.2, or with `preVote` the question before it (diss. §9.6), which changes neither term nor vote; with `leadershipTransfer` at the wish
 * of the leader (diss. §3.10).
 */
export function becomeCandidate(raft: RaftState, out: Outbox, preVote: boolean, leadershipTransfer: boolean): void {
  assert(mayCampaign(raft), "a learner never campaigns (diss. §4.2.1)");
  if (!preVote) setHardState(raft, out, { currentTerm: raft.hardState.currentTerm + 1, votedFor: raft.id });
  settleForwarded(raft, out, null);
  raft.role = {
    kind: "candidate",
    preVote,
    leadershipTransfer,
    votes: new Map(preVote ? [[raft.id, true]] : []),
    ownVoteWrite: preVote ? 0 : raft.lastWrite + 1,
    electionDeadline: raft.now + drawElectionTimeout(raft),
  };
}

/** §5.2, and the blank entry of §8, which lets entries of earlier terms be committed (§5.4.2). */
export function becomeLeader(raft: RaftState, out: Outbox): void {
  const { role, hardState } = raft;
  assert(role.kind === "candidate" && !role.preVote, "only a candidate becomes leader (Figure 4)");
  assert(hardState.votedFor === raft.id, "a leader voted for itself in its term (§5.2)");
  const progress = new Map<NodeId, Progress>();
  for (const id of members(configurationOf(raft)))
    if (id !== raft.id) progress.set(id, createProgress(lastIndex(raft.log), raft.now));
  raft.role = {
    kind: "leader",
    progress,
    heartbeatDeadline: raft.now + raft.config.heartbeatMs,
    termStartIndex: lastIndex(raft.log) + 1,
    round: 0,
    roundsBegun: [],
    transfer: null,
    invitedAnother: false,
    readsInRound: [],
    readsWaiting: [],
    readIndex: 0,
    uncommittedBytes: 0,
    requestsSeen: new Map(),
  };
  appendEntry(raft, out, { kind: "blank", index: lastIndex(raft.log) + 1, term: hardState.currentTerm });
}

/** Reads of this node may be asked again elsewhere; those of others learn of the change by the new term. */
function settleOffice(raft: RaftState, out: Outbox, laterTerm: boolean): void {
  if (raft.role.kind !== "leader") return;
  const { transfer } = raft.role;
  if (transfer && laterTerm) out.answers.push({ kind: "transferred", requestId: transfer.requestId });
  else if (transfer) refuse(raft, out, transfer.requestId, "transferFailed");
  for (const read of [...raft.role.readsInRound, ...raft.role.readsWaiting])
    if (read.from === raft.id) out.answers.push({ kind: "lost", requestId: read.requestId });
}

/** What was handed to another leader than `leader` may never be answered. */
export function settleForwarded(raft: RaftState, out: Outbox, leader: NodeId | null): void {
  for (const [requestId, to] of raft.forwarded) {
    if (to === leader) continue;
    raft.forwarded.delete(requestId);
    out.answers.push({ kind: "lost", requestId });
  }
}
