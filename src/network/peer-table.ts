/** What a mesh knows of each other node. */
import type { Millis, NodeId } from "../raft/types.ts";
import type { Backoff } from "./backoff.ts";
import type { Connection } from "./connection.ts";
import type { Digest, PeerStatus } from "./digest.ts";

/** Peers known at once; those that are not there any more make room for new ones. */
const MAX_PEERS = 1024;

export interface Peer {
  readonly id: NodeId;
  readonly backoff: Backoff;
  /** Whether signaling says that it is there. */
  listed: boolean;
  live: Connection | null;
  /** Not through its handshake yet. */
  attempt: Connection | null;
  /** Ends the waiting for the next attempt; `null`: none is planned. */
  cancelRetry: (() => void) | null;
  attemptAt: Millis;
  /** Whether the peer has said anything about the attempt. */
  attemptAnswered: boolean;
  cancelAttemptTimeout: () => void;
  lastOfferAt: Millis;
  lastHeardAt: Millis | null;
  digest: Digest | null;
  /** Why the latest attempt was refused; `null`: it was not. */
  refusedFor: string | null;
}

export class PeerTable implements Iterable<Peer> {
  readonly #peers = new Map<NodeId, Peer>();

  constructor(
    private readonly self: NodeId,
    private readonly makeBackoff: () => Backoff,
  ) {}

  [Symbol.iterator](): Iterator<Peer> {
    return this.#peers.values();
  }

  get(id: NodeId): Peer | undefined {
    return this.#peers.get(id);
  }

  /** Known or new; `null` for this node itself, or if there are too many. */
  add(id: NodeId): Peer | null {
    const known = this.#peers.get(id);
    if (known !== undefined) return known;
    if (this.#peers.size >= MAX_PEERS) this.#prune();
    if (id === this.self || this.#peers.size >= MAX_PEERS) return null;
    const peer: Peer = {
      id,
      backoff: this.makeBackoff(),
      listed: false,
      live: null,
      attempt: null,
      attemptAt: 0,
      attemptAnswered: false,
      cancelRetry: null,
      cancelAttemptTimeout: () => undefined,
      lastOfferAt: Number.NEGATIVE_INFINITY,
      lastHeardAt: null,
      digest: null,
      refusedFor: null,
    };
    this.#peers.set(id, peer);
    return peer;
  }

  ofConnection(connectionId: string): Peer | null {
    for (const peer of this.#peers.values()) {
      if (peer.live?.id === connectionId || peer.attempt?.id === connectionId) return peer;
    }
    return null;
  }

  connection(connectionId: string): Connection | null {
    const peer = this.ofConnection(connectionId);
    return peer?.live?.id === connectionId ? peer.live : (peer?.attempt ?? null);
  }

  /** By id. `rosterKnown`: who is not listed is not there. */
  statuses(now: Millis, rosterKnown: boolean): PeerStatus[] {
    return [...this.#peers.values()]
      .map((peer) => {
        const heardAt = peer.live?.lastHeardAt ?? peer.lastHeardAt;
        return {
          id: peer.id,
          connected: peer.live !== null,
          roundTripMs: peer.live?.roundTripMs ?? null,
          lastContactMs: heardAt === null ? null : now - heardAt,
          gone: rosterKnown && !peer.listed && peer.live === null,
          digest: peer.digest,
        };
      })
      .sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** Made, or being made. */
  connections(): number {
    let count = 0;
    for (const { live, attempt } of this.#peers.values()) if (live !== null || attempt !== null) count += 1;
    return count;
  }

  /** Of those that are there, and were refused for that. */
  otherVersion(): "newer" | "older" | null {
    const refused = [...this.#peers.values()].filter(({ listed, live }) => listed && live === null);
    if (refused.some(({ refusedFor }) => refusedFor === "newerVersion")) return "newer";
    return refused.some(({ refusedFor }) => refusedFor === "olderVersion") ? "older" : null;
  }

  #prune(): void {
    for (const [id, peer] of this.#peers) {
      if (peer.listed || peer.live !== null || peer.attempt !== null) continue;
      peer.cancelRetry?.();
      this.#peers.delete(id);
    }
  }
}
