/** The scopes of the walk: each opens one or two kinds of fault and goes as far as they need to meet. */
import type { Scope } from "./explore-world.ts";

const base: Scope = {
  name: "",
  config: { maxInflightMessages: 2 },
  nodes: 3,
  voters: 3,
  led: false,
  maxTerm: 3,
  budget: {},
  targets: [],
  linkLength: 2,
  underWay: 3,
  quickDisks: false,
  quietWrites: false,
  longSilence: false,
  forwarding: false,
};

/** Some tens of thousands of states in all: for every run of the tests. */
export const smallScopes: readonly Scope[] = [
  { ...base, name: "small elections", budget: { crashes: 1 }, underWay: 2, maxTerm: 2 },
  { ...base, name: "small replication", led: true, budget: { proposals: 1 }, underWay: 2, quickDisks: true },
];

const twoOfThree = [
  { voters: [0, 1], learners: [] },
  { voters: [0, 2], learners: [] },
  { voters: [1, 2], learners: [] },
];

export const scopes: readonly Scope[] = [
  { ...base, name: "elections", budget: { crashes: 1 }, underWay: 2 },
  {
    ...base,
    name: "preVote",
    config: { preVote: true, checkQuorum: true },
    longSilence: true,
    quickDisks: true,
    led: true,
    underWay: 3,
  },
  { ...base, name: "replication", led: true, budget: { proposals: 1, resets: 1 }, quickDisks: true },
  { ...base, name: "crashes", led: true, budget: { proposals: 1, crashes: 1 }, underWay: 2, quietWrites: true },
  { ...base, name: "old terms", led: true, maxTerm: 4, budget: { proposals: 1, crashes: 1 }, underWay: 2, quickDisks: true },
  {
    ...base,
    name: "reads",
    led: true,
    budget: { proposals: 1, reads: 1, heartbeats: 1 },
    quickDisks: true,
    forwarding: true,
    underWay: 3,
  },
  {
    ...base,
    name: "duplicates",
    led: true,
    budget: { proposals: 1, duplicates: 1 },
    quickDisks: true,
    forwarding: true,
    underWay: 3,
  },
  {
    ...base,
    name: "membership",
    voters: 2,
    led: true,
    maxTerm: 3,
    budget: { changes: 1 },
    targets: twoOfThree,
    underWay: 3,
    quickDisks: true,
  },
  {
    ...base,
    name: "snapshots",
    led: true,
    config: { keptEntries: 0, maxInflightMessages: 2 },
    budget: { proposals: 1, snapshots: 1, resets: 1, heartbeats: 1 },
    underWay: 2,
  },
  { ...base, name: "transfer", led: true, budget: { proposals: 1, transfers: 1 }, longSilence: true, quickDisks: true },
];
