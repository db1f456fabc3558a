/** The record that a core is: everything it remembers, as plain data that can be cloned and replayed. */

import { assert } from "./assert.ts";
import type { RaftConfig } from "./config.ts";
import { isVoter, members } from "./configuration.ts";
import { configurationInForce, createLog, type Log, lastIndex, noConfiguration } from "./log.ts";
import type { Progress } from "./progress.ts";
import { createRandom, nextBelow, type Random } from "./random.ts";
import type { Relayed } from "./relayed.ts";
import type {
  CheckId,
  Configuration,
  Entry,
  HardState,
  LogIndex,
  Millis,
  NodeId,
  RequestId,
  RequestVote,
  RoleName,
  Snapshot,
  SnapshotMeta,
  SnapshotWrite,
  Term,
  WriteId,
} from "./types.ts";

export interface Follower {
  readonly kind: "follower";
  leader: NodeId | null;
  /** When that leader was last heard. */
  leaderContact: Millis;
  electionDeadline: Millis;
  /** The log is known to equal this leader's through here (§5.3); what is acknowledged lies at or below it. */
  verifiedIndex: LogIndex;
  /** The leader's latest read round, for the answer that follows `persisted`. */
  round: number;
  /** What this leader was told last: that the log matches through here, in answer to that round; -1: nothing that still counts. */
  toldIndex: LogIndex;
  toldRound: number;
  /** Under way since something hinted that the leader is gone. */
  check: LeaderCheckUnderWay | null;
  /** A check has failed and nobody leads since: the next campaign says so. */
  leaderGone: boolean;
}

export interface LeaderCheckUnderWay {
  readonly checkId: CheckId;
  /** How long the leader has to answer, and the step between the campaigns of two voters afterwards. */
  readonly waitMs: Millis;
  readonly deadline: Millis;
  /** Whose PreVotes wait for the outcome. */
  readonly waiting: Map<NodeId, RequestVote>;
}

export interface Candidate {
  readonly kind: "candidate";
  /** Diss. §9.6: still asking whether a campaign could succeed; the term is not raised yet. */
  readonly preVote: boolean;
  votes: Map<NodeId, boolean>;
  /** Diss. §3.10: begun at the leader's wish. */
  readonly leadershipTransfer: boolean;
  /** The write of this candidate's own vote, which counts once that is durable; 0 for a PreVote. */
  readonly ownVoteWrite: WriteId;
  electionDeadline: Millis;
}

export interface Leader {
  readonly kind: "leader";
  /** One for each other member of the configurations, in order of id. */
  progress: Map<NodeId, Progress>;
  heartbeatDeadline: Millis;
  /** Index of the blank entry of this term; reads and configuration changes wait until it is committed (§8, diss. §4.1). */
  termStartIndex: LogIndex;
  /** Diss. §6.4: grows with each heartbeat and each batch of reads; travels in every AppendEntries. */
  round: number;
  /** When the latest rounds began, the oldest first: what a lease is counted from (diss. §6.4.1). */
  roundsBegun: { readonly round: number; readonly at: Millis }[];
  /** Diss. §3.10; `null` if leadership is not being transferred. */
  transfer: LeadershipTransfer | null;
  /** TimeoutNow was sent in this term. It may arrive at any later time, and its receiver be elected past all loyalty: no lease any more (diss. §6.4.1). */
  invitedAnother: boolean;
  /** Being confirmed by `round`. */
  readsInRound: PendingRead[];
  /** Arrived since; start the next round. */
  readsWaiting: PendingRead[];
  readIndex: LogIndex;
  uncommittedBytes: number;
  /** Forwarded requests of this term, latest last: a duplicated message is not taken twice. */
  requestsSeen: Map<NodeId, Set<RequestId>>;
}

export interface LeadershipTransfer {
  readonly to: NodeId;
  readonly requestId: RequestId;
  /** Then it is given up, and proposals are taken again. */
  readonly deadline: Millis;
  /** TimeoutNow was sent. */
  sent: boolean;
}

export type Role = Follower | Candidate | Leader;

export interface PendingRead {
  readonly from: NodeId;
  readonly requestId: RequestId;
}

export interface RaftState {
  readonly id: NodeId;
  readonly config: RaftConfig;
  hardState: HardState;
  log: Log;
  commitIndex: LogIndex;
  /** The latest, taken here or installed; what a follower gets that the log no longer serves. */
  snapshot: Snapshot | null;
  /** Its write is under way; only then the log before it may go. */
  snapshotBeingWritten: SnapshotWrite | null;
  /** What has arrived of another node's snapshot. */
  incoming: IncomingSnapshot | null;
  /** The latest that was refused as too large, until one is accepted: this node cannot follow before its limit is raised. */
  refusedSnapshot: RefusedSnapshot | null;
  role: Role;
  random: Random;
  now: Millis;
  /** Of this life. */
  readonly startedAt: Millis;
  /** Of the latest update that asked for a write. */
  lastWrite: WriteId;
  durableWrite: WriteId;
  /** Since when some write has been under way without a completion. */
  writePendingSince: Millis;
  /** Requests that were handed to a leader and are not answered yet. */
  forwarded: Map<RequestId, NodeId>;
  /** The follower that this learner asks for the log; `null`: nobody but the leader. */
  feeder: NodeId | null;
  /** The learners that this follower feeds. */
  relayed: Map<NodeId, Relayed>;
  /** Of the latest leader check. */
  lastCheck: CheckId;
}

export interface RefusedSnapshot {
  readonly index: LogIndex;
  /** More than `maxSnapshotBytes`. */
  readonly bytes: number;
  /** How many messages were refused for it. */
  readonly refusals: number;
}

/** Kept across leaders and connections, so that an interrupted transfer goes on where it stopped. */
export interface IncomingSnapshot {
  readonly meta: SnapshotMeta;
  readonly data: Uint8Array;
  received: number;
}

export interface RaftOptions {
  readonly id: NodeId;
  readonly config: RaftConfig;
  /** A safe integer; nodes of one cluster should have different ones, or they campaign in step. */
  readonly seed: number;
  readonly now: Millis;
  readonly hardState: HardState;
  readonly snapshot: Snapshot | null;
  /** Where the first of `entries` stands, or would; 1 without a snapshot. */
  readonly firstIndex: LogIndex;
  /** Of the entry before it; 0 if there is none. */
  readonly baseTerm: Term;
  readonly entries: readonly Entry[];
  readonly commitIndex: LogIndex;
}

export const pristineHardState: HardState = { currentTerm: 0, votedFor: null, generation: null };

/**
 * A core from what was durable. It starts as a follower that has heard nobody.
 * @throws AssertionFailed if the stored log contradicts itself
 */
export function createRaft(options: RaftOptions): RaftState {
  const { snapshot, entries, firstIndex, baseTerm } = options;
  // If the snapshot's configuration stands in the kept suffix, what was in force before it never matters again.
  const isBefore = snapshot !== null && snapshot.configurationIndex < firstIndex;
  const configuration = isBefore
    ? { index: snapshot.configurationIndex, configuration: snapshot.configuration }
    : noConfiguration;
  const log = createLog({ baseIndex: firstIndex - 1, baseTerm, configuration, entries });
  assert(log.baseIndex <= (snapshot?.index ?? 0) && lastIndex(log) >= (snapshot?.index ?? 0), "the log follows on its snapshot");
  const raft: RaftState = {
    id: options.id,
    config: options.config,
    hardState: options.hardState,
    log,
    commitIndex: Math.max(snapshot?.index ?? 0, Math.min(options.commitIndex, lastIndex(log))),
    snapshot,
    snapshotBeingWritten: null,
    incoming: null,
    refusedSnapshot: null,
    role: createFollower(null, options.now, 0),
    random: createRandom(options.seed),
    now: options.now,
    startedAt: options.now,
    lastWrite: 0,
    durableWrite: 0,
    writePendingSince: options.now,
    forwarded: new Map(),
    feeder: null,
    relayed: new Map(),
    lastCheck: 0,
  };
  const alone = members(configurationOf(raft)).length === 1;
  if (raft.role.kind === "follower") raft.role.electionDeadline = alone ? options.now : options.now + drawElectionTimeout(raft);
  return raft;
}

export function createFollower(leader: NodeId | null, now: Millis, electionDeadline: Millis): Follower {
  return {
    kind: "follower",
    leader,
    leaderContact: now,
    electionDeadline,
    verifiedIndex: 0,
    round: 0,
    toldIndex: -1,
    toldRound: -1,
    check: null,
    leaderGone: false,
  };
}

/** §6: the latest configuration in the log, committed or not. */
export function configurationOf(raft: RaftState): Configuration {
  return configurationInForce(raft.log).configuration;
}

export function isSelfVoter(raft: RaftState): boolean {
  return isVoter(configurationOf(raft), raft.id);
}

/**
 * A voter may campaign; and so may a former voter until it knows that the configuration without it is committed (diss. §4.2.2): those
 * that stay may lack that very configuration, and then need a leader that has it. A learner that never voted never does.
 */
export function mayCampaign(raft: RaftState): boolean {
  if (isSelfVoter(raft)) return true;
  const { configurations } = raft.log;
  for (let at = configurations.length - 1; at > 0 && (configurations[at]?.index ?? 0) > raft.commitIndex; at--) {
    const before = configurations[at - 1];
    if (before && isVoter(before.configuration, raft.id)) return true;
  }
  return false;
}

/** §5.2: drawn anew for each campaign, from [min, max]. */
export function drawElectionTimeout(raft: RaftState): Millis {
  const { electionTimeoutMinMs: least, electionTimeoutMaxMs: most } = raft.config;
  return least + nextBelow(raft.random, most - least + 1);
}

export function leaderOf(raft: RaftState): NodeId | null {
  if (raft.role.kind === "leader") return raft.id;
  return raft.role.kind === "follower" ? raft.role.leader : null;
}

/** A learner is a follower that no configuration counts. */
export function roleNameOf(raft: RaftState): RoleName {
  if (raft.role.kind === "follower" && !isSelfVoter(raft)) return "learner";
  return raft.role.kind;
}

/** Whether `deadlineOf` has come: asked at each step, so the time first. */
export function isOverdue(raft: RaftState): boolean {
  const { role, now } = raft;
  if (role.kind === "leader") return now >= role.heartbeatDeadline;
  const isDue = now >= role.electionDeadline || (role.kind === "follower" && role.check !== null && now >= role.check.deadline);
  return isDue && mayCampaign(raft);
}

export function deadlineOf(raft: RaftState): Millis {
  const { role } = raft;
  if (role.kind === "leader") return role.heartbeatDeadline;
  if (!mayCampaign(raft)) return Number.POSITIVE_INFINITY;
  if (role.kind === "follower" && role.check) return Math.min(role.check.deadline, role.electionDeadline);
  return role.electionDeadline;
}
