/** The policy as a table: who is there, and what follows. */
import { describe, expect, test } from "vitest";
import type { NodeId } from "../raft/types.ts";
import { type AutopilotInput, decide, type Health } from "./policy.ts";

function node(id: NodeId, health: Partial<Health> = {}): Health {
  return { id, connected: true, silentMs: 0, matchIndex: 50, visible: true, device: "one", ...health };
}
const gone = { connected: false, silentMs: 10_000 };
const away = { connected: false, silentMs: 9_999 };

function input(voters: string, learners: string, nodes: readonly Health[]): AutopilotInput {
  const ids = (list: string): NodeId[] => list.split("").filter((id) => id !== " ");
  return { self: "a", configuration: { voters: ids(voters), votersOld: [], learners: ids(learners) }, commitIndex: 50, nodes };
}

describe("who should vote", () => {
  const rows: [title: string, given: AutopilotInput, voters: string | null, learners?: string][] = [
    ["alone: nothing to do", input("a", "", [node("a")]), null],
    ["a newcomer learns first", input("a", "", [node("a"), node("b")]), "a", "b"],
    ["two: one votes", input("a", "b", [node("a"), node("b")]), null],
    ["three: all vote", input("a", "bc", [node("a"), node("b"), node("c")]), "abc", ""],
    [
      "a learner that has acknowledged nothing is not counted",
      input(
        "a",
        "bc",
        [node("a"), node("b"), node("c", { matchIndex: 0 })].map((n) => ({ ...n })),
      ),
      null,
    ],
    ["a learner that lags is not counted", input("a", "bc", [node("a"), node("b"), node("c", { matchIndex: null })]), null],
    [
      "four: three vote",
      input(
        "abc",
        "d",
        ["a", "b", "c", "d"].map((id) => node(id)),
      ),
      null,
    ],
    [
      "five: all vote",
      input(
        "abc",
        "de",
        ["a", "b", "c", "d", "e"].map((id) => node(id)),
      ),
      "abcde",
      "",
    ],
    [
      "seven: five vote",
      input(
        "abcde",
        "fg",
        ["a", "b", "c", "d", "e", "f", "g"].map((id) => node(id)),
      ),
      null,
    ],
    ["a voter away for less than ten seconds stays", input("abc", "", [node("a"), node("b"), node("c", away)]), null],
    [
      "a voter gone: the other two are one voter and a learner",
      input("abc", "", [node("a"), node("b"), node("c", gone)]),
      "a",
      "b",
    ],
    ["a voter gone is replaced", input("abc", "d", [node("a"), node("b"), node("c", gone), node("d")]), "abd", ""],
    ["a learner gone is dismissed", input("a", "b", [node("a"), node("b", gone)]), "a", ""],
    [
      "another device is preferred",
      input("a", "bcde", [
        node("a"),
        node("b"),
        node("c"),
        node("d", { device: "two" }),
        node("e", { device: "two", matchIndex: null }),
      ]),
      "adb",
      "ce",
    ],
    ["never a majority of the absent", input("abc", "", [node("a"), node("b", away), node("c", away)]), null],
  ];
  test.each(rows)("%s", (_title, given, voters, learners = "") => {
    const decision = decide(given);
    if (voters === null) return expect(decision).toBeNull();
    expect(decision?.voters.join("")).toBe(voters);
    expect(decision?.learners.join("")).toBe(learners);
    expect(decision?.reason).not.toBe("");
  });
});
