/** What a node tells of itself (the guide's RaftMetrics, and what a dashboard needs beside it). */
import {
  configurationInForce,
  firstIndex,
  lastIndex,
  leaderOf,
  type RaftState,
  type RefusedSnapshot,
  roleNameOf,
} from "../raft/mod.ts";
import type { Configuration, Generation, LogIndex, Millis, NodeId, RoleName, Term } from "../raft/types.ts";

export interface RaftMetrics {
  readonly id: NodeId;
  readonly state: RoleName;
  readonly currentTerm: Term;
  readonly lastLogIndex: LogIndex;
  readonly durableIndex: LogIndex;
  readonly commitIndex: LogIndex;
  readonly lastApplied: LogIndex;
  /** 0 without one. */
  readonly snapshotIndex: LogIndex;
  readonly firstLogIndex: LogIndex;
  readonly currentLeader: NodeId | null;
  /** Milliseconds since that leader was heard; 0 on the leader, `null` without one. */
  readonly leaderContactMs: Millis | null;
  readonly membershipConfig: Configuration;
  readonly membershipIndex: LogIndex;
  readonly generation: Generation | null;
  /** On a leader: of each other member, how far it follows and when it last answered. Empty elsewhere. */
  readonly replication: readonly { readonly id: NodeId; readonly matchIndex: LogIndex; readonly lastContactMs: Millis }[];
  /** Proposals of this node without an outcome yet. */
  readonly pending: number;
  /** This node needs a snapshot that is larger than its `maxSnapshotBytes`, and was offered it so many times; `null`: it does not. */
  readonly refusedSnapshot: RefusedSnapshot | null;
  /** `null` while the node runs. */
  readonly stopped: Error | null;
}

export function metricsOf(
  raft: RaftState,
  now: Millis,
  lastApplied: LogIndex,
  pending: number,
  stopped: Error | null,
): RaftMetrics {
  const { role } = raft;
  const inForce = configurationInForce(raft.log);
  const follows = role.kind === "follower" && role.leader !== null;
  return {
    id: raft.id,
    state: roleNameOf(raft),
    currentTerm: raft.hardState.currentTerm,
    lastLogIndex: lastIndex(raft.log),
    durableIndex: raft.log.durableIndex,
    commitIndex: raft.commitIndex,
    lastApplied,
    firstLogIndex: firstIndex(raft.log),
    snapshotIndex: raft.snapshot?.index ?? 0,
    currentLeader: leaderOf(raft),
    leaderContactMs: role.kind === "leader" ? 0 : follows ? Math.max(0, now - role.leaderContact) : null,
    membershipConfig: inForce.configuration,
    membershipIndex: inForce.index,
    generation: raft.hardState.generation,
    replication:
      role.kind === "leader"
        ? [...role.progress].map(([id, { matchIndex, lastContact }]) => ({
            id,
            matchIndex,
            lastContactMs: Math.max(0, now - lastContact),
          }))
        : [],
    pending,
    refusedSnapshot: raft.refusedSnapshot,
    stopped,
  };
}

/** What `changedVisibly` depends on: while these records are the same ones, nothing of it changed. */
export class Visible {
  #role: RaftState["role"] | null = null;
  #hardState: RaftState["hardState"] | null = null;
  #refusedSnapshot: RefusedSnapshot | null = null;
  #inForce: ReturnType<typeof configurationInForce> | null = null;

  /** `false`: surely all as it was when this was asked last. */
  mayHaveChanged(raft: Readonly<RaftState>): boolean {
    const inForce = configurationInForce(raft.log);
    const isSame =
      this.#role === raft.role &&
      this.#hardState === raft.hardState &&
      this.#inForce === inForce &&
      this.#refusedSnapshot === raft.refusedSnapshot;
    if (isSame) return false;
    this.#refusedSnapshot = raft.refusedSnapshot;
    this.#role = raft.role;
    this.#hardState = raft.hardState;
    this.#inForce = inForce;
    return true;
  }
}

/**
 * Whether something changed, since `before` was told, that a listener is told of at once: state, term, leader, membership, a refused snapshot, or the end. Asked after
 * each turn, so without the work of a record.
 */
export function changedVisibly(before: RaftMetrics, raft: RaftState, stopped: Error | null): boolean {
  return (
    before.currentTerm !== raft.hardState.currentTerm ||
    before.currentLeader !== leaderOf(raft) ||
    before.membershipIndex !== configurationInForce(raft.log).index ||
    before.state !== roleNameOf(raft) ||
    before.refusedSnapshot?.index !== raft.refusedSnapshot?.index ||
    before.stopped !== stopped
  );
}
