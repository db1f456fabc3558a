/** Leader election: §5.2, §5.4.1, PreVote (diss. §9.6), and loyalty to a leader that is heard (§6, diss. §4.2.3). */
import { members } from "./configuration.ts";
import { envelope } from "./envelope.ts";
import { isUpToDate, lastIndex, lastTerm } from "./log.ts";
import { type Outbox, setHardState } from "./outbox.ts";
import { voteResult } from "./quorum.ts";
import { becomeCandidate, becomeFollower, becomeLeader } from "./roles.ts";
import { configurationOf, drawElectionTimeout, isSelfVoter, mayCampaign, type RaftState } from "./state.ts";
import type { RequestVote, RequestVoteResponse, Term, TimeoutNow } from "./types.ts";

/** The election timeout passed without a leader. */
export function electionTimeout(raft: RaftState, out: Outbox): void {
  if (raft.role.kind === "leader") return;
  const leaderGone = raft.role.kind === "follower" && raft.role.leaderGone;
  raft.role.electionDeadline = raft.now + drawElectionTimeout(raft);
  if (mayCampaign(raft) && !diskHangs(raft)) campaign(raft, out, { preVote: raft.config.preVote, leaderGone });
}

/** A node whose disk does not answer could lead nobody: it neither campaigns nor stays in office. */
export function diskHangs(raft: RaftState): boolean {
  return raft.durableWrite < raft.lastWrite && raft.now - raft.writePendingSince >= raft.config.electionTimeoutMaxMs;
}

interface Campaign {
  readonly preVote: boolean;
  readonly leadershipTransfer?: boolean;
  readonly leaderGone?: boolean;
}

function campaign(raft: RaftState, out: Outbox, { preVote, leadershipTransfer = false, leaderGone = false }: Campaign): void {
  becomeCandidate(raft, out, preVote, leadershipTransfer);
  for (const id of members(configurationOf(raft))) {
    if (id === raft.id) continue;
    out.messages.push({
      ...envelope(raft, id),
      kind: "requestVote",
      term: requestedTerm(raft, preVote),
      preVote,
      leadershipTransfer,
      leaderGone: leaderGone && preVote,
      lastLogIndex: lastIndex(raft.log),
      lastLogTerm: lastTerm(raft.log),
    });
  }
  countVotes(raft, out);
}

/** A PreVote asks for a term that nobody has entered yet. */
function requestedTerm(raft: RaftState, preVote: boolean): Term {
  return raft.hardState.currentTerm + (preVote ? 1 : 0);
}

function countVotes(raft: RaftState, out: Outbox): void {
  if (raft.role.kind !== "candidate") return;
  const result = voteResult(configurationOf(raft), raft.role.votes);
  if (result === "won") {
    if (raft.role.preVote) campaign(raft, out, { preVote: false });
    else becomeLeader(raft, out);
  }
  if (result === "lost") becomeFollower(raft, out, raft.hardState.currentTerm, null);
}

/** Diss. §3.10: the leader, which has made sure that this log is complete, wants this node in its place. */
export function handleTimeoutNow(raft: RaftState, out: Outbox, message: TimeoutNow): void {
  const { role } = raft;
  const fromLeader = role.kind === "follower" && role.leader === message.from && message.term === raft.hardState.currentTerm;
  if (fromLeader && isSelfVoter(raft) && !diskHangs(raft)) campaign(raft, out, { preVote: false, leadershipTransfer: true });
}

/** Diss. §4.2.3: whoever hears its leader ignores campaigns, so that a removed or half-connected node disturbs nobody. */
export function hearsLeader(raft: RaftState): boolean {
  if (!raft.config.checkQuorum) return false;
  // Who has just started may have promised loyalty in its life before, on which a lease may rest (diss. §6.4.1).
  if (raft.config.leaseReads && raft.now - raft.startedAt < raft.config.electionTimeoutMinMs) return true;
  if (raft.role.kind === "leader") return true;
  if (raft.role.kind !== "follower" || raft.role.leader === null) return false;
  return raft.now - raft.role.leaderContact < raft.config.electionTimeoutMinMs;
}

/**
 * §5.2 and §5.4.1. Answers whatever its own configuration says about itself: it may not have heard of its promotion yet.
 * The caller has dealt with terms.
 */
export function handleRequestVote(raft: RaftState, out: Outbox, message: RequestVote): void {
  const granted = canVoteFor(raft, message) && isUpToDate(raft.log, message.lastLogTerm, message.lastLogIndex);
  if (granted && !message.preVote) {
    if (raft.hardState.votedFor === null) setHardState(raft, out, { votedFor: message.from });
    if (raft.role.kind === "follower") raft.role.electionDeadline = raft.now + drawElectionTimeout(raft);
  }
  out.messages.push({
    ...envelope(raft, message.from),
    kind: "requestVoteResponse",
    preVote: message.preVote,
    requestedTerm: message.term,
    voteGranted: granted,
  });
}

/** One vote a term (§5.2). A PreVote for a later term binds nobody. */
function canVoteFor(raft: RaftState, message: RequestVote): boolean {
  const { currentTerm, votedFor } = raft.hardState;
  if (message.term > currentTerm) return message.preVote;
  if (message.term < currentTerm || (hearsLeader(raft) && !message.leadershipTransfer)) return false;
  return votedFor === null || votedFor === message.from;
}

export function handleRequestVoteResponse(raft: RaftState, out: Outbox, message: RequestVoteResponse): void {
  const { role } = raft;
  if (role.kind !== "candidate" || role.preVote !== message.preVote) return;
  if (message.requestedTerm !== requestedTerm(raft, role.preVote)) return;
  role.votes.set(message.from, message.voteGranted);
  countVotes(raft, out);
}

/** A candidate's own vote counts, like any other, once it is durable: else a crash could let it lead one term twice. */
export function countOwnVote(raft: RaftState, out: Outbox): void {
  const { role } = raft;
  if (role.kind !== "candidate" || role.preVote || role.votes.has(raft.id) || raft.durableWrite < role.ownVoteWrite) return;
  role.votes.set(raft.id, true);
  countVotes(raft, out);
}
