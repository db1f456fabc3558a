/**
 * Pairs of nodes that never connect, as happens behind some routers (F11): whatever connected mesh is left of five nodes, it finds a leader that
 * commits, and then keeps it. Without PreVote or without CheckQuorum that is not so.
 */
import { describe, expect, test } from "vitest";
import { createConfig, type RaftConfig } from "../raft/mod.ts";
import { Cluster, generation } from "./cluster.ts";
import { createPlan } from "./swarm.ts";
import { chainWorkload } from "./workload-chain.ts";
import type { Workload } from "./workloads.ts";
import { World } from "./world.ts";

const size = 5;
const pairs = Array.from({ length: size }, (_, a) => Array.from({ length: a }, (_, b) => [b, a] as const)).flat();

type Edges = readonly (readonly [number, number])[];

function isConnected(edges: Edges): boolean {
  const reached = new Set([0]);
  for (let round = 0; round < size; round++)
    for (const [a, b] of edges) if (reached.has(a) || reached.has(b)) reached.add(a).add(b);
  return reached.size === size;
}

function permutations(list: readonly number[]): readonly (readonly number[])[] {
  if (list.length === 0) return [[]];
  return list.flatMap((first) => permutations(list.filter((one) => one !== first)).map((rest) => [first, ...rest]));
}

/** One of each shape. */
function connectedGraphs(): readonly Edges[] {
  const shapes = new Map<number, Edges>();
  const renamings = permutations([0, 1, 2, 3, 4]);
  const numberOf = (a: number, b: number): number => pairs.findIndex(([x, y]) => x === Math.min(a, b) && y === Math.max(a, b));
  const tables = renamings.map((names) => pairs.map(([a, b]) => 1 << numberOf(names[a] ?? 0, names[b] ?? 0)));
  for (let set = 0; set < 2 ** pairs.length; set++) {
    const edges = pairs.filter((_, at) => (set >> at) & 1);
    if (!isConnected(edges)) continue;
    const shape = Math.min(...tables.map((table) => table.reduce((sum, bit, at) => ((set >> at) & 1 ? sum | bit : sum), 0)));
    if (!shapes.has(shape)) shapes.set(shape, edges);
  }
  return [...shapes.values()];
}

/** After some seconds in that mesh: what was committed in ten more, and how many elections there were. */
function run(edges: Edges, seed: number, config: RaftConfig) {
  const world = new World(seed);
  const network = { maxDelayMs: 20, lossPercent: 0, duplicatePercent: 0, latePercent: 0, ordered: true };
  const plan = { ...createPlan(world), style: "calm" as const, kinds: new Set<never>(), config, network, hangPercent: 0 };
  const workload = chainWorkload(world, 0) as unknown as Workload<unknown, unknown>;
  const cluster = new Cluster(world, plan, workload, seed);
  const hosts = Array.from({ length: size }, () => cluster.addHost());
  const until = (holds: () => boolean): void => {
    while (!holds()) {
      world.advance();
      if (cluster.failure) throw cluster.failure;
    }
  };
  const voters = hosts.map(({ id }) => id);
  for (const host of hosts) host.start();
  until(() => hosts.every(({ core }) => core !== null));
  for (const { raft } of hosts) raft?.initWithConfig({ voters, generation }).catch((error: Error) => error);
  until(() => cluster.observer.leader() !== null);
  for (const [a, b] of pairs) {
    if (edges.some(([x, y]) => x === a && y === b)) continue;
    cluster.network.cut(voters[a] ?? "", voters[b] ?? "");
    cluster.network.cut(voters[b] ?? "", voters[a] ?? "");
  }
  let number = 0;
  const propose = (): void => {
    for (const { core, raft } of hosts)
      if (core?.role.kind === "leader")
        raft?.proposeThen({ number: ++number, command: "a" }, { timeoutMs: 2000 }, () => undefined);
    world.after(100, propose);
  };
  propose();
  until(() => world.now() > 20_000);
  const before = { commits: cluster.observer.committed.length, elections: cluster.observer.elections };
  until(() => world.now() > 30_000);
  return {
    commits: cluster.observer.committed.length - before.commits,
    elections: cluster.observer.elections - before.elections,
  };
}

describe("a partial mesh of five nodes", () => {
  const graphs = connectedGraphs();

  test("there are 21 shapes", () => expect(graphs.length).toBe(21));

  test.each(graphs.map((edges) => [edges.map(([a, b]) => `${a + 1}-${b + 1}`).join(" "), edges] as const))(
    "%s has a leader that commits, and keeps it",
    (_name, edges) => {
      for (const seed of [1, 2]) {
        const { commits, elections } = run(edges, seed, createConfig());
        expect(commits).toBeGreaterThan(50);
        expect(elections).toBe(0);
      }
    },
  );

  test("without PreVote a node that hears half of the others deposes leaders again and again", () => {
    const line: Edges = [
      [0, 1],
      [0, 2],
      [1, 2],
      [1, 3],
      [2, 4],
    ];
    const elections = [1, 2, 3].map((seed) => run(line, seed, createConfig({ preVote: false, checkQuorum: false })).elections);
    expect(Math.max(...elections)).toBeGreaterThan(3);
  });
});
