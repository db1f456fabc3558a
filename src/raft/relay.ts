/**
 * Relaying: a follower hands the log on to learners that ask for it, so that a leader of many feeds few. What is handed on is committed, so it
 * is the same whoever tells it; hence the rules are few. A relay sends only entries at or below its own commitIndex, in its current term, and
 * only while it follows a leader of that term. Only a learner takes them. What a learner says of them to its relay controls the flow and no
 * more: it is another kind of message than an acknowledgement, and the leader's matchIndex never moves by it.
 */
import { assert } from "./assert.ts";
import { advanceCommit } from "./commit.ts";
import { envelope } from "./envelope.ts";
import { appendMissing } from "./follower.ts";
import { batchFrom, entryBytes, termAt } from "./log.ts";
import type { Outbox } from "./outbox.ts";
import { acknowledge, createProgress, type Progress, recordSent, windowIsOpen } from "./progress.ts";
import type { Relayed } from "./relayed.ts";
import { becomeFollower } from "./roles.ts";
import { configurationOf, mayCampaign, type RaftState } from "./state.ts";
import type { NodeId, RelayEntries, RelayRequest } from "./types.ts";

/** In longest election timeouts: who does not ask again is fed no more. */
const patience = 5;
/** In heartbeats: a learner hears of its leader at least so often, as long as its relay does. */
const quiet = 2;
/** Learners that one relay feeds at once. */
const relayedMax = 64;

// ---- the learner ----

/** Asks `to`, from now on in place of anybody else; to be asked again every second or so. */
export function askRelay(raft: RaftState, out: Outbox, to: NodeId | null): void {
  raft.feeder = to;
  requestRelay(raft, out, true);
}

/** What is here; with `restart`, what came after it is wanted anew. */
export function requestRelay(raft: RaftState, out: Outbox, restart: boolean): void {
  const { feeder, commitIndex, log } = raft;
  if (feeder === null || feeder === raft.id || raft.hardState.generation === null || mayCampaign(raft)) return;
  const matchIndex = Math.min(commitIndex, log.durableIndex);
  out.messages.push({ ...envelope(raft, feeder), kind: "relayRequest", commitIndex, matchIndex, restart });
}

/** The message is of the current term, or stale. Voters learn from their leader alone: what they hold is counted. */
export function handleRelayEntries(raft: RaftState, out: Outbox, message: RelayEntries): void {
  if (message.term < raft.hardState.currentTerm || mayCampaign(raft) || raft.role.kind !== "follower") return;
  if (message.leader === raft.id || (raft.role.leader !== null && raft.role.leader !== message.leader)) return;
  if (raft.role.leader === null) becomeFollower(raft, out, message.term, message.leader);
  assert(raft.role.kind === "follower", "a learner follows");
  raft.role.leaderContact = raft.now;
  const { prevLogIndex, prevLogTerm, entries, from } = message;
  if (prevLogIndex > raft.commitIndex && termAt(raft.log, prevLogIndex) !== prevLogTerm) {
    if (from === raft.feeder) requestRelay(raft, out, true);
    return;
  }
  const appended = appendMissing(raft, out, entries);
  assert(
    out.truncateFrom === null || out.truncateFrom > raft.role.verifiedIndex,
    "what is committed never contradicts this term's leader (§5.4)",
  );
  const commitIndex = prevLogIndex + entries.length;
  if (commitIndex > raft.commitIndex) advanceCommit(raft, out, commitIndex);
  if (!appended && entries.length > 0 && from === raft.feeder) requestRelay(raft, out, false);
}

// ---- the relay ----

export function handleRelayRequest(raft: RaftState, message: RelayRequest): void {
  const { from, commitIndex, matchIndex, restart } = message;
  const isLearner = configurationOf(raft).learners.includes(from);
  if (!isLearner || raft.role.kind !== "follower") return void raft.relayed.delete(from);
  let relayed = raft.relayed.get(from);
  if (!relayed) {
    if (!restart || raft.relayed.size >= relayedMax) return;
    relayed = { progress: createProgress(commitIndex, raft.now), expiresAt: 0, sentAt: Number.NEGATIVE_INFINITY };
    raft.relayed.set(from, relayed);
  }
  if (restart) beginAt(relayed.progress, Math.min(commitIndex, raft.commitIndex) + 1);
  relayed.expiresAt = raft.now + patience * raft.config.electionTimeoutMaxMs;
  acknowledge(relayed.progress, Math.min(matchIndex, relayed.progress.nextIndex - 1));
}

function beginAt(progress: Progress, nextIndex: number): void {
  progress.nextIndex = nextIndex;
  progress.matchIndex = Math.min(progress.matchIndex, nextIndex - 1);
  progress.inflight = [];
  progress.inflightBytes = 0;
}

/** After each step: what has been committed meanwhile goes on; and that there is a leader, if it was heard just now. */
export function relay(raft: RaftState, out: Outbox): void {
  if (raft.relayed.size === 0) return;
  const { role, config, commitIndex, log } = raft;
  if (role.kind !== "follower") return raft.relayed.clear();
  for (const [id, relayed] of raft.relayed) {
    const { progress } = relayed;
    // Whoever needs what was compacted away here must turn to the leader, who has a snapshot.
    if (raft.now >= relayed.expiresAt || progress.nextIndex <= log.baseIndex) raft.relayed.delete(id);
    else if (role.leader !== null && role.leader !== id) {
      while (progress.nextIndex <= commitIndex && windowIsOpen(progress, config.maxInflightMessages, config.maxInflightBytes))
        send(raft, out, id, relayed, role.leader, true);
      const isDue = role.leaderContact === raft.now && raft.now - relayed.sentAt >= quiet * config.heartbeatMs;
      if (isDue) send(raft, out, id, relayed, role.leader, false);
    }
  }
}

function send(raft: RaftState, out: Outbox, to: NodeId, relayed: Relayed, leader: NodeId, withEntries: boolean): void {
  const { progress } = relayed;
  const { nextIndex } = progress;
  const batch = withEntries ? batchFrom(raft.log, nextIndex, raft.config.maxBatchBytes).entries : [];
  const entries = batch.filter(({ index }) => index <= raft.commitIndex);
  const prevLogTerm = termAt(raft.log, nextIndex - 1);
  assert(prevLogTerm !== null, "a relay has the entry before what it sends");
  relayed.sentAt = raft.now;
  const content = { leader, prevLogIndex: nextIndex - 1, prevLogTerm, entries };
  out.messages.push({ ...envelope(raft, to), kind: "relayEntries", ...content });
  if (entries.length === 0) return;
  let bytes = 0;
  for (const entry of entries) bytes += entryBytes(entry);
  recordSent(progress, nextIndex + entries.length - 1, bytes);
}
