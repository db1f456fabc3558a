import { describe, test } from "vitest";
import type { RaftNetwork } from "../driver/interfaces.ts";
import { type NetworkPair, networkContract } from "./contract.ts";
import { FaultyNetwork } from "./faulty-network.ts";
import { LinkFaults } from "./link-faults.ts";
import { MemoryHub } from "./memory-network.ts";
import { MessageFaults } from "./message-faults.ts";
import { TestRoom, turn, VirtualClock } from "./testing.ts";

function memoryPair(wrap: (network: RaftNetwork) => RaftNetwork): NetworkPair {
  const hub = new MemoryHub();
  return {
    a: { id: "a", network: wrap(hub.network("a")) },
    b: { id: "b", network: wrap(hub.network("b")) },
    endB: () => hub.remove("b"),
    settle: turn,
    close: () => undefined,
  };
}

async function meshPair(): Promise<NetworkPair> {
  const room = await TestRoom.create();
  const a = room.mesh("a");
  const b = room.mesh("b");
  return {
    a: { id: "a", network: a },
    b: { id: "b", network: b },
    endB: () => b.close(),
    settle: () => room.clock.advance(20, 20),
    close: () => {
      a.close();
      b.close();
    },
  };
}

describe.each([
  ["memory", async () => memoryPair((network) => network)],
  [
    "memory behind faults that are healed",
    async () =>
      memoryPair((network) => new FaultyNetwork(network, new LinkFaults(), new MessageFaults(new VirtualClock(), Math.random))),
  ],
  ["mesh over channels in memory", meshPair],
] as const)("the contract of a network: %s", (_name, makePair) => {
  test.each(networkContract.map((found) => [found.title, found] as const))("%s", (_title, found) => found.run(makePair));
});
