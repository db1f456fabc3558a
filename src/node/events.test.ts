import { expect, test } from "vitest";
import type { RaftMetrics } from "../driver/metrics.ts";
import { describeChange } from "./events.ts";

const calm: RaftMetrics = {
  id: "me",
  state: "follower",
  currentTerm: 3,
  lastLogIndex: 9,
  durableIndex: 9,
  commitIndex: 9,
  lastApplied: 9,
  snapshotIndex: 0,
  firstLogIndex: 1,
  currentLeader: "other",
  leaderContactMs: 10,
  membershipConfig: { voters: ["me", "other", "third"], votersOld: [], learners: [] },
  membershipIndex: 4,
  generation: null,
  replication: [],
  pending: 0,
  refusedSnapshot: null,
  stopped: null,
};
const told = (before: Partial<RaftMetrics>, after: Partial<RaftMetrics>) =>
  describeChange({ ...calm, ...before }, { ...calm, ...after }, (id) => id).map(({ text }) => text);

test("a leader that is lost is told once, by whoever followed it", () => {
  expect(told({}, { state: "candidate", currentLeader: null })).toEqual(["There is no leader."]);
  expect(told({ currentLeader: "me", state: "leader" }, { currentLeader: null })).toEqual([]);
});

test("a change of leaders and of voters is told by names", () => {
  expect(told({}, { currentLeader: "me", currentTerm: 4, state: "leader" })).toEqual(["This tab leads since term 4."]);
  expect(told({ currentLeader: "me", state: "leader" }, { currentTerm: 4 })).toEqual(["other leads in term 4."]);
  const joint = { voters: ["me"], votersOld: ["me", "other"], learners: ["other"] };
  expect(told({}, { membershipConfig: joint, membershipIndex: 5 })).toEqual([
    "Voters: me (joint with me, other); learners: other.",
  ]);
  expect(told({}, {})).toEqual([]);
});

test("a snapshot that this tab does not take is told once, with the way out", () => {
  const refusedSnapshot = { index: 8, bytes: 300_000_000, refusals: 1 };
  const sentence =
    "This tab cannot catch up: the document's snapshot has 300000000 bytes, more than it accepts (maxSnapshotBytes).";
  expect(told({}, { refusedSnapshot })).toEqual([sentence]);
  expect(told({ refusedSnapshot }, { refusedSnapshot: { ...refusedSnapshot, refusals: 2 } })).toEqual([]);
});
