import { describe, expect, test } from "vitest";
import type { Generation } from "../raft/types.ts";
import { Meeting, type Side, sharedThrough } from "./meeting.ts";

const first: Generation = { number: 1, id: "a", parentId: null, forkIndex: 0 };
const child: Generation = { number: 2, id: "b", parentId: "a", forkIndex: 7 };
const sibling: Generation = { number: 2, id: "c", parentId: "a", forkIndex: 5 };
const side = (generation: Generation, hasQuorum: boolean): Side => ({ generation, hasQuorum });

/** Looks twice a second, as a node does; when it gave way, in milliseconds. */
function gaveWayAt(own: (now: number) => Side, other: (now: number) => Side | null): number | null {
  const meeting = new Meeting();
  for (let now = 0; now <= 30_000; now += 500) {
    const there = other(now);
    if (meeting.look(now, own(now), there ? [there] : [])) return now;
  }
  return null;
}

describe("a laptop wakes with the old majority", () => {
  test("and whoever had continued without it gives way, as soon as that majority has a leader", () => {
    const wakes = (now: number) => side(first, now >= 3000);
    expect(gaveWayAt(() => side(child, true), wakes)).toBe(5000);
    expect(gaveWayAt(wakes, () => side(child, true))).toBeNull();
  });

  test("alone, without a majority: it gives way, but only when it had time to find one", () => {
    expect(
      gaveWayAt(
        () => side(first, false),
        () => side(child, true),
      ),
    ).toBe(10_000);
    expect(
      gaveWayAt(
        () => side(child, true),
        () => side(first, false),
      ),
    ).toBeNull();
  });
});

describe("two people continue at the same time", () => {
  test("one of them gives way, and the other does not", () => {
    expect(
      gaveWayAt(
        () => side(child, true),
        () => side(sibling, true),
      ),
    ).toBe(2000);
    expect(
      gaveWayAt(
        () => side(sibling, true),
        () => side(child, true),
      ),
    ).toBeNull();
  });

  test("whoever vanishes again settles nothing", () => {
    const comesAndGoes = (now: number) => (now % 2000 < 1500 ? side(sibling, true) : null);
    expect(gaveWayAt(() => side(child, true), comesAndGoes)).toBeNull();
  });
});

test("nobody gives way to a generation that has no majority itself: there would be nowhere to go", () => {
  expect(
    gaveWayAt(
      () => side(child, true),
      () => side(sibling, false),
    ),
  ).toBeNull();
  expect(
    gaveWayAt(
      () => side(first, false),
      () => side(child, false),
    ),
  ).toBeNull();
});

test("nodes of one generation never give way", () => {
  expect(
    gaveWayAt(
      () => side(child, false),
      () => side(child, true),
    ),
  ).toBeNull();
});

test.each([
  ["a child and its parent", child, first, 7],
  ["a parent and its child", first, child, 7],
  ["two children", child, sibling, 5],
  ["others", child, { ...sibling, number: 4, id: "e", parentId: "d" }, null],
])("where the histories of %s part", (_who, own, other, expected) => {
  expect(sharedThrough(own, other)).toBe(expected);
});
