/** Nodes of one process, without anything between them. Messages arrive in order, each in a turn of its own; none is lost while both ends are there. */
import type { RaftNetwork } from "../driver/interfaces.ts";
import type { Message, NodeId } from "../raft/types.ts";

type Handlers = Parameters<RaftNetwork["start"]>[0];

/** Connects the networks that it makes. */
export class MemoryHub {
  readonly #started = new Map<NodeId, Handlers>();

  /** `defer` runs a callback after the current turn. */
  constructor(private readonly defer: (run: () => void) => void = (run) => queueMicrotask(run)) {}

  /** The way of node `self` to the others. */
  network(self: NodeId): RaftNetwork {
    return {
      start: (handlers) => this.#start(self, handlers),
      send: (message) => this.#send(self, message),
    };
  }

  /** Whether that node takes part. */
  has(id: NodeId): boolean {
    return this.#started.has(id);
  }

  /** Ends a node: the others are told that it is down, and nothing reaches it any more. */
  remove(id: NodeId): void {
    if (!this.#started.delete(id)) return;
    for (const [, other] of this.#started) this.defer(() => other.onPeer({ id, up: false, hint: "closed", roundTripMs: 0 }));
  }

  #start(self: NodeId, handlers: Handlers): void {
    if (this.#started.has(self)) throw new Error(`Node ${self} has started already.`);
    for (const [id, other] of this.#started) {
      this.defer(() => other.onPeer({ id: self, up: true }));
      this.defer(() => handlers.onPeer({ id, up: true }));
    }
    this.#started.set(self, handlers);
  }

  #send(self: NodeId, message: Message): void {
    if (message.from !== self) throw new Error(`Node ${self} cannot send in the name of ${message.from}.`);
    const sender = this.#started.get(self);
    this.defer(() => {
      if (sender !== undefined && this.#started.get(self) === sender) this.#started.get(message.to)?.onMessage(message);
    });
  }
}
