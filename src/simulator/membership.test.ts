/** Tabs that come and go at random under the autopilot; and the oracle by itself, which must be able to blame. */
import { describe, expect, test } from "vitest";
import { type Loss, type TabStory, whyAvoidable } from "./membership-oracle.ts";
import { MembershipRun } from "./membership-run.ts";

describe("tabs that come and go", () => {
  for (let from = 1; from <= 30; from += 10) {
    test(`seeds ${from} to ${from + 9}: no majority is lost that the rules could have kept`, () => {
      for (let seed = from; seed < from + 10; seed++) expect(new MembershipRun(seed).run().acknowledged).toBeGreaterThan(0);
    });
  }

  test("a seed gives the same run twice", () => {
    expect(new MembershipRun(7).run()).toEqual(new MembershipRun(7).run());
  });
});

describe("the oracle", () => {
  const at = 100_000;
  function tab(id: string, diedAt: number | null = null, more: Partial<TabStory> = {}): TabStory {
    return { id, device: id, bornAt: 0, lastBreakAt: Number.NEGATIVE_INFINITY, diedAt, told: true, ...more };
  }
  function loss(voters: string, tabs: readonly TabStory[], more: Partial<Loss> = {}): Loss {
    return { at, configuration: { voters: voters.split(""), votersOld: [], learners: [] }, leaderSince: 1000, tabs, ...more };
  }
  const rows: [title: string, given: Loss, blames: RegExp | null][] = [
    ["two of three die at once: nobody's fault", loss("abc", [tab("a"), tab("b", at), tab("c", at)]), null],
    ["one after the other, sooner than anybody could act", loss("abc", [tab("a"), tab("b", at), tab("c", at - 4000)]), null],
    ["one after the other, late enough", loss("abc", [tab("a"), tab("b", at), tab("c", at - 6000)]), /^c had been dead/],
    ["... if somebody told", loss("abc", [tab("a"), tab("b", at), tab("c", at - 6000, { told: false })]), null],
    [
      "... or it was silent for long",
      loss("abc", [tab("a"), tab("b", at), tab("c", at - 14_000, { told: false })]),
      /^c had been/,
    ],
    [
      "... and somebody led all the time",
      loss("abc", [tab("a"), tab("b", at), tab("c", at - 6000)], { leaderSince: at - 2000 }),
      null,
    ],
    ["the only voter dies, of two tabs", loss("a", [tab("a", at), tab("b")]), null],
    ["the only voter dies, of three steady tabs", loss("a", [tab("a", at), tab("b"), tab("c")]), /^1 voters, though 3/],
    ["... one of which had just come", loss("a", [tab("a", at), tab("b"), tab("c", null, { bornAt: at - 5000 })]), null],
    [
      "... one of which had come and gone",
      loss("a", [tab("a", at), tab("b"), tab("c", null, { lastBreakAt: at - 50_000 })]),
      null,
    ],
    [
      "a browser dies, and two of three voters were in it, though there was a third",
      loss("abc", [tab("a", at, { device: "x" }), tab("b", at, { device: "x" }), tab("c"), tab("d")]),
      /^x took the majority with it/,
    ],
    [
      "a browser dies, and there were only two",
      loss("abc", [tab("a", at, { device: "x" }), tab("b", at, { device: "x" }), tab("c", null, { device: "y" })]),
      null,
    ],
  ];
  test.each(rows)("%s", (_title, given, blames) => {
    if (blames === null) expect(whyAvoidable(given)).toBeNull();
    else expect(whyAvoidable(given)).toMatch(blames);
  });
});
