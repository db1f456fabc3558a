/** The scopes of the walk: each opens one or two kinds of fault and goes as far as they need to meet. */
import type { Scope } from "./explore-world.ts";

const base: Scope = {
  name: "",
  config: { maxInflightMessages: 2 },
  nodes: 3,
  voters: 3,
  led: true,
  maxTerm: 3,
  budget: {},
  targets: [],
  linkLength: 2,
  underWay: 4,
  quickDisks: true,
  quietWrites: false,
  longSilence: false,
  forwarding: false,
};

const pairs = [
  { voters: [0, 1], learners: [] },
  { voters: [0, 2], learners: [] },
  { voters: [1, 2], learners: [] },
];
const pairsAndAll = [...pairs, { voters: [0, 1, 2], learners: [] }];
const pairsAndLearners = [
  ...pairs,
  { voters: [0, 1], learners: [2] },
  { voters: [0, 2], learners: [1] },
  { voters: [1, 2], learners: [0] },
];
const elections: Scope = { ...base, led: false, quickDisks: false };
const replication: Scope = { ...base, budget: { proposals: 1 } };
const membership: Scope = { ...base, voters: 2, budget: { changes: 1 }, targets: pairsAndAll };
const snapshots: Scope = { ...base, config: { keptEntries: 0, maxInflightMessages: 2 } };

/** Some tens of thousands of states in all: for every run of the tests. */
export const smallScopes: readonly Scope[] = [
  { ...elections, name: "small elections", maxTerm: 2, budget: { crashes: 1 } },
  { ...replication, name: "small replication" },
  { ...base, name: "small reads", budget: { reads: 1 } },
  { ...membership, name: "small membership" },
];

export const scopes: readonly Scope[] = [
  { ...elections, name: "elections" },
  { ...elections, name: "crashes in elections", maxTerm: 2, budget: { crashes: 2 } },
  { ...base, name: "preVote", config: { preVote: true, checkQuorum: true }, longSilence: true, underWay: 5 },
  { ...replication, name: "replication", budget: { proposals: 2, resets: 1, heartbeats: 1 } },
  { ...replication, name: "duplicates", budget: { proposals: 1, duplicates: 1 }, forwarding: true },
  { ...base, name: "crashes", quickDisks: false, quietWrites: true, budget: { crashes: 1 } },
  {
    ...replication,
    name: "crashes of writers",
    quickDisks: false,
    budget: { proposals: 1, crashes: 1 },
    linkLength: 1,
    underWay: 3,
  },
  {
    ...replication,
    name: "old terms",
    maxTerm: 5,
    linkLength: 1,
    config: { maxInflightMessages: 1, maxBatchBytes: 1 },
  },
  { ...base, name: "reads", budget: { reads: 2, heartbeats: 1 }, forwarding: true },
  { ...membership, name: "membership" },
  { ...membership, name: "removal", voters: 3, targets: pairsAndLearners, underWay: 5 },
  { ...snapshots, name: "snapshots", maxTerm: 2, budget: { proposals: 1, snapshots: 1, resets: 1, heartbeats: 2 } },
  { ...snapshots, name: "snapshots and elections", budget: { proposals: 1, snapshots: 1, heartbeats: 1 }, linkLength: 1 },
  {
    ...snapshots,
    name: "snapshots on slow disks",
    maxTerm: 2,
    quickDisks: false,
    budget: { proposals: 1, snapshots: 1, crashes: 1 },
  },
  { ...base, name: "transfer", budget: { transfers: 1, heartbeats: 1 }, longSilence: true, linkLength: 1 },
];

/** Too large to be finished in minutes: asked for by name, to look for something. */
export const deepScopes: readonly Scope[] = [
  // An entry of an earlier term that is committed by counting (Figure 8) is lost after 26 actions, within half a million states.
  {
    ...replication,
    name: "figure 8",
    maxTerm: 5,
    budget: { proposals: 1, resets: 2 },
    linkLength: 1,
    config: { maxInflightMessages: 1, maxBatchBytes: 1 },
  },
];
