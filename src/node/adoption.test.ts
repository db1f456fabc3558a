/** Which nodes a tab adopts, when it lets them go, and to whom. */
import { describe, expect, test } from "vitest";
import type { RaftMetrics } from "../driver/metrics.ts";
import type { NodeId } from "../raft/types.ts";
import { type AdoptedNode, Adoption } from "./adoption.ts";

const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

/** A device with nodes, some of them run by other tabs. */
function device(free: readonly NodeId[], voters: readonly NodeId[]) {
  const world = {
    now: 0,
    leader: null as NodeId | null,
    leaderContactMs: 0,
    voters,
    free: new Set(free),
    announced: false,
    said: [] as string[],
    transfers: [] as string[],
    leading: null as NodeId | null,
  };
  const metrics = () =>
    ({
      id: "self",
      currentLeader: world.leader,
      leaderContactMs: world.leader === null ? null : world.leaderContactMs,
      membershipConfig: { voters: world.voters, votersOld: [], learners: [] },
      membershipIndex: 1,
      commitIndex: 1,
    }) as unknown as RaftMetrics;
  const adoption = new Adoption({
    metrics,
    nodesHere: async () => free,
    take: async (id): Promise<AdoptedNode | null> => {
      if (id === "damaged") throw new Error("a record fails its checksum");
      if (!world.free.delete(id)) return null;
      return {
        id,
        metrics: () => ({ id, state: world.leading === id ? "leader" : "follower" }) as unknown as RaftMetrics,
        makeLeader: (to) => world.transfers.push(`${id} to ${to}`),
        release: async () => void world.free.add(id),
      };
    },
    announce: (adopts) => {
      world.announced = adopts;
    },
    now: () => world.now,
    afterMs: 1000,
    nameOf: (id) => id,
    tell: (text) => world.said.push(text),
  });
  const pass = async (ms: number): Promise<void> => {
    world.now += ms;
    adoption.turn();
    await turn();
  };
  return { world, adoption, pass };
}

describe("a tab adopts", () => {
  test("the free voters of this device once nobody has led for an election timeout", async () => {
    const { adoption, pass, world } = device(["a", "b"], ["self", "a", "b"]);
    await pass(999);
    expect(adoption.ids()).toEqual([]);
    await pass(1);
    expect(adoption.ids()).toEqual(["a", "b"]);
    expect(world.announced).toBe(true);
  });

  test("none that another tab runs, that lies elsewhere, or that does not vote", async () => {
    const { adoption, pass, world } = device(["a", "b", "learner"], ["self", "a", "b", "elsewhere"]);
    world.free.delete("b");
    await pass(1000);
    expect(adoption.ids()).toEqual(["a"]);
  });

  test("none whose memory cannot be read, which is told once", async () => {
    const { adoption, pass, world } = device(["a", "damaged"], ["self", "a", "damaged"]);
    await pass(1000);
    await pass(200);
    expect(adoption.ids()).toEqual(["a"]);
    expect(world.said.filter((text) => text.includes("checksum"))).toHaveLength(1);
  });

  test("those of a leader that a learner names still, and hears no more", async () => {
    const { adoption, pass, world } = device(["a"], ["a"]);
    world.leader = "a";
    world.leaderContactMs = 999;
    for (let count = 0; count < 5; count++) await pass(1000);
    expect(adoption.ids()).toEqual([]);
    world.leaderContactMs = 1000;
    await pass(100);
    await pass(1000);
    expect(adoption.ids()).toEqual(["a"]);
  });

  test("none while there is a leader", async () => {
    const { adoption, pass, world } = device(["a", "b"], ["self", "a", "b"]);
    world.leader = "remote";
    for (let count = 0; count < 5; count++) await pass(1000);
    expect(adoption.ids()).toEqual([]);
    world.leader = null;
    await pass(100);
    await pass(999);
    expect(adoption.ids()).toEqual([]);
    await pass(1);
    expect(adoption.ids()).toEqual(["a", "b"]);
  });
});

describe("adopted nodes", () => {
  test("hand the office over to the tab's own node, which alone reaches others", async () => {
    const { pass, world } = device(["a", "b"], ["self", "a", "b"]);
    await pass(1000);
    world.leading = "a";
    world.leader = "a";
    await pass(200);
    expect(world.transfers).toEqual(["a to self"]);
  });

  test("are let go once the configuration is without them", async () => {
    const { adoption, pass, world } = device(["a", "b"], ["self", "a", "b"]);
    await pass(1000);
    world.leader = "self";
    world.voters = ["self", "a"];
    await pass(200);
    expect(adoption.ids()).toEqual(["a"]);
    world.voters = ["self"];
    await pass(200);
    expect(adoption.ids()).toEqual([]);
    expect([world.announced, [...world.free].sort()]).toEqual([false, ["a", "b"]]);
  });

  test("are let go when another device leads", async () => {
    const { adoption, pass, world } = device(["a", "b"], ["self", "a", "b", "c", "d"]);
    await pass(1000);
    world.leader = "c";
    await pass(200);
    expect(adoption.ids()).toEqual([]);
  });

  test("go to tabs that open, each to one, the one that it had before if it may, and are not taken back at once", async () => {
    const { adoption, pass } = device(["a", "b"], ["self", "a", "b"]);
    await pass(1000);
    expect(await Promise.all([adoption.handOver("b"), adoption.handOver("b"), adoption.handOver("b")])).toEqual(["b", "a", null]);
    await pass(2000);
    expect(adoption.ids()).toEqual([]);
    await pass(9000);
    expect(adoption.ids()).toEqual(["a", "b"]);
  });
});
