/**
 * Several ways to the same peers as one. The first that lists a peer carries what is for it, and has the last word on whether it is there: the
 * tabs of this browser before the server, which may lag, stop, or never have been there.
 */
import type { NodeId } from "../raft/types.ts";
import type { Signaling, SignalingHandlers, SignalingState } from "./signaling-client.ts";

interface Way {
  readonly signaling: Signaling;
  readonly peers: Set<NodeId>;
}

export class CombinedSignaling implements Signaling {
  readonly #ways: readonly Way[];
  #handlers: SignalingHandlers | null = null;

  /** `server`: whose state is this one's state; `local`: asked first. */
  constructor(
    local: Signaling,
    private readonly server: Signaling,
  ) {
    this.#ways = [local, server].map((signaling) => ({ signaling, peers: new Set() }));
  }

  get state(): SignalingState {
    return this.server.state;
  }

  refused(): { readonly [reason: string]: number } {
    return Object.assign({}, ...this.#ways.map(({ signaling }) => signaling.refused()));
  }

  start(handlers: SignalingHandlers): void {
    this.#handlers = handlers;
    for (const way of this.#ways) {
      way.signaling.start({
        onRoster: (ids) => this.#onRoster(way, ids),
        onPeerJoined: (id) => {
          way.peers.add(id);
          handlers.onPeerJoined(id);
        },
        onPeerGone: (id) => this.#onPeerGone(way, id),
        onBox: handlers.onBox,
        onIceServers: handlers.onIceServers,
        onState: (state) => {
          if (way.signaling === this.server) handlers.onState(state);
        },
      });
    }
  }

  send(to: NodeId, box: string): void {
    const way = this.#ways.find(({ peers }) => peers.has(to));
    (way?.signaling ?? this.server).send(to, box);
  }

  close(): void {
    for (const { signaling } of this.#ways) signaling.close();
  }

  #onRoster(way: Way, ids: readonly NodeId[]): void {
    way.peers.clear();
    for (const id of ids) way.peers.add(id);
    this.#handlers?.onRoster([...new Set(this.#ways.flatMap(({ peers }) => [...peers]))]);
  }

  #onPeerGone(way: Way, id: NodeId): void {
    way.peers.delete(id);
    const at = this.#ways.indexOf(way);
    if (this.#ways.slice(0, at).some(({ peers }) => peers.has(id))) return;
    for (const later of this.#ways.slice(at + 1)) later.peers.delete(id);
    this.#handlers?.onPeerGone(id);
  }
}
