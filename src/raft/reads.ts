/**
 * Linearizable reads without a log entry (diss. §6.4). Reads that arrive while a round of heartbeats is under way share the next one;
 * a round is confirmed only by answers that carry it, so by messages sent after each of its reads began.
 */
import { envelope } from "./envelope.ts";
import { type Outbox, refuse } from "./outbox.ts";
import { quorumValue } from "./quorum.ts";
import { configurationOf, type Leader, leaderOf, type PendingRead, type RaftState } from "./state.ts";
import type { ReadIndex, ReadIndexResponse, Refusal, RequestId } from "./types.ts";

export function read(raft: RaftState, out: Outbox, requestId: RequestId): void {
  const leader = leaderOf(raft);
  if (leader === null) {
    refuse(raft, out, requestId, "notLeader");
  } else if (leader !== raft.id) {
    raft.forwarded.set(requestId, leader);
    out.messages.push({ ...envelope(raft, leader), kind: "readIndex", requestId });
  } else {
    admit(raft, out, { from: raft.id, requestId });
  }
}

export function handleReadIndex(raft: RaftState, out: Outbox, message: ReadIndex): void {
  admit(raft, out, { from: message.from, requestId: message.requestId });
}

/** How many rounds a leader remembers the beginning of. */
const roundsKept = 64;

/** Before its first commit a leader does not know what is committed (§8). */
function admit(raft: RaftState, out: Outbox, pending: PendingRead): void {
  const { role } = raft;
  if (role.kind !== "leader") answer(raft, out, pending, 0, "notLeader");
  else if (raft.commitIndex < role.termStartIndex) answer(raft, out, pending, 0, "notReady");
  else if (role.transfer) answer(raft, out, pending, 0, "transferring");
  else if (holdsLease(raft, role)) answer(raft, out, pending, raft.commitIndex, null);
  else role.readsWaiting.push(pending);
}

/** Releases a confirmed round and begins the next; the heartbeats that carry it go out in the same step. */
export function confirmReads(raft: RaftState, out: Outbox): void {
  const { role } = raft;
  if (role.kind !== "leader") return;
  while (true) {
    if (role.readsInRound.length > 0) {
      if (!roundIsConfirmed(raft, role)) return;
      for (const pending of role.readsInRound) answer(raft, out, pending, role.readIndex, null);
      role.readsInRound = [];
    }
    if (role.readsWaiting.length === 0) return;
    role.readsInRound = role.readsWaiting;
    role.readsWaiting = [];
    beginRound(raft, role);
    role.readIndex = raft.commitIndex;
  }
}

function roundIsConfirmed(raft: RaftState, leader: Leader): boolean {
  return confirmedRound(raft, leader) >= leader.round;
}

function confirmedRound(raft: RaftState, leader: Leader): number {
  return quorumValue(configurationOf(raft), (id) =>
    id === raft.id ? leader.round : (leader.progress.get(id)?.ackedRound ?? -1),
  );
}

/** A new round of heartbeats, which this very step sends. */
export function beginRound(raft: RaftState, leader: Leader): void {
  leader.round++;
  leader.roundsBegun.push({ round: leader.round, at: raft.now });
  if (leader.roundsBegun.length > roundsKept) leader.roundsBegun.shift();
}

/**
 * Diss. §6.4.1: voters that answered a round stay loyal for the shortest election timeout after they heard it, so nobody else leads for that
 * long after it was sent; but for whom this leader itself has told to campaign. A tenth is left for clocks that do not run quite alike.
 */
function holdsLease(raft: RaftState, leader: Leader): boolean {
  if (!raft.config.leaseReads || !raft.config.checkQuorum || leader.invitedAnother) return false;
  const confirmed = confirmedRound(raft, leader);
  const begun = leader.roundsBegun.findLast(({ round }) => round <= confirmed);
  return begun !== undefined && raft.now - begun.at < raft.config.electionTimeoutMinMs * 0.9;
}

function answer(raft: RaftState, out: Outbox, pending: PendingRead, readIndex: number, refusal: Refusal | null): void {
  const { from, requestId } = pending;
  if (from !== raft.id) out.messages.push({ ...envelope(raft, from), kind: "readIndexResponse", requestId, readIndex, refusal });
  else if (refusal) refuse(raft, out, requestId, refusal);
  else out.answers.push({ kind: "readable", requestId, index: readIndex });
}

export function handleReadIndexResponse(raft: RaftState, out: Outbox, message: ReadIndexResponse): void {
  if (raft.forwarded.get(message.requestId) !== message.from) return;
  raft.forwarded.delete(message.requestId);
  if (message.refusal) refuse(raft, out, message.requestId, message.refusal);
  else out.answers.push({ kind: "readable", requestId: message.requestId, index: message.readIndex });
}
