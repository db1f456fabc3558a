/** A network on which faults are made on purpose: ways that are cut, messages that are late, lost, or come twice. */
import type { RaftNetwork } from "../driver/interfaces.ts";
import type { Message } from "../raft/types.ts";
import type { LinkFaults } from "./link-faults.ts";
import type { MessageFaults } from "./message-faults.ts";

export class FaultyNetwork implements RaftNetwork {
  constructor(
    private readonly network: RaftNetwork,
    readonly links: LinkFaults,
    readonly messages: MessageFaults,
  ) {}

  start(handlers: Parameters<RaftNetwork["start"]>[0]): void {
    this.network.start({
      onMessage: (message) => {
        if (this.links.passes(message.from, "in")) this.messages.carry(() => handlers.onMessage(message));
      },
      onPeer: (event) => handlers.onPeer(event),
    });
  }

  send(message: Message): void {
    if (this.links.passes(message.to, "out")) this.messages.carry(() => this.network.send(message));
  }
}
