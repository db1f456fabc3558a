import { describe, expect, test } from "vitest";
import { quorumValue, voteResult } from "./quorum.ts";
import type { Configuration, NodeId } from "./types.ts";

function configuration(voters: string, votersOld = "", learners = ""): Configuration {
  return { voters: [...voters], votersOld: [...votersOld], learners: [...learners] };
}

/** "a3 b2": a has reached 3, b 2; who is not named 0. */
function values(text: string): (id: NodeId) => number {
  const reached = new Map(text.split(" ").map((word) => [word.slice(0, 1), Number(word.slice(1))]));
  return (id) => reached.get(id) ?? 0;
}

const never = Number.NEGATIVE_INFINITY;

test.each([
  ["nobody", configuration(""), "a9", never],
  ["one", configuration("a"), "a9", 9],
  ["both of two", configuration("ab"), "a9 b4", 4],
  ["two of three", configuration("abc"), "a9 b4 c1", 4],
  ["two of three, equal", configuration("abc"), "a4 b4 c4", 4],
  ["three of four", configuration("abcd"), "a9 b7 c5 d3", 5],
  ["three of five", configuration("abcde"), "a9 b7 c5 d3 e1", 5],
  ["two of three have nothing", configuration("abc"), "a9", 0],
  ["learners count for nothing", configuration("abc", "", "de"), "a9 d9 e9", 0],
  ["a joint one: the lower of both", configuration("abc", "cde"), "a9 b9 c9 d2 e1", 2],
  ["a joint one: the other half", configuration("abc", "cde"), "a1 b2 c9 d9 e9", 2],
  ["a joint one: not the union", configuration("abc", "def"), "a9 b9 c9 d9", 0],
  ["a demoted voter counts in the old half alone", configuration("ab", "abc", "c"), "a5 c5", 0],
] as const)("%s", (_, inForce, reached, expected) => {
  expect(quorumValue(inForce, values(reached))).toBe(expected);
});

/** `+` yes, `-` no, `.` no answer yet; in the order of a, b, c, d, e. */
function votes(text: string): Map<NodeId, boolean> {
  return new Map(
    [..."abcde"].flatMap((id, at) => (text[at] === "+" || text[at] === "-" ? [[id, text[at] === "+"] as const] : [])),
  );
}

test.each([
  ["", "", "+++", "lost"],
  ["a", "", "+", "won"],
  ["a", "", ".", "pending"],
  ["ab", "", "+.", "pending"],
  ["ab", "", "+-", "lost"],
  ["abc", "", "++.", "won"],
  ["abc", "", "+-.", "pending"],
  ["abc", "", "+--", "lost"],
  ["abcd", "", "++..", "pending"],
  ["abcd", "", "++--", "lost"],
  ["abcd", "", "+++-", "won"],
  ["abc", "cde", "++...", "pending"],
  ["abc", "cde", "++.++", "won"],
  ["abc", "cde", "+.+..", "pending"],
  ["abc", "cde", "+.++.", "won"],
  ["abc", "cde", "+++--", "lost"],
  ["abc", "cde", "--+++", "lost"],
  ["abc", "", "...++", "pending"],
] as const)("voters %s, old voters %s: votes %s are %s", (voters, votersOld, given, expected) => {
  expect(voteResult(configuration(voters, votersOld), votes(given))).toBe(expected);
});

describe("against the definition", () => {
  test("a value is reached by a majority of each half, and no larger one is", () => {
    for (let seed = 0; seed < 400; seed++) {
      const digit = (at: number): number => Math.floor(Math.abs(Math.sin(seed * 97 + at * 13) * 1e4)) % 7;
      const ids = [..."abcdefg"];
      const inForce = configuration(
        ids.filter((_, at) => digit(at) > 2).join(""),
        ids.filter((_, at) => digit(at + 9) > 4).join(""),
      );
      if (inForce.voters.length === 0) continue;
      const reached = (id: NodeId): number => digit(id.charCodeAt(0));
      const hasMajority = (half: readonly NodeId[], value: number): boolean =>
        half.length === 0 || half.filter((id) => reached(id) >= value).length > half.length / 2;
      const both = (value: number): boolean => hasMajority(inForce.voters, value) && hasMajority(inForce.votersOld, value);
      const value = quorumValue(inForce, reached);
      expect(both(value)).toBe(true);
      expect(both(value + 1)).toBe(false);
    }
  });

  test("two quorums always share a voter", () => {
    const ids = [..."abcde"];
    for (const [voters, votersOld] of [
      ["abcde", ""],
      ["abcd", ""],
      ["abc", "cde"],
      ["ab", "abcde"],
    ] as const) {
      const sets = Array.from({ length: 32 }, (_, bits) => ids.filter((_, at) => (bits >> at) & 1));
      const quorums = sets.filter(
        (set) => voteResult(configuration(voters, votersOld), new Map(set.map((id) => [id, true]))) === "won",
      );
      for (const one of quorums) for (const other of quorums) expect(one.some((id) => other.includes(id))).toBe(true);
    }
  });
});
