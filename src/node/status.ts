/** Builds what the page mirrors from what the parts of a node know. */
import type { RaftMetrics } from "../driver/metrics.ts";
import type { Digest, PeerStatus } from "../network/digest.ts";
import type { NodeId } from "../raft/types.ts";
import type { NodeStatus, PeerLine, SignalingState } from "./protocol.ts";

export interface StatusSource {
  readonly metrics: RaftMetrics;
  readonly peers: readonly PeerStatus[];
  /** Nodes without a tab that this one runs too. */
  readonly adopted: readonly RaftMetrics[];
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
  const adopted = source.adopted.map(({ id }) => id);
  const isThere = (id: NodeId): boolean =>
    id === metrics.id || adopted.includes(id) || peers.some((peer) => peer.id === id && peer.connected);
  const living = voters.filter(isThere).length;
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
    adopted,
    autopilot: source.autopilot,
    // Whom signaling lists is anybody; who has passed the handshake once is a peer.
    peers: [
      ...peers
        .filter(({ id, connected, lastContactMs }) => (connected || lastContactMs !== null) && !adopted.includes(id))
        .map((peer) => peerLine(peer, source)),
      ...source.adopted.map((node) => adoptedLine(node, source)),
    ],
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

function countDevices({ metrics, peers, adopted, device }: StatusSource): number {
  const marks = new Set<string>();
  for (const id of metrics.membershipConfig.voters) {
    const isHere = id === metrics.id || adopted.some((node) => node.id === id);
    const mark = isHere ? device : peers.find((peer) => peer.id === id)?.digest?.device;
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

/** It runs in this very worker. */
function adoptedLine(node: RaftMetrics, { metrics, peers }: StatusSource): PeerLine {
  return {
    id: node.id,
    name: peers.find(({ id }) => id === node.id)?.digest?.name ?? shortName(node.id),
    connected: true,
    roundTripMs: 0,
    lastContactMs: 0,
    matchIndex: metrics.replication.find(({ id }) => id === node.id)?.matchIndex ?? null,
    role: node.state,
    term: node.currentTerm,
    commitIndex: node.commitIndex,
    lastApplied: node.lastApplied,
    lastLogIndex: node.lastLogIndex,
    visible: false,
    sameDevice: true,
  };
}

/** Of a node that has not told its name yet. */
export function shortName(id: NodeId): string {
  return `node ${id.slice(0, 6)}`;
}

/** What the others are told of this node, beside the log. */
export function buildDigest(
  metrics: RaftMetrics,
  own: Pick<Digest, "name" | "device" | "visible" | "storageOk" | "quorum">,
): Digest {
  return {
    ...own,
    id: metrics.id,
    role: metrics.state,
    term: metrics.currentTerm,
    leader: metrics.currentLeader,
    lastLogIndex: metrics.lastLogIndex,
    commitIndex: metrics.commitIndex,
    lastApplied: metrics.lastApplied,
    generation: metrics.generation,
  };
}
