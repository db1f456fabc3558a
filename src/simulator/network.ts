/**
 * Links between all nodes, each direction by itself: delay, loss, duplication, reordering, one-way cuts, clogs that end in a burst, resets
 * that drop what is queued, and delivery to no more than a quorum.
 */
import type { PeerEvent, RaftNetwork } from "../driver/interfaces.ts";
import type { Message, NodeId } from "../raft/types.ts";
import type { Life, World } from "./world.ts";

export interface NetworkFaults {
  /** Milliseconds of a way: from 1 to this. */
  maxDelayMs: number;
  lossPercent: number;
  duplicatePercent: number;
  /** Percent of messages that come up to a second late. */
  latePercent: number;
  /** Messages of a link keep their order, as on a data channel. */
  ordered: boolean;
  /** Requests reach as many peers as a majority needs, and no more. */
  minimalQuorum?: boolean;
}

interface Handlers {
  onMessage(message: Message): void;
  onPeer(event: PeerEvent): void;
}

/** The place of a node: one life after the other takes it. */
interface Port {
  readonly id: NodeId;
  readonly position: number;
  handlers: Handlers | null;
  life: Life | null;
  readonly links: Map<NodeId, Link>;
  /** For `minimalQuorum`: whom this node's requests of this millisecond reach. */
  burstAt: number;
  burstFrom: number;
}

interface Link {
  readonly from: Port;
  readonly to: Port;
  cut: boolean;
  /** What a clogged link holds back, in order; `null`: it flows. */
  clogged: Message[] | null;
  /** Grows with each reset: what was sent in an earlier one is lost. */
  epoch: number;
  lastArrival: number;
}

/** What a clogged link, and the inbox of a frozen node, hold at most. */
export const queueMax = 2000;

export class SimulatedNetwork {
  sent = 0;
  delivered = 0;
  /** Called as a message is handed over by its sender. */
  onSend: (message: Message) => void = () => undefined;
  /** Called for each fault that really happened to a message. */
  onFault: (kind: "loss" | "duplicate" | "late" | "minimalQuorum") => void = () => undefined;
  readonly #ports = new Map<NodeId, Port>();
  readonly #world: World;
  readonly #faults: NetworkFaults;

  constructor(world: World, faults: NetworkFaults) {
    this.#world = world;
    this.#faults = faults;
  }

  /** A new node: it has links to all, and all to it. */
  addNode(id: NodeId): void {
    const port: Port = {
      id,
      position: this.#ports.size,
      handlers: null,
      life: null,
      links: new Map(),
      burstAt: -1,
      burstFrom: 0,
    };
    for (const other of this.#ports.values()) {
      other.links.set(id, createLink(other, port));
      port.links.set(other.id, createLink(port, other));
    }
    this.#ports.set(id, port);
  }

  /** The edge of one life of a node. `mayAct`: asked before each message; a node that has just died sends nothing more. */
  join(id: NodeId, life: Life = { alive: true, held: null }, mayAct: () => boolean = () => true): RaftNetwork {
    if (!this.#ports.has(id)) this.addNode(id);
    const port = this.#port(id);
    return {
      start: (handlers) => {
        port.handlers = handlers;
        port.life = life;
        this.#tellPeers(port, true);
      },
      send: (message) => {
        if (mayAct()) this.#send(port, message);
      },
    };
  }

  /** `silent`: nobody is told, as when a tab crashes. */
  leave(id: NodeId, silent = false): void {
    const port = this.#port(id);
    port.handlers = null;
    port.life = null;
    if (!silent) this.#tellPeers(port, false);
    if (this.#faults.ordered) for (const link of this.#linksOf(id)) link.epoch++;
  }

  #tellPeers(port: Port, up: boolean): void {
    for (const { id } of this.#ports.values()) {
      if (id !== port.id) this.#tell(id, up ? { id: port.id, up } : { ...this.#hint(port.id, "closed"), up });
    }
  }

  /** Tells `to` that `about` is gone, whether or not it is. */
  lie(to: NodeId, about: NodeId): void {
    this.#tell(to, this.#hint(about, "gone"));
  }

  #hint(id: NodeId, hint: "gone" | "closed"): PeerEvent {
    return { id, up: true, hint, roundTripMs: this.#world.chance(50) ? this.#faults.maxDelayMs : null };
  }

  #tell(id: NodeId, event: PeerEvent): void {
    const { life, handlers } = this.#port(id);
    if (life && handlers) this.#world.at(this.#world.now(), () => handlers.onPeer(event), life);
  }

  #port(id: NodeId): Port {
    const port = this.#ports.get(id);
    if (!port) throw new Error(`there is no node ${id}`);
    return port;
  }

  *#linksOf(id: NodeId): Iterable<Link> {
    for (const link of this.#port(id).links.values()) {
      yield link;
      const back = link.to.links.get(id);
      if (back) yield back;
    }
  }

  #link(from: NodeId, to: NodeId): Link | undefined {
    return this.#port(from).links.get(to);
  }

  // ---- faults ----

  /** Nothing that is sent or under way arrives. */
  cut(from: NodeId, to: NodeId): void {
    const link = this.#link(from, to);
    if (link) link.cut = true;
  }

  mend(from: NodeId, to: NodeId): void {
    const link = this.#link(from, to);
    if (link) link.cut = false;
  }

  isCut(from: NodeId, to: NodeId): boolean {
    const link = this.#link(from, to);
    return link === undefined || link.cut || link.clogged !== null;
  }

  clog(from: NodeId, to: NodeId): void {
    const link = this.#link(from, to);
    if (link) link.clogged ??= [];
  }

  /** All that was held back arrives in a burst, in order. */
  unclog(from: NodeId, to: NodeId): void {
    const link = this.#link(from, to);
    if (!link?.clogged) return;
    const held = link.clogged;
    link.clogged = null;
    for (const message of held) this.#arrive(link, message, this.#world.now());
  }

  /** The channel breaks and is made anew: both queues are lost, both ends hear of it. */
  reset(a: NodeId, b: NodeId): void {
    for (const link of [this.#link(a, b), this.#link(b, a)]) {
      if (!link) continue;
      link.epoch++;
      if (link.clogged) link.clogged = [];
      this.#tell(link.to.id, { ...this.#hint(link.from.id, "closed"), up: false });
      this.#tell(link.to.id, { id: link.from.id, up: true });
    }
  }

  /** Every link is whole, and loses nothing any more. */
  heal(): void {
    Object.assign(this.#faults, { lossPercent: 0, duplicatePercent: 0, latePercent: 0, minimalQuorum: false });
    this.mendAll();
  }

  mendAll(): void {
    for (const { links } of this.#ports.values())
      for (const link of links.values()) {
        link.cut = false;
        this.unclog(link.from.id, link.to.id);
      }
  }

  // ---- messages ----

  #send(port: Port, message: Message): void {
    this.sent++;
    this.onSend(message);
    const link = port.links.get(message.to);
    if (!link || link.cut) return;
    const { lossPercent, duplicatePercent, minimalQuorum } = this.#faults;
    if (lossPercent > 0 && this.#world.chance(lossPercent)) return this.onFault("loss");
    if (minimalQuorum && this.#missesBurst(link, message)) return this.onFault("minimalQuorum");
    this.#deliver(link, message);
    if (duplicatePercent === 0 || !this.#world.chance(duplicatePercent)) return;
    this.onFault("duplicate");
    this.#deliver(link, message);
  }

  /** Of the peers, seen from this one in a circle that is turned each millisecond, half are reached. */
  #missesBurst({ from, to }: Link, message: Message): boolean {
    if (message.kind !== "appendEntries" && message.kind !== "requestVote") return false;
    const others = this.#ports.size - 1;
    if (from.burstAt !== this.#world.now()) {
      from.burstAt = this.#world.now();
      from.burstFrom = this.#world.below(others);
    }
    const around = (to.position - from.position + others) % (others + 1);
    return (around + from.burstFrom) % others >= Math.ceil(others / 2);
  }

  #deliver(link: Link, message: Message): void {
    const { maxDelayMs, latePercent, ordered } = this.#faults;
    let at = this.#world.now() + 1 + this.#world.below(maxDelayMs);
    if (latePercent > 0 && this.#world.chance(latePercent)) {
      at += this.#world.below(1000);
      this.onFault("late");
    }
    if (ordered) at = Math.max(at, link.lastArrival);
    link.lastArrival = at;
    this.#arrive(link, message, at);
  }

  #arrive(link: Link, message: Message, at: number): void {
    const { epoch } = link;
    this.#world.at(at, () => {
      if (link.cut || epoch !== link.epoch) return;
      if (!link.clogged) this.#handOver(link.to, message);
      else if (link.clogged.length < queueMax) link.clogged.push(message);
    });
  }

  /** To whatever life is there now; a frozen one finds it when it thaws. */
  #handOver({ life, handlers }: Port, message: Message): void {
    if (!life?.alive || !handlers) return;
    if (!life.held) {
      this.delivered++;
      handlers.onMessage(message);
    } else if (life.held.length < queueMax) {
      life.held.push({ at: this.#world.now(), run: () => handlers.onMessage(message), life, next: null });
    }
  }
}

function createLink(from: Port, to: Port): Link {
  return { from, to, cut: false, clogged: null, epoch: 0, lastArrival: 0 };
}
