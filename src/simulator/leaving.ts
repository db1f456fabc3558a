/**
 * Tabs that close, one after another, in good order or by violence, in one browser or in two: what becomes of the document each time. Without
 * adoption, which only a browser has: a tab that is left over may find the others' nodes on its own disk.
 */
import { createConfig } from "../raft/mod.ts";
import type { Millis, NodeId } from "../raft/types.ts";
import { Clients } from "./clients.ts";
import { Cluster, generation } from "./cluster.ts";
import type { Host } from "./host.ts";
import { Pilot } from "./pilot.ts";
import type { Plan } from "./swarm.ts";
import { chainWorkload } from "./workload-chain.ts";
import type { Workload } from "./workloads.ts";
import { World } from "./world.ts";

export interface Leaving {
  readonly tabs: number;
  readonly browsers: 1 | 2;
  /** `close`: the page may say goodbye. `kill`: nobody is told. */
  readonly end: "close" | "kill";
  /** Between two of them. */
  readonly pauseMs: Millis;
  /** `leader`: the leader's tab each time, the worst order; `others`: any but that. */
  readonly first: "leader" | "others";
  /** How many go; the others stay. */
  readonly count: number;
}

export interface Left {
  readonly tabs: number;
  readonly voters: number;
  /** Something that was proposed after the tab had gone was committed. */
  readonly isWritable: boolean;
}

const plan: Plan = {
  style: "mixed",
  kinds: new Set(),
  workload: "chain",
  network: { maxDelayMs: 5, lossPercent: 0, duplicatePercent: 0, latePercent: 0, ordered: true },
  config: createConfig({ metricsRateMs: 60_000 }),
  autopilot: true,
  silentCrashes: false,
  proposalPauseMs: 50,
  bursts: false,
  faultPauseMs: 1000,
  hangPercent: 0,
};
/** Whatever can be done is done by then. */
const certainMs = 15_000;
/** Newcomers are voters by then. */
const settlesMs = 30_000;

/** After each tab that went. @throws LawBroken */
export function leave({ tabs, browsers, end, pauseMs, first, count }: Leaving, seed: number): readonly Left[] {
  const world = new World(seed);
  const silentCrashes = end === "kill";
  const workload = chainWorkload(world) as unknown as Workload<unknown, unknown>;
  const cluster = new Cluster(world, { ...plan, silentCrashes, network: { ...plan.network } }, workload, seed);
  const run = (ms: Millis): void => {
    const until = world.now() + ms;
    while (world.now() < until) {
      world.advance();
      if (cluster.failure) throw cluster.failure;
    }
  };
  const hosts = Array.from({ length: tabs }, () => cluster.addHost());
  for (const host of hosts) cluster.startHost(host);
  run(100);
  hosts[0]?.raft?.initWithConfig({ voters: [hosts[0].id], generation }).catch((error: Error) => error);
  new Clients(cluster).begin();
  new Pilot(cluster, { deviceOf: (id) => `browser ${hosts.findIndex((host) => host.id === id) % browsers}` }).begin();
  run(settlesMs);
  const left: Left[] = [];
  for (let living = [...hosts], gone = 1; gone <= count; gone++) {
    const leader = cluster.leader();
    const going = first === "leader" ? (leader ?? living[0]) : living.find((host) => host !== leader);
    if (!going) break;
    endTab(going, end, run);
    living = living.filter((host) => host !== going);
    const before = cluster.observer.committed.length;
    run(gone === count ? certainMs : pauseMs);
    left.push({ tabs: living.length, voters: votersOf(living), isWritable: cluster.observer.committed.length > before + 2 });
  }
  return left;
}

function endTab(host: Host<unknown, unknown>, end: Leaving["end"], run: (ms: Millis) => void): void {
  if (end === "close") {
    host.raft?.transferLeadership().catch((error: Error) => error);
    run(40);
  }
  host.staysDown = true;
  host.crash(end === "kill");
  host.gone = true;
}

function votersOf(living: readonly Host<unknown, unknown>[]): number {
  const configurations = living.map(({ raft }): readonly NodeId[] => raft?.metrics().membershipConfig.voters ?? []);
  return Math.max(...configurations.map(({ length }) => length));
}
