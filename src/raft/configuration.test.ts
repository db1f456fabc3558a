import { expect, test } from "vitest";
import {
  createConfiguration,
  emptyConfiguration,
  isJoint,
  isVoter,
  jointConfiguration,
  leaveJoint,
  members,
  sameConfiguration,
  sameIds,
} from "./configuration.ts";

test.each([
  [["c", "a", "b"], [], { voters: ["a", "b", "c"], votersOld: [], learners: [] }],
  [["a", "a"], ["b", "b"], { voters: ["a"], votersOld: [], learners: ["b"] }],
  [["a", "b"], ["b", "c"], { voters: ["a", "b"], votersOld: [], learners: ["c"] }],
  [[], ["a"], { voters: [], votersOld: [], learners: ["a"] }],
  [["b", "A", "a1", "a_"], [], { voters: ["A", "a1", "a_", "b"], votersOld: [], learners: [] }],
])("voters %j and learners %j are sorted, without repeats, and a voter is no learner", (voters, learners, expected) => {
  expect(createConfiguration(voters, learners)).toEqual(expected);
});

const old = createConfiguration(["a", "b", "c"], ["d"]);
const next = createConfiguration(["a", "b", "d"], ["c"]);
const joint = jointConfiguration(old, next);

test("a joint configuration has the new voters, the old ones, and the new learners", () => {
  expect(joint).toEqual({ voters: ["a", "b", "d"], votersOld: ["a", "b", "c"], learners: ["c"] });
  expect([old, joint, next].map(isJoint)).toEqual([false, true, false]);
  expect(leaveJoint(joint)).toEqual(next);
});

test("a second change on top of an open one is the node's own error", () => {
  expect(() => jointConfiguration(joint, next)).toThrow(/one configuration change/);
  expect(() => jointConfiguration(old, joint)).toThrow(/one configuration change/);
});

test.each([
  ["a", true],
  ["c", true],
  ["d", true],
  ["e", false],
])("in the joint one %s is a voter: %s", (id, expected) => {
  expect(isVoter(joint, id)).toBe(expected);
});

test("a demoted voter is none any more once the joint configuration is left", () => {
  expect(isVoter(leaveJoint(joint), "c")).toBe(false);
});

test("members are all of them, once, in order", () => {
  expect(members(joint)).toEqual(["a", "b", "c", "d"]);
  expect(members(emptyConfiguration)).toEqual([]);
});

test("two configurations are the same if all three lists are", () => {
  expect(sameConfiguration(old, createConfiguration(["c", "b", "a"], ["d"]))).toBe(true);
  for (const other of [next, joint, createConfiguration(["a", "b", "c"]), { ...old, votersOld: ["a"] }])
    expect(sameConfiguration(old, other)).toBe(false);
  expect(sameIds(["a"], ["a", "b"])).toBe(false);
});
