/**
 * The core's one door: an event in, an update out. Handlers change the record; what a leader must send, commit or leave is then
 * derived from the record, in one place, whatever the event was.
 */
import { commitByQuorum } from "./commit.ts";
import {
  countOwnVote,
  electionTimeout,
  handleRequestVote,
  handleRequestVoteResponse,
  handleTimeoutNow,
  hearsLeader,
} from "./election.ts";
import { acknowledge, handleAppendEntries } from "./follower.ts";
import { continueWithoutOthers } from "./generation.ts";
import { awaitCheck, failCheck, handleHint, handleLeaderCheck, passCheck } from "./leader-check.ts";
import { termAt } from "./log.ts";
import { changeConfiguration, dropFormerMembers, initialize, leaveJointWhenCommitted } from "./membership.ts";
import { createOutbox, finishUpdate, type Outbox, setHardState } from "./outbox.ts";
import { becomeProbe } from "./progress.ts";
import { handlePropose, handleProposeResponse, propose } from "./proposals.ts";
import { confirmReads, handleReadIndex, handleReadIndexResponse, read } from "./reads.ts";
import { askRelay, handleRelayEntries, handleRelayRequest, relay, requestRelay } from "./relay.ts";
import { handleAppendEntriesResponse, leaderTimeout, replicate } from "./replication.ts";
import { becomeFollower } from "./roles.ts";
import {
  handleInstallSnapshot,
  handleInstallSnapshotResponse,
  restartTransfer,
  snapshotPersisted,
  snapshotTaken,
} from "./snapshots.ts";
import { isOverdue, type RaftState } from "./state.ts";
import { sendTimeoutNow, transferLeadership } from "./transfer.ts";
import type { Event, Message, Update } from "./types.ts";

/**
 * Mutates `raft`, returns what must now be done. The same record and the same events give the same updates.
 * @throws AssertionFailed if the record contradicts itself: the node must stop
 */
export function step(raft: RaftState, event: Event): Update {
  const out = createOutbox();
  raft.now = Math.max(raft.now, event.now);
  // A node that slept learns first that its time is up, before it serves anything.
  if (isOverdue(raft)) timeout(raft, out);
  handle(raft, out, event);
  leaderDuties(raft, out);
  relay(raft, out);
  return finishUpdate(raft, out);
}

function timeout(raft: RaftState, out: Outbox): void {
  const { role } = raft;
  if (role.kind === "leader") return leaderTimeout(raft, out, role);
  if (role.kind === "follower" && role.check && raft.now >= role.check.deadline)
    for (const asked of failCheck(raft, out, role.check)) handleRequestVote(raft, out, asked);
  if (isOverdue(raft)) electionTimeout(raft, out);
}

function handle(raft: RaftState, out: Outbox, event: Event): void {
  switch (event.kind) {
    case "receive":
      receive(raft, out, event.message);
      break;
    case "persisted":
      persisted(raft, out, event);
      break;
    case "timeout":
      break;
    case "propose":
      propose(raft, out, event);
      break;
    case "read":
      read(raft, out, event.requestId);
      break;
    case "changeConfiguration":
      changeConfiguration(raft, out, event);
      break;
    case "initialize":
      initialize(raft, out, event);
      break;
    case "continueWithoutOthers":
      continueWithoutOthers(raft, out, event);
      break;
    case "snapshotTaken":
      snapshotTaken(raft, out, event.index, event.data);
      break;
    case "snapshotPersisted":
      snapshotPersisted(raft, out, event.index, event.term);
      break;
    case "transferLeadership":
      transferLeadership(raft, out, event.requestId, event.to);
      break;
    case "peer":
      peer(raft, out, event);
      break;
    case "askRelay":
      askRelay(raft, out, event.to);
      break;
    case "hint":
      handleHint(raft, out, event.id, event.roundTripMs);
      break;
  }
}

/** The order matters: what is committed now may open the next configuration; what is appended now is sent now. */
function leaderDuties(raft: RaftState, out: Outbox): void {
  if (raft.role.kind !== "leader") return;
  commitByQuorum(raft, out);
  leaveJointWhenCommitted(raft, out);
  confirmReads(raft, out);
  replicate(raft, out);
  sendTimeoutNow(raft, out);
  dropFormerMembers(raft, out);
}

/** §5.1: terms first, for every kind of message alike. */
function receive(raft: RaftState, out: Outbox, message: Message): void {
  if (message.to !== raft.id || !sameGeneration(raft, out, message)) return;
  const { currentTerm } = raft.hardState;
  if (message.term > currentTerm) {
    if (message.kind === "requestVote" && hearsLeader(raft) && !message.leadershipTransfer) {
      if (message.leaderGone) awaitCheck(raft, out, message);
      return;
    }
    if (message.kind !== "requestVote" || !message.preVote)
      becomeFollower(raft, out, message.term, isFromLeader(message) ? message.from : null);
  } else if (
    message.term < currentTerm &&
    (message.kind === "appendEntriesResponse" || message.kind === "installSnapshotResponse")
  ) {
    // They speak of a log that may have been truncated since. (A vote's answer names the term it was asked for.)
    return;
  }
  deliver(raft, out, message);
}

function isFromLeader(message: Message): boolean {
  return message.kind === "appendEntries" || message.kind === "installSnapshot" || message.kind === "timeoutNow";
}

/** Messages of another history of the room are refused; a pristine node joins the first that speaks to it. */
function sameGeneration(raft: RaftState, out: Outbox, message: Message): boolean {
  const { generation } = raft.hardState;
  if (generation === null) setHardState(raft, out, { generation: message.generation });
  return generation === null || generation.id === message.generation.id;
}

function deliver(raft: RaftState, out: Outbox, message: Message): void {
  switch (message.kind) {
    case "requestVote":
      handleRequestVote(raft, out, message);
      break;
    case "requestVoteResponse":
      handleRequestVoteResponse(raft, out, message);
      break;
    case "appendEntries":
      handleAppendEntries(raft, out, message);
      break;
    case "appendEntriesResponse":
      handleAppendEntriesResponse(raft, message);
      break;
    case "propose":
      handlePropose(raft, out, message);
      break;
    case "proposeResponse":
      handleProposeResponse(raft, out, message);
      break;
    case "installSnapshot":
      handleInstallSnapshot(raft, out, message);
      break;
    case "installSnapshotResponse":
      handleInstallSnapshotResponse(raft, message);
      break;
    case "relayEntries":
      handleRelayEntries(raft, out, message);
      break;
    case "relayRequest":
      handleRelayRequest(raft, message);
      break;
    case "leaderCheck":
      handleLeaderCheck(raft, out, message);
      break;
    case "leaderCheckResponse":
      passCheck(raft, message);
      break;
    case "timeoutNow":
      handleTimeoutNow(raft, out, message);
      break;
    case "readIndex":
      handleReadIndex(raft, out, message);
      break;
    case "readIndexResponse":
      handleReadIndexResponse(raft, out, message);
      break;
  }
}

/** A completion counts only if the log still ends there as it did when the write was asked for: truncation makes it stale. */
function persisted(raft: RaftState, out: Outbox, event: Extract<Event, { kind: "persisted" }>): void {
  raft.durableWrite = Math.max(raft.durableWrite, event.write);
  raft.writePendingSince = raft.now;
  countOwnVote(raft, out);
  if (event.write < raft.log.truncatedByWrite || termAt(raft.log, event.index) !== event.term) return;
  if (event.index <= raft.log.durableIndex) return;
  raft.log.durableIndex = event.index;
  acknowledge(raft, out);
  requestRelay(raft, out, false);
}

function peer(raft: RaftState, out: Outbox, event: Extract<Event, { kind: "peer" }>): void {
  const { role } = raft;
  // What was said on an earlier connection may not have arrived.
  if (role.kind === "follower" && role.leader === event.id) role.toldRound = -1;
  if (event.up) {
    const progress = raft.role.kind === "leader" ? raft.role.progress.get(event.id) : undefined;
    if (progress?.transfer) restartTransfer(progress.transfer);
    else if (progress) becomeProbe(progress, progress.nextIndex);
    return;
  }
  for (const [requestId, to] of raft.forwarded) {
    if (to !== event.id) continue;
    raft.forwarded.delete(requestId);
    out.answers.push({ kind: "lost", requestId });
  }
}
