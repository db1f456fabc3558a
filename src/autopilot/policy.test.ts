/** The policy as a table: who is there, and what follows. */
import { describe, expect, test } from "vitest";
import type { NodeId } from "../raft/types.ts";
import type { Health } from "./health.ts";
import { type AutopilotInput, decide, isSafe, standbys } from "./policy.ts";

function node(id: NodeId, health: Partial<Health> = {}): Health {
  const whole = { connected: true, silentMs: 0, goneMs: null, matchIndex: 50, visible: true, device: "one", storageOk: true };
  return { id, ...whole, stableMs: 5000, breaks: 0, ...health };
}
const silent = { connected: false, silentMs: 10_000 };
const quiet = { connected: false, silentMs: 9_999 };
const gone = { connected: false, silentMs: 100, goneMs: 0 };
const goneFor2s = { connected: false, silentMs: 2000, goneMs: 2000 };
const fresh = { stableMs: 999 };
const settled = { stableMs: 10_000 };
const on = (device: string, more: Partial<Health> = {}): Partial<Health> => ({ device, ...more });

const idsOf = (list: string): NodeId[] => list.split("").filter((id) => id !== " ");

/** Of nobody that is named differently: present and well. */
function input(voters: string, learners: string, others: { readonly [id: string]: Partial<Health> } = {}): AutopilotInput {
  const ids = [...new Set([...idsOf(voters), ...idsOf(learners), ...Object.keys(others)])].sort();
  const configuration = { voters: idsOf(voters), votersOld: [], learners: idsOf(learners) };
  return { self: "a", configuration, commitIndex: 50, nodes: ids.map((id) => node(id, others[id])) };
}

type Row = [title: string, given: AutopilotInput, voters: string | null, learners?: string];

function hold(rows: Row[]): void {
  test.each(rows)("%s", (_title, given, voters, learners = "") => {
    const decision = decide(given);
    if (voters === null) return expect(decision).toBeNull();
    expect([...(decision?.voters ?? [])].sort().join("")).toBe(voters);
    expect([...(decision?.learners ?? [])].sort().join("")).toBe(learners);
    expect(decision?.reason).toMatch(/^\S.*\.$/);
  });
}

describe("who comes", () => {
  hold([
    ["alone: nothing to do", input("a", ""), null],
    ["a newcomer learns first", input("a", "", { b: {} }), "a", "b"],
    ["two: one votes", input("a", "b"), null],
    ["three: all vote", input("a", "bc"), "abc"],
    ["one that is fed but has acknowledged nothing is not counted", input("a", "bc", { c: { matchIndex: 0 } }), null],
    ["one that is not fed by the leader is not counted", input("a", "bc", { c: { matchIndex: null } }), null],
    ["one that lags is not counted", { ...input("a", "bc"), commitIndex: 151 }, null],
    ["one that has just come is not counted", input("a", "bc", { c: fresh }), null],
    ["one that came, went and came waits twice as long", input("a", "bc", { c: { stableMs: 1999, breaks: 1 } }), null],
    ["... and then is counted", input("a", "bc", { c: { stableMs: 2000, breaks: 1 } }), "abc"],
    ["one whose storage failed is not counted", input("a", "bc", { c: { storageOk: false } }), "a", "b"],
    ["four: three vote", input("abc", "d"), null],
    ["five: all vote", input("abc", "de"), "abcde"],
    ["seven: five vote", input("abcde", "fg"), null],
    ["no more than two at a time", input("a", "bcde"), "abc", "de"],
  ]);
});

describe("who goes", () => {
  hold([
    ["a voter that is silent for less than ten seconds stays", input("abc", "", { c: quiet }), null],
    ["... even if there is somebody in its place", input("abc", "d", { c: quiet }), null],
    ["a voter silent for ten seconds is replaced", input("abc", "d", { c: silent }), "abd"],
    ["a voter gone for certain is replaced at once", input("abc", "d", { c: gone }), "abd"],
    ["... but not by one that has just come", input("abc", "d", { c: gone, d: fresh }), null],
    ["two of five that are gone are replaced together", input("abcde", "fgh", { d: gone, e: gone }), "abcfg", "h"],
    ["without a replacement a voter gone for certain may be back from a reload", input("abc", "", { c: gone }), null],
    ["... and is given up after two seconds: one votes, one learns", input("abc", "", { c: goneFor2s }), "a", "b"],
    ["a silent voter is given up after ten", input("abc", "", { c: silent }), "a", "b"],
    ["four of five are left: three vote", input("abcde", "", { e: silent }), "abc", "d"],
    ["three of five are left: three vote", input("abcde", "", { d: silent, e: goneFor2s }), "abc"],
    ["one of five is replaced though another is away for a moment", input("abcde", "f", { d: quiet, e: gone }), "abcdf"],
    ["a voter whose storage failed is replaced", input("abc", "d", { c: { storageOk: false } }), "abd"],
    ["a voter that nobody ever saw is given up", { ...input("abc", ""), nodes: [node("a"), node("b")] }, "a", "b"],
    ["a learner gone is dismissed", input("a", "b", { b: silent }), "a"],
    ["a learner that may be back from a reload is not", input("a", "b", { b: gone }), null],
    ["the living are no majority: nothing can be done", input("abc", "", { b: quiet, c: silent }), null],
    ["... nor with a replacement at hand", input("abc", "de", { b: silent, c: silent }), null],
  ]);
});

describe("nodes without a tab, which another tab runs too", () => {
  const adopted = (adoptedMs: number) => ({ connected: false, silentMs: 20_000, adoptedMs });
  hold([
    ["vote for a while: their tabs may come back", input("abc", "", { b: adopted(9999), c: adopted(9999) }), null],
    ["make room at last", input("abc", "", { b: adopted(10_000), c: adopted(10_000) }), "a"],
    ["make room for tabs at once", input("abc", "de", { b: adopted(0), c: adopted(0) }), "ade"],
    ["are no candidates", input("a", "bc", { b: adopted(100), c: adopted(100) }), null],
  ]);
});

describe("two tabs of one browser are one point of failure", () => {
  const three = { d: on("two", settled), e: on("three", settled) };
  hold([
    ["another device is preferred", input("a", "bcd", { d: on("two") }), "abd", "c"],
    ["two other devices are preferred", input("a", "bcde", three), "ade", "bc"],
    ["three voters on three devices stay three", input("ade", "bc", three), null],
    ["a healthy voter makes room for another device", input("abc", "de", three), "ade", "bc"],
    ["... but not for one that has not been there for long", input("abc", "de", { d: on("two"), e: on("three") }), null],
    ["... and not if nothing is won by it", input("abc", "d", { d: on("two", settled) }), null],
    ["five on three devices: two, two and one", input("abc", "de", { c: on("two"), d: on("two"), e: on("three") }), "abcde"],
    ["visibility alone moves nobody", input("abc", "d", { b: { visible: false }, d: settled }), null],
    ["a visible tab is chosen before a hidden one", input("a", "bcd", { b: { visible: false } }), "acd", "b"],
    ["a steady tab is chosen before one that comes and goes", input("a", "bcd", { b: { breaks: 1 } }), "acd", "b"],
  ]);
});

describe("by hand", () => {
  hold([
    ["a pinned learner gets a vote in another's place", { ...input("abc", "d"), pinned: ["d"] }, "abd", "c"],
    [
      "a pinned voter stays a voter when the cluster shrinks",
      { ...input("abcde", "", { b: silent }), pinned: ["e"] },
      "ace",
      "d",
    ],
    ["a pinned voter that is gone is replaced all the same", { ...input("abc", "d", { c: gone }), pinned: ["c"] }, "abd"],
    ["pinned in a cluster of two: both vote", { ...input("ab", ""), pinned: ["b"] }, null],
    ["whose vote was taken gets none again", { ...input("a", "bc"), barred: ["c"] }, null],
    ["... and another gets it", { ...input("abc", "d"), barred: ["c"] }, "abd", "c"],
    ["an even number is made odd", input("ab", ""), "a", "b"],
  ]);
});

describe("steps", () => {
  test("a step that the living cannot make, or that leaves fewer to vanish, is not safe", () => {
    const nodes = [node("a"), node("b"), node("c", silent), node("d", silent), node("e")];
    const safe = (current: string, next: string): boolean => isSafe(idsOf(current), idsOf(next), nodes);
    expect(safe("abc", "a")).toBe(true);
    expect(safe("abe", "abc")).toBe(false);
    expect(safe("acd", "abe")).toBe(false);
    expect(safe("abe", "acd")).toBe(false);
    expect(safe("abe", "a")).toBe(true);
  });

  test("from any beginning the policy comes to rest, and then never moves while nothing changes", () => {
    const nodes = idsOf("abcdefghi").map((id, at) => node(id, { ...settled, device: `${at % 4}`, visible: at % 3 > 0 }));
    let configuration = { voters: ["a"], votersOld: [], learners: [] as readonly NodeId[] };
    let steps = 0;
    for (;;) {
      const decision = decide({ self: "a", configuration, commitIndex: 50, nodes });
      if (!decision) break;
      expect(isSafe(configuration.voters, decision.voters, nodes)).toBe(true);
      configuration = { voters: [...decision.voters], votersOld: [], learners: [...decision.learners] };
      expect(++steps).toBeLessThan(5);
    }
    expect(configuration.voters).toHaveLength(5);
  });

  test("the leader feeds those itself that would be next: one, and one for each voter that is lacking", () => {
    expect(standbys(input("abcde", "fgh", { f: { matchIndex: null }, g: { device: "two" } }))).toEqual(["g"]);
    expect(standbys(input("abcde", "fgh", { e: gone }))).toEqual(["f", "g"]);
    expect(standbys(input("abc", "", {}))).toEqual([]);
  });
});
