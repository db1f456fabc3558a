/** What a mesh of peers is made from: who makes its connections, whom it connects to, and its other edges. */
import type { Clock } from "../driver/interfaces.ts";
import type { NodeId } from "../raft/types.ts";
import type { Digest } from "./digest.ts";
import type { GenerationMark } from "./handshake.ts";
import type { LinkFaults } from "./link-faults.ts";
import type { MessageFaults } from "./message-faults.ts";
import type { RoomKeys } from "./room-keys.ts";
import type { Signaling, SignalingState } from "./signaling-client.ts";

/** Who makes the connections: in a browser the page, since only a page can. `connectionId` is the same at both ends. */
export interface ConnectionHost {
  dial(connectionId: string, initiator: boolean, iceServers: readonly RTCIceServer[]): void;
  signal(connectionId: string, data: unknown): void;
  /** May name a connection that has ended already. */
  hangUp(connectionId: string): void;
}

/** Whom a node connects to. Asked again at each attempt; `PeerMesh.reconsider` when the answers have changed. */
export interface PeerPolicy {
  /** Whether this node wants a connection to that one. */
  wants(id: NodeId): boolean;
  /** Whether it takes one that the other wants. */
  accepts(id: NodeId): boolean;
}

export const EVERYBODY: PeerPolicy = { wants: () => true, accepts: () => true };

export interface PeerMeshOptions {
  readonly self: NodeId;
  readonly keys: RoomKeys;
  readonly signaling: Signaling;
  readonly host: ConnectionHost;
  readonly clock: Clock;
  /** From 0 up to 1. */
  readonly random: () => number;
  /** Default none; those that signaling tells of take their place. */
  readonly iceServers?: readonly RTCIceServer[];
  readonly faults?: LinkFaults;
  readonly messageFaults?: MessageFaults;
  /** Default: everybody. */
  readonly policy?: PeerPolicy;
  /** Default 64. */
  readonly maxConnections?: number;
  /** Which history this node belongs to, told in the handshake. */
  readonly generation?: () => GenerationMark | null;
  readonly onDigest?: (digest: Digest) => void;
  readonly onSignalingState?: (state: SignalingState) => void;
  /** Each message that was sent or came in, with its size. */
  readonly onTraffic?: (direction: "in" | "out", bytes: number) => void;
  /** One sentence for people: a peer came, went, or was refused. */
  readonly onEvent?: (text: string) => void;
}
