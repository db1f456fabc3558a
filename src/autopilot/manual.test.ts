/** What a person may do to the cluster by hand, and what is refused with which reason. */
import { describe, expect, test } from "vitest";
import type { NodeId } from "../raft/types.ts";
import type { Health } from "./health.ts";
import { judge, type ManualVerb, whyNotTransfer } from "./manual.ts";
import type { AutopilotInput } from "./policy.ts";

const ids = (list: string): NodeId[] => list.split("");
const away: Partial<Health> = { connected: false, silentMs: 3000 };

function input(voters: string, learners: string, others: { readonly [id: string]: Partial<Health> } = {}): AutopilotInput {
  const whole = { connected: true, silentMs: 0, goneMs: null, matchIndex: 50, visible: true, device: "", storageOk: true };
  const all = [...new Set([...ids(voters), ...ids(learners), ...Object.keys(others)])];
  const nodes = all.map((id) => ({ id, ...whole, stableMs: 5000, breaks: 0, ...others[id] }));
  return { self: "a", configuration: { voters: ids(voters), votersOld: [], learners: ids(learners) }, commitIndex: 50, nodes };
}

describe("by hand", () => {
  const rows: [verb: ManualVerb, id: NodeId, given: AutopilotInput, outcome: string | RegExp][] = [
    ["add", "b", input("a", "", { b: {} }), "a+b"],
    ["add", "b", input("a", "b"), /member already/],
    ["add", "b", input("a", "", { b: away }), /No tab of this document answers/],
    ["add", "x", input("a", ""), /No tab of this document answers/],
    ["promote", "b", input("a", "b"), "ab+"],
    ["promote", "d", input("abc", "d", { c: away }), "abcd+"],
    ["promote", "d", input("abc", "d", { b: away, c: away }), /Too few voters answer/],
    ["promote", "b", input("ab", ""), /votes already/],
    ["promote", "x", input("a", ""), /no member/],
    ["promote", "b", input("a", "b", { b: away }), /does not answer/],
    ["promote", "b", input("a", "b", { b: { matchIndex: null } }), /not caught up/],
    ["promote", "b", input("a", "b", { b: { storageOk: false } }), /storage/],
    ["demote", "c", input("abc", ""), "ab+c"],
    ["demote", "b", input("a", "b"), /no vote to lose/],
    ["demote", "a", input("abc", ""), /hand its office over first/],
    ["demote", "b", input("abc", "", { c: away }), /only 1 of 2 voters would answer/],
    ["demote", "c", input("abc", "", { c: away }), "ab+c"],
    ["demote", "e", input("abcde", "", { b: away, c: away }), /2 of 4 voters would answer/],
    ["remove", "c", input("abc", ""), "ab+"],
    ["remove", "b", input("a", "b"), "a+"],
    ["remove", "b", input("abc", "", { c: away }), /only 1 of 2 voters would answer/],
    ["remove", "a", input("abc", ""), /hand its office over first/],
    ["remove", "x", input("a", ""), /no member/],
    ["remove", "b", input("abc", "", { b: away, c: away }), /Too few voters answer/],
  ];
  test.each(rows)("%s %s (%#)", (verb, id, given, outcome) => {
    const verdict = judge({ verb, id }, given);
    if ("refusal" in verdict) return expect(verdict.refusal).toMatch(outcome);
    const { voters, learners } = verdict.change;
    expect(`${[...voters].sort().join("")}+${[...learners].sort().join("")}`).toMatch(outcome);
  });

  test("the office goes to a voter that is there and has the log", () => {
    expect(whyNotTransfer("b", input("abc", ""))).toBeNull();
    expect(whyNotTransfer(null, input("abc", "", { b: away }))).toBeNull();
    expect(whyNotTransfer(null, input("ab", "c", { b: away }))).toMatch(/No other voter/);
    expect(whyNotTransfer("a", input("abc", ""))).toMatch(/leads already/);
    expect(whyNotTransfer("d", input("abc", "d"))).toMatch(/only a voter/);
    expect(whyNotTransfer("b", input("abc", "", { b: { matchIndex: null } }))).toMatch(/lags behind/);
    expect(whyNotTransfer("b", input("abc", "", { b: away }))).toMatch(/does not answer/);
  });
});
