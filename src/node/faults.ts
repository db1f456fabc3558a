/** What a person breaks in this node on purpose, to watch what the protocol does. Each kind of fault is a part of its own. */
import type { LinkFaults } from "../network/link-faults.ts";
import type { MessageFaults } from "../network/message-faults.ts";
import type { FaultyStorage } from "../storage/faulty-storage.ts";
import type { Pause } from "./pause.ts";
import type { Fault } from "./protocol.ts";

export class NodeFaults {
  constructor(
    readonly links: LinkFaults,
    readonly messages: MessageFaults,
    readonly pause: Pause,
    readonly disk: FaultyStorage,
  ) {}

  /** Whether the node goes on behind it: nothing else is asked of a node that stands still. */
  apply(fault: Fault): void {
    switch (fault.kind) {
      case "isolate":
        return this.links.isolate();
      case "cut":
        return this.links.cut(fault.ids, fault.direction);
      case "delay":
        return this.messages.delay(fault.ms, fault.jitterMs);
      case "drop":
        return this.messages.drop(fault.fraction);
      case "duplicate":
        return this.messages.duplicate(fault.fraction);
      case "pause":
        return this.pause.pause();
      case "slowDisk":
        this.disk.delayMs = fault.ms;
        return;
      case "failDisk":
        return this.disk.failAfter(0);
      case "heal":
        return this.#heal();
    }
  }

  /** In words, for people; empty: nothing is broken. */
  describe(): string[] {
    return [this.links, this.messages, this.pause, this.disk].flatMap((part) => part.describe());
  }

  #heal(): void {
    this.disk.heal();
    this.messages.heal();
    this.links.heal();
    this.pause.resume();
  }
}
