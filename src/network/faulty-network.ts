/** A network with ways that can be cut: what leaves or arrives on a cut way is lost. */
import type { RaftNetwork } from "../driver/interfaces.ts";
import type { Message } from "../raft/types.ts";
import type { LinkFaults } from "./link-faults.ts";

export class FaultyNetwork implements RaftNetwork {
  constructor(
    private readonly network: RaftNetwork,
    readonly faults: LinkFaults,
  ) {}

  start(handlers: Parameters<RaftNetwork["start"]>[0]): void {
    this.network.start({
      onMessage: (message) => {
        if (this.faults.passes(message.from, "in")) handlers.onMessage(message);
      },
      onPeer: (event) => handlers.onPeer(event),
    });
  }

  send(message: Message): void {
    if (this.faults.passes(message.to, "out")) this.network.send(message);
  }
}
