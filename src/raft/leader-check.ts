/**
 * Fast failover. A hint that the leader is gone (its channel closed, its lock came free, signaling lost it) lets a voter ask the leader; only if no answer
 * comes in time does it stop being loyal (diss. §4.2.3), answer the PreVotes that wait, and campaign itself. Safety rests on votes alone, as ever; a lying
 * hint costs one question. Ignored with lease reads, which rest on loyalty for a whole election timeout (diss. §6.4.1), and without PreVote,
 * which alone keeps a mistaken voter from deposing a leader that lives.
 */
import { envelope } from "./envelope.ts";
import type { Outbox } from "./outbox.ts";
import { becomeFollower } from "./roles.ts";
import { configurationOf, isSelfVoter, type LeaderCheckUnderWay, type RaftState } from "./state.ts";
import type { LeaderCheck, LeaderCheckResponse, Millis, NodeId, RequestVote } from "./types.ts";

/** A busy tab answers no faster than this, however near it is. */
const leastWaitMs: Millis = 30;
const roundTripsWaited = 4;
/** Where nobody has measured it. */
const usualRoundTripMs: Millis = 25;

export function handleHint(raft: RaftState, out: Outbox, id: NodeId, roundTripMs: Millis | null): void {
  if (raft.role.kind === "follower" && raft.role.leader === id) beginCheck(raft, out, roundTripMs);
}

/** One at a time: hints that come meanwhile say nothing new. */
function beginCheck(raft: RaftState, out: Outbox, roundTripMs: Millis | null): void {
  const { role, config } = raft;
  if (role.kind !== "follower" || role.leader === null || role.check) return;
  if (config.leaseReads || !config.preVote || !isSelfVoter(raft)) return;
  raft.lastCheck++;
  const waitMs = Math.max(leastWaitMs, roundTripsWaited * (roundTripMs ?? usualRoundTripMs));
  role.check = { checkId: raft.lastCheck, waitMs, deadline: raft.now + waitMs, waiting: new Map() };
  out.messages.push({ ...envelope(raft, role.leader), kind: "leaderCheck", checkId: raft.lastCheck });
}

export function handleLeaderCheck(raft: RaftState, out: Outbox, message: LeaderCheck): void {
  if (raft.role.kind !== "leader" || message.term !== raft.hardState.currentTerm) return;
  out.messages.push({ ...envelope(raft, message.from), kind: "leaderCheckResponse", checkId: message.checkId });
}

/** The leader lives; the PreVotes that waited are ignored, as any are that come while it is heard. */
export function passCheck(raft: RaftState, { from, checkId }: LeaderCheckResponse): void {
  const { role } = raft;
  if (role.kind !== "follower" || role.leader !== from || role.check?.checkId !== checkId) return;
  role.check = null;
  role.leaderContact = raft.now;
}

/**
 * The leader has not answered: loyal no more, in the same term. Voters campaign one after the other, in the order of their ids, so that they
 * do not split the vote. Returns whom to answer now.
 */
export function failCheck(raft: RaftState, out: Outbox, { waitMs, waiting }: LeaderCheckUnderWay): Iterable<RequestVote> {
  const leader = raft.role.kind === "follower" ? raft.role.leader : null;
  becomeFollower(raft, out, raft.hardState.currentTerm, null);
  if (raft.role.kind !== "follower") return [];
  raft.role.leaderGone = true;
  const { voters } = configurationOf(raft);
  // Whoever waits for an answer campaigns already.
  const place = Math.max(voters.filter((id) => id !== leader).indexOf(raft.id), waiting.size > 0 ? 1 : 0);
  raft.role.electionDeadline = Math.min(raft.role.electionDeadline, raft.now + place * waitMs);
  return waiting.values();
}

/** A PreVote of one whose check has failed is a hint by itself, and is answered when this node has lost its leader too. */
export function awaitCheck(raft: RaftState, out: Outbox, message: RequestVote): void {
  beginCheck(raft, out, null);
  if (raft.role.kind === "follower") raft.role.check?.waiting.set(message.from, message);
}
