/**
 * What the seed chooses for a run: which kinds of fault happen at all, how hard, and how the nodes are set up. Each run switches many kinds
 * fully off, so that the others get far.
 */
import { createConfig, type RaftConfig } from "../raft/mod.ts";
import type { Millis } from "../raft/types.ts";
import type { DiskFaults } from "./disk.ts";
import type { NetworkFaults } from "./network.ts";
import type { World } from "./world.ts";

export const faultKinds = [
  // the network
  "loss",
  "duplicate",
  "late",
  "minimalQuorum",
  "cut",
  "oneWayCut",
  "clog",
  "swizzleClog",
  "reset",
  "lyingHint",
  // processes
  "crash",
  "effectCrash",
  "voteCrash",
  "freeze",
  "sleep",
  // disks
  "hang",
  "slow",
  "full",
  "failingWrite",
  "damage",
  "lostDisk",
  "relaxed",
  // clocks
  "drift",
  "jump",
  "throttle",
  // the cluster
  "membership",
  "transfer",
  "deafTransfer",
  "join",
  "duplicateTab",
  "leave",
  "otherConfig",
] as const;
export type FaultKind = (typeof faultKinds)[number];

/** Injected one after the other, by the clock; the others are rates that hold all the time. */
export const timedKinds: readonly FaultKind[] = [
  "cut",
  "oneWayCut",
  "clog",
  "swizzleClog",
  "reset",
  "lyingHint",
  "crash",
  "effectCrash",
  "voteCrash",
  "freeze",
  "sleep",
  "full",
  "failingWrite",
  "damage",
  "lostDisk",
  "jump",
  "throttle",
  "membership",
  "transfer",
  "deafTransfer",
  "join",
  "duplicateTab",
  "leave",
  "otherConfig",
];

/** How a run is judged and paced. */
export type Style =
  /** Faults that leave a quorum, then an end in which the cluster must recover. */
  | "mixed"
  /** No fault at all. */
  | "calm"
  /** As many faults as there may be, and no promise that it recovers: safety alone. */
  | "unlimited"
  /** Disks lose what they called durable, but for term and vote: only what rests on those is promised (§5.2), and that it recovers is not. */
  | "relaxed";

export type WorkloadName = "chain" | "document" | "registers";

export interface Plan {
  readonly style: Style;
  readonly kinds: ReadonlySet<FaultKind>;
  readonly workload: WorkloadName;
  readonly network: NetworkFaults;
  readonly config: RaftConfig;
  readonly autopilot: boolean;
  /** Nobody is told of a crash. */
  readonly silentCrashes: boolean;
  /** Milliseconds between two proposals, on average. */
  readonly proposalPauseMs: Millis;
  /** Long silence, then many at once. */
  readonly bursts: boolean;
  readonly faultPauseMs: Millis;
  /** Share of all faults that are of a rate. */
  readonly hangPercent: number;
}

export function createPlan(world: World): Plan {
  const style = chooseStyle(world);
  const leaseReads = style !== "relaxed" && world.chance(15);
  const kinds = chooseKinds(world, style, leaseReads);
  const percent = (kind: FaultKind, most: number): number => (kinds.has(kind) ? world.between(1, most) : 0);
  const workload = world.chance(12) ? "document" : world.chance(15) ? "registers" : "chain";
  return {
    style,
    kinds,
    workload,
    network: {
      maxDelayMs: 1 + world.below(40),
      lossPercent: percent("loss", 20),
      duplicatePercent: percent("duplicate", 20),
      latePercent: percent("late", 10),
      ordered: world.chance(50),
      minimalQuorum: kinds.has("minimalQuorum"),
    },
    config: createConfig(configOptions(world, workload, leaseReads)),
    autopilot: world.chance(30),
    silentCrashes: world.chance(30),
    proposalPauseMs: 20 + world.below(80),
    bursts: world.chance(20),
    faultPauseMs: 200 + world.below(1500),
    hangPercent: percent("hang", 5),
  };
}

function chooseStyle(world: World): Style {
  const draw = world.below(100);
  if (draw < 4) return "calm";
  if (draw < 8) return "unlimited";
  return draw < 12 ? "relaxed" : "mixed";
}

/** A lease rests on clocks that run alike, and on election timeouts that nobody shortens. */
const breaksLeases: readonly FaultKind[] = ["drift", "jump", "sleep", "otherConfig"];

function chooseKinds(world: World, style: Style, leaseReads: boolean): ReadonlySet<FaultKind> {
  if (style === "calm") return new Set();
  const share = style === "unlimited" ? 70 : (world.pick([15, 30, 50]) ?? 50);
  const kinds = new Set(faultKinds.filter((kind) => world.chance(share) && kind !== "relaxed"));
  if (style === "relaxed") kinds.add("relaxed").add("crash");
  if (leaseReads) {
    for (const kind of breaksLeases) kinds.delete(kind);
    // What ends a lease without its holder's knowing.
    if (world.chance(50)) kinds.add("deafTransfer");
  }
  return kinds;
}

const chunkBytes: { readonly [name in WorkloadName]: number } = { chain: 64, registers: 512, document: 4096 };

function configOptions(world: World, workload: WorkloadName, leaseReads: boolean): Partial<RaftConfig> {
  const base: Partial<RaftConfig> = {
    preVote: world.chance(80),
    checkQuorum: world.chance(80) || leaseReads,
    leaseReads,
    maxBatchBytes: 256,
    maxInflightMessages: 4,
    maxSessions: world.chance(20) ? 2 : 1000,
    metricsRateMs: 60_000,
  };
  if (world.chance(50)) return { ...base, snapshotEveryEntries: 0, snapshotEveryBytes: 0 };
  return {
    ...base,
    snapshotEveryEntries: 5 + world.below(40),
    keptEntries: world.below(10),
    // Some dozens of chunks at most: the document's snapshots have tens of kilobytes.
    snapshotChunkBytes: chunkBytes[workload],
    maxInflightBytes: 4 * chunkBytes[workload],
  };
}

export function createDiskFaults(world: World, { kinds, hangPercent }: Plan): DiskFaults {
  const isSlow = kinds.has("slow") && world.chance(40);
  return {
    maxDelayMs: isSlow ? world.between(60, 300) : world.below(20),
    hangPercent,
    hangMs: world.chance(20) ? 60_000 : 1500,
    relaxedEntries: kinds.has("relaxed") ? 1 + world.below(20) : 0,
  };
}

/** As valid as the first, and another: what a node is started with that was set up by somebody else. */
export function createOtherConfig(world: World, config: RaftConfig): RaftConfig {
  const electionTimeoutMinMs = 300 + world.below(500);
  return createConfig({
    ...config,
    electionTimeoutMinMs,
    electionTimeoutMaxMs: electionTimeoutMinMs + 100 + world.below(600),
    heartbeatMs: 50 + world.below(70),
    maxBatchBytes: 1 + world.below(1000),
    maxInflightMessages: 1 + world.below(10),
    keptEntries: world.below(50),
    snapshotEveryEntries: config.snapshotEveryEntries === 0 ? 0 : 5 + world.below(60),
  });
}
