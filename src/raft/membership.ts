/**
 * Changes of the cluster: joint consensus (§6) is the only way to change voters; learners (diss. §4.2.1) come and go in one entry.
 * A configuration is in force from the moment it is in the log; one change is open at a time.
 */
import {
  createConfiguration,
  isJoint,
  isMember,
  isVoter,
  jointConfiguration,
  leaveJoint,
  members,
  sameConfiguration,
  sameIds,
} from "./configuration.ts";
import { configurationInForce, lastIndex } from "./log.ts";
import { appendEntry, type Outbox, refuse, setHardState } from "./outbox.ts";
import { createProgress } from "./progress.ts";
import { becomeFollower } from "./roles.ts";
import { configurationOf, type RaftState } from "./state.ts";
import type { Configuration, Event, LogIndex, Refusal } from "./types.ts";

type ChangeConfiguration = Extract<Event, { kind: "changeConfiguration" }>;
type Initialize = Extract<Event, { kind: "initialize" }>;

/** The first configuration of a cluster, the same entry on each of its voters (the guide's InitWithConfig). */
export function initialize(raft: RaftState, out: Outbox, event: Initialize): void {
  const { currentTerm, votedFor, generation } = raft.hardState;
  if (currentTerm !== 0 || votedFor !== null || generation !== null || lastIndex(raft.log) !== 0) {
    refuse(raft, out, event.requestId, "notPristine");
    return;
  }
  setHardState(raft, out, { currentTerm: 1, generation: event.generation });
  const configuration = createConfiguration([...event.voters, raft.id]);
  appendEntry(raft, out, { kind: "configuration", index: 1, term: 1, configuration });
  out.answers.push({ kind: "proposed", requestId: event.requestId, index: 1, term: 1 });
  // Whoever is alone need not wait for anybody.
  if (raft.role.kind === "follower" && configuration.voters.length === 1) raft.role.electionDeadline = raft.now;
}

export function changeConfiguration(raft: RaftState, out: Outbox, event: ChangeConfiguration): void {
  const next = createConfiguration(event.voters, event.learners);
  const refusal = whyNot(raft, next, event.expectedConfigIndex);
  if (refusal) {
    refuse(raft, out, event.requestId, refusal);
    return;
  }
  const current = configurationOf(raft);
  const configuration = sameIds(current.voters, next.voters) ? next : jointConfiguration(current, next);
  const index = appendConfiguration(raft, out, configuration);
  out.answers.push({ kind: "proposed", requestId: event.requestId, index, term: raft.hardState.currentTerm });
}

function whyNot(raft: RaftState, next: Configuration, expectedConfigIndex: LogIndex | null): Refusal | null {
  if (raft.role.kind !== "leader") return "notLeader";
  if (raft.role.transfer) return "transferring";
  // Diss. §4.1 as corrected in 2015: two leaders of consecutive terms could otherwise change disjointly.
  if (raft.commitIndex < raft.role.termStartIndex) return "notReady";
  const { index, configuration } = configurationInForce(raft.log);
  if (isJoint(configuration) || index > raft.commitIndex) return "changeOpen";
  if (expectedConfigIndex !== null && expectedConfigIndex !== index) return "configurationMoved";
  if (next.voters.length === 0) return "noVoters";
  return sameConfiguration(configuration, next) ? "noChange" : null;
}

function appendConfiguration(raft: RaftState, out: Outbox, configuration: Configuration): LogIndex {
  const index = lastIndex(raft.log) + 1;
  appendEntry(raft, out, { kind: "configuration", index, term: raft.hardState.currentTerm, configuration });
  addProgress(raft, configuration);
  return index;
}

/** New members are fed at once; those that leave are fed until the configuration without them is committed. */
function addProgress(raft: RaftState, configuration: Configuration): void {
  if (raft.role.kind !== "leader") return;
  const progress = raft.role.progress;
  for (const id of members(configuration))
    if (id !== raft.id && !progress.has(id)) progress.set(id, createProgress(lastIndex(raft.log), raft.now));
  raft.role.progress = new Map([...progress].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** §6: once C_old,new is committed its leader, whoever that is by now, appends C_new. */
export function leaveJointWhenCommitted(raft: RaftState, out: Outbox): void {
  if (raft.role.kind !== "leader") return;
  const { index, configuration } = configurationInForce(raft.log);
  if (isJoint(configuration) && index <= raft.commitIndex) appendConfiguration(raft, out, leaveJoint(configuration));
}

/** After the last messages of a step: whoever has no part in the committed configuration is fed no more; a leader without a part retires (§6). */
export function dropFormerMembers(raft: RaftState, out: Outbox): void {
  const { role } = raft;
  if (role.kind !== "leader") return;
  const { index, configuration } = configurationInForce(raft.log);
  if (isJoint(configuration) || index > raft.commitIndex) return;
  for (const id of role.progress.keys()) if (!isMember(configuration, id)) role.progress.delete(id);
  if (!isVoter(configuration, raft.id)) becomeFollower(raft, out, raft.hardState.currentTerm, null);
}
