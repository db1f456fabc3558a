/** Builds what the page mirrors from what the parts of a node know. */
import type { RaftMetrics } from "../driver/metrics.ts";
import type { Digest, PeerStatus } from "../network/digest.ts";
import type { NodeId } from "../raft/types.ts";
import type { NodeStatus, PeerLine, SignalingState } from "./protocol.ts";

export interface StatusSource {
  readonly metrics: RaftMetrics;
  readonly peers: readonly PeerStatus[];
  readonly name: string;
  readonly device: string;
  readonly version: number;
  readonly persistent: boolean;
  readonly durability: "strict" | "relaxed";
  readonly storageBytes: number;
  readonly storageFailure: string | null;
  readonly autopilot: NodeStatus["autopilot"];
  readonly faults: readonly string[];
  readonly signaling: SignalingState;
  readonly otherVersion: NodeStatus["otherVersion"];
  readonly refused: { readonly [reason: string]: number };
  /** Milliseconds after which a silent leader no longer counts as one. */
  readonly electionTimeoutMaxMs: number;
}

export function buildStatus(source: StatusSource): NodeStatus {
  const { metrics, peers } = source;
  const { voters, learners } = metrics.membershipConfig;
  const living = voters.filter((id) => id === metrics.id || peers.some((peer) => peer.id === id && peer.connected)).length;
  const majority = Math.floor(voters.length / 2) + 1;
  return {
    nodeId: metrics.id,
    name: source.name,
    role: metrics.state,
    term: metrics.currentTerm,
    leader: metrics.currentLeader,
    commitIndex: metrics.commitIndex,
    lastApplied: metrics.lastApplied,
    lastLogIndex: metrics.lastLogIndex,
    firstLogIndex: metrics.firstLogIndex,
    snapshotIndex: metrics.snapshotIndex,
    version: source.version,
    unconfirmed: metrics.pending,
    voters,
    learners,
    adopted: [],
    autopilot: source.autopilot,
    // Whom signaling lists is anybody; who has passed the handshake once is a peer.
    peers: peers
      .filter(({ connected, lastContactMs }) => connected || lastContactMs !== null)
      .map((peer) => peerLine(peer, source)),
    quorum: hasQuorum(source, living, majority),
    failureTolerance: Math.max(0, living - majority),
    devices: countDevices(source),
    generation: metrics.generation && { number: metrics.generation.number, id: metrics.generation.id },
    storage: {
      persistent: source.persistent,
      durability: source.durability,
      bytes: source.storageBytes,
      failure: source.storageFailure,
    },
    faults: source.faults,
    signaling: source.signaling,
    otherVersion: source.otherVersion,
    refused: source.refused,
    leaderContactMs: metrics.leaderContactMs === null ? null : Math.round(metrics.leaderContactMs),
  };
}

/** A leader that is heard has a majority, or it would have stepped down; one that is here knows of its own. */
function hasQuorum({ metrics, electionTimeoutMaxMs }: StatusSource, living: number, majority: number): boolean {
  if (metrics.stopped || metrics.currentLeader === null) return false;
  if (metrics.state === "leader") return living >= majority;
  return metrics.leaderContactMs !== null && metrics.leaderContactMs < electionTimeoutMaxMs;
}

function countDevices({ metrics, peers, device }: StatusSource): number {
  const marks = new Set<string>();
  for (const id of metrics.membershipConfig.voters) {
    const mark = id === metrics.id ? device : peers.find((peer) => peer.id === id)?.digest?.device;
    if (mark) marks.add(mark);
  }
  return marks.size;
}

function peerLine(peer: PeerStatus, { metrics, device }: StatusSource): PeerLine {
  const digest: Digest | null = peer.digest;
  const known = metrics.replication.find(({ id }) => id === peer.id);
  return {
    id: peer.id,
    name: digest?.name ?? shortName(peer.id),
    connected: peer.connected,
    roundTripMs: peer.roundTripMs === null ? null : Math.round(peer.roundTripMs * 10) / 10,
    lastContactMs: peer.lastContactMs === null ? null : Math.round(peer.lastContactMs),
    matchIndex: known?.matchIndex ?? null,
    role: digest?.role ?? null,
    term: digest?.term ?? null,
    commitIndex: digest?.commitIndex ?? null,
    lastApplied: digest?.lastApplied ?? null,
    lastLogIndex: digest?.lastLogIndex ?? null,
    visible: digest?.visible ?? null,
    sameDevice: digest ? digest.device === device : null,
  };
}

/** Of a node that has not told its name yet. */
export function shortName(id: NodeId): string {
  return `node ${id.slice(0, 6)}`;
}

/** What the others are told of this node, beside the log. */
export function buildDigest(metrics: RaftMetrics, own: Pick<Digest, "name" | "device" | "visible" | "storageOk">): Digest {
  return {
    ...own,
    id: metrics.id,
    role: metrics.state,
    term: metrics.currentTerm,
    leader: metrics.currentLeader,
    lastLogIndex: metrics.lastLogIndex,
    commitIndex: metrics.commitIndex,
    lastApplied: metrics.lastApplied,
  };
}
