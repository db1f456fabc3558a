/** The sending half of replication: §5.3, pipelined and batched (diss. §10.2.2), with CheckQuorum (diss. §6.2). */
import { assert } from "./assert.ts";
import { diskHangs } from "./election.ts";
import { generationOf } from "./envelope.ts";
import { type Batch, batchFrom, lastIndex, lastIndexWithTermAtMost, termAt } from "./log.ts";
import type { Outbox } from "./outbox.ts";
import { acknowledge, becomeProbe, isCurrentRefusal, type Progress, recordSent, windowIsOpen } from "./progress.ts";
import { quorumValue } from "./quorum.ts";
import { beginRound } from "./reads.ts";
import { becomeFollower } from "./roles.ts";
import { askAgainIfStalled, sendSnapshot } from "./snapshots.ts";
import { configurationOf, type Leader, type RaftState } from "./state.ts";
import { giveUpTransfer } from "./transfer.ts";
import type { AppendEntriesResponse, Entry, NodeId } from "./types.ts";

/** A leader that its quorum no longer answers, or whose own disk hangs, gives up its office; another one beats. */
export function leaderTimeout(raft: RaftState, out: Outbox, leader: Leader): void {
  if (diskHangs(raft) || (raft.config.checkQuorum && quorumIsSilent(raft, leader))) {
    becomeFollower(raft, out, raft.hardState.currentTerm, null);
    return;
  }
  leader.heartbeatDeadline = raft.now + raft.config.heartbeatMs;
  beginRound(raft, leader);
  giveUpTransfer(raft, out, leader);
  for (const progress of leader.progress.values()) {
    progress.probeSent = false;
    askAgainIfStalled(progress);
  }
}

function quorumIsSilent(raft: RaftState, leader: Leader): boolean {
  const contact = quorumValue(configurationOf(raft), (id) =>
    id === raft.id ? raft.now : (leader.progress.get(id)?.lastContact ?? Number.NEGATIVE_INFINITY),
  );
  return raft.now - contact >= raft.config.electionTimeoutMaxMs;
}

/** The message is of the current term. An answer to an earlier leader's or an older message never takes anything back. */
export function handleAppendEntriesResponse(raft: RaftState, message: AppendEntriesResponse): void {
  if (raft.role.kind !== "leader") return;
  const progress = raft.role.progress.get(message.from);
  if (!progress) return;
  progress.lastContact = raft.now;
  progress.ackedRound = Math.max(progress.ackedRound, Math.min(message.round, raft.role.round));
  if (message.success) {
    if (message.matchIndex <= lastIndex(raft.log)) acknowledge(progress, message.matchIndex);
  } else if (isCurrentRefusal(progress, message.refusedIndex)) {
    // Where the follower's hint and this log can agree at the earliest: skips whole terms at both ends.
    becomeProbe(progress, lastIndexWithTermAtMost(raft.log, message.hintIndex, message.hintTerm) + 1);
  }
}

/** Sends each follower what it lacks: entries, the commit index, the read round, or a probe; nothing if it lacks nothing. */
export function replicate(raft: RaftState, out: Outbox): void {
  if (raft.role.kind !== "leader") return;
  let batch: Batch | null = null;
  for (const [id, progress] of raft.role.progress) {
    if (progress.nextIndex <= raft.log.baseIndex || progress.state === "snapshot") sendSnapshot(raft, out, id, progress);
    if (progress.state === "replicate") batch = sendEntries(raft, out, id, progress, batch);
    const behind =
      progress.sentRound < raft.role.round || (progress.state === "replicate" && progress.sentCommit < raft.commitIndex);
    if (behind || (progress.state === "probe" && !progress.probeSent)) {
      progress.probeSent = true;
      send(raft, out, raft.role, id, progress, []);
    }
  }
}

/** Most followers stand at the same place, and get the same `batch` as the one before. Returns the last that was sent. */
function sendEntries(raft: RaftState, out: Outbox, id: NodeId, progress: Progress, sent: Batch | null): Batch | null {
  const { config, role } = raft;
  let batch = sent;
  if (role.kind !== "leader") return batch;
  while (
    progress.nextIndex <= lastIndex(raft.log) &&
    windowIsOpen(progress, config.maxInflightMessages, config.maxInflightBytes)
  ) {
    if (batch?.from !== progress.nextIndex) batch = batchFrom(raft.log, progress.nextIndex, config.maxBatchBytes);
    send(raft, out, role, id, progress, batch.entries);
    recordSent(progress, progress.nextIndex + batch.entries.length - 1, batch.bytes);
  }
  return batch;
}

function send(raft: RaftState, out: Outbox, leader: Leader, to: NodeId, progress: Progress, entries: readonly Entry[]): void {
  // While a snapshot travels its follower must still hear its leader; it has not got what this speaks of, and says so.
  const prevLogIndex = progress.transfer ? progress.transfer.snapshot.index : progress.nextIndex - 1;
  const prevLogTerm = progress.transfer ? progress.transfer.snapshot.term : termAt(raft.log, prevLogIndex);
  assert(prevLogTerm !== null, "what a follower may still need is in the log");
  progress.sentCommit = raft.commitIndex;
  progress.sentRound = leader.round;
  out.messages.push({
    from: raft.id,
    to,
    term: raft.hardState.currentTerm,
    generation: generationOf(raft),
    kind: "appendEntries",
    prevLogIndex,
    prevLogTerm,
    entries,
    leaderCommit: raft.commitIndex,
    round: leader.round,
  });
}
