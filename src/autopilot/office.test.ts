import { describe, expect, test } from "vitest";
import type { Millis, NodeId } from "../raft/types.ts";
import { defaultOfficeLimits, handOverTo, type OfficeInput } from "./office.ts";

const other = { id: "b", connected: true, visibleMs: 10_000, matchIndex: 500 };
const base: OfficeInput = { hiddenMs: 5000, changesAgoMs: [], lastLogIndex: 500, voters: [other] };

describe("a leader hands over", () => {
  test.each<[string, Partial<OfficeInput>, string | null]>([
    ["that has been hidden for five seconds, to a visible, caught-up voter", {}, "b"],
    ["not while somebody looks at it", { hiddenMs: null }, null],
    ["not before the five seconds are over", { hiddenMs: 4999 }, null],
    ["not to a hidden tab", { voters: [{ ...other, visibleMs: null }] }, null],
    ["not to a tab that has just been opened for a glance", { voters: [{ ...other, visibleMs: 1999 }] }, null],
    ["not to one that is far behind", { voters: [{ ...other, matchIndex: 399 }] }, null],
    ["not to one whose log it does not know", { voters: [{ ...other, matchIndex: null }] }, null],
    ["not to one that it does not reach", { voters: [{ ...other, connected: false }] }, null],
    ["not for the third time in a minute", { changesAgoMs: [100, 59_000] }, null],
    ["again when a minute has passed", { changesAgoMs: [100, 60_000] }, "b"],
    ["to the one that is looked at longest", { voters: [other, { ...other, id: "a", visibleMs: 20_000 }] }, "a"],
    ["if alone, to nobody", { voters: [] }, null],
  ])("%s", (_what, given, expected) => {
    expect(handOverTo({ ...base, ...given })).toBe(expected);
  });
});

/** Somebody switches between two tabs every `everyMs`; who leads is asked twice a second. */
function changesIn(totalMs: Millis, everyMs: Millis): number {
  let leader: NodeId = "a";
  const changes: Millis[] = [];
  for (let now = 0; now < totalMs; now += 500) {
    const since = now - (now % everyMs);
    const shown = Math.floor(now / everyMs) % 2 === 0 ? "a" : "b";
    const follower = leader === "a" ? "b" : "a";
    const to = handOverTo({
      hiddenMs: shown === leader ? null : now - since,
      changesAgoMs: changes.map((at) => now - at),
      lastLogIndex: 1,
      voters: [{ id: follower, connected: true, visibleMs: shown === follower ? now - since : null, matchIndex: 1 }],
    });
    if (to === null) continue;
    leader = to;
    changes.push(now);
  }
  return changes.length;
}

test("switching tabs to and fro never flaps, at any pace", () => {
  const minutes = 10;
  for (const everyMs of [1000, 2000, 4500, 5000]) expect(changesIn(minutes * 60_000, everyMs)).toBe(0);
  for (const everyMs of [5500, 6000, 8000, 15_000, 60_000])
    expect(changesIn(minutes * 60_000, everyMs)).toBeLessThanOrEqual(minutes * defaultOfficeLimits.maxChanges + 1);
});
