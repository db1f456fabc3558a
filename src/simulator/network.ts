/** Links between all nodes, each direction by itself: delay, loss, duplication, reordering, cuts, and hosts that are down. */
import type { PeerEvent, RaftNetwork } from "../driver/interfaces.ts";
import type { Message, NodeId } from "../raft/types.ts";
import type { World } from "./world.ts";

export interface NetworkFaults {
  /** Milliseconds of a way: from 1 to this. */
  maxDelayMs: number;
  lossPercent: number;
  duplicatePercent: number;
  /** Percent of messages that come up to a second late. */
  latePercent: number;
  /** Messages of a link keep their order, as on a data channel. */
  ordered: boolean;
}

interface Handlers {
  onMessage(message: Message): void;
  onPeer(event: PeerEvent): void;
}

export class SimulatedNetwork {
  sent = 0;
  delivered = 0;
  /** Called as a message is handed over by its sender. */
  onSend: (message: Message) => void = () => undefined;
  readonly #handlers = new Map<NodeId, Handlers>();
  readonly #cut = new Set<string>();
  readonly #lastArrival = new Map<string, number>();
  readonly #world: World;
  readonly #faults: NetworkFaults;

  constructor(world: World, faults: NetworkFaults) {
    this.#world = world;
    this.#faults = faults;
  }

  /** The edge of one node's life; a message to an earlier life still arrives at a later one. */
  join(id: NodeId): RaftNetwork {
    return {
      start: (handlers) => {
        this.#handlers.set(id, handlers);
        for (const [other, { onPeer }] of this.#handlers) if (other !== id) onPeer({ id, up: true });
      },
      send: (message) => this.#send(message),
    };
  }

  leave(id: NodeId): void {
    this.#handlers.delete(id);
    for (const { onPeer } of this.#handlers.values()) onPeer({ id, up: false });
  }

  cut(from: NodeId, to: NodeId): void {
    this.#cut.add(`${from} ${to}`);
  }

  /** Every link is whole, and loses nothing any more. */
  heal(): void {
    this.#cut.clear();
    Object.assign(this.#faults, { lossPercent: 0, duplicatePercent: 0, latePercent: 0 });
  }

  #send(message: Message): void {
    this.sent++;
    this.onSend(message);
    if (this.#cut.has(`${message.from} ${message.to}`) || this.#world.chance(this.#faults.lossPercent)) return;
    this.#deliver(message);
    if (this.#world.chance(this.#faults.duplicatePercent)) this.#deliver(message);
  }

  #deliver(message: Message): void {
    const link = `${message.from} ${message.to}`;
    let at = this.#world.now() + 1 + this.#world.below(this.#faults.maxDelayMs);
    if (this.#world.chance(this.#faults.latePercent)) at += this.#world.below(1000);
    if (this.#faults.ordered) at = Math.max(at, this.#lastArrival.get(link) ?? 0);
    this.#lastArrival.set(link, at);
    this.#world.schedule(at, () => {
      if (this.#cut.has(link)) return;
      this.delivered++;
      this.#handlers.get(message.to)?.onMessage(message);
    });
  }
}
