/** The rule by which two generations of one room settle which of them goes on. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { survivor } from "./generation.ts";
import { Cluster } from "./testing/cluster.ts";

const first = { number: 1, id: "a", parentId: null };
const child = { number: 2, id: "b", parentId: "a" };
const sibling = { number: 2, id: "c", parentId: "a" };
const grandchild = { number: 3, id: "0", parentId: "b" };

describe("when two generations meet", () => {
  test.each([
    ["a parent with a live quorum wins, whatever its child has", first, true, child, true, "a"],
    ["a parent without one yields to its child", first, false, child, true, "b"],
    ["a parent yields as well if neither has one: its person has decided", first, false, child, false, "b"],
    ["of two children the larger id wins: two people pressed at the same time", child, true, sibling, true, "c"],
    ["... whether or not it has a quorum", child, true, sibling, false, "c"],
    ["the higher number wins over a cousin", sibling, true, grandchild, true, "0"],
    ["the higher number wins over a grandparent", first, true, grandchild, true, "0"],
  ])("%s", (_what, one, oneHasQuorum, other, otherHasQuorum, expected) => {
    const a = { generation: one, hasQuorum: oneHasQuorum };
    const b = { generation: other, hasQuorum: otherHasQuorum };
    expect(survivor(a, b).id).toBe(expected);
    expect(survivor(b, a).id).toBe(expected);
  });

  test("both ends say the same, whatever they are", () => {
    const id = fc.constantFrom("a", "b", "c", "d");
    const side = fc.record({
      generation: fc.record({ number: fc.nat(3), id, parentId: fc.option(id) }),
      hasQuorum: fc.boolean(),
    });
    fc.assert(
      fc.property(side, side, (a, b) => {
        // No two generations are parents of each other.
        fc.pre(!(a.generation.parentId === b.generation.id && b.generation.parentId === a.generation.id));
        fc.pre(a.generation.id !== b.generation.id || a.generation.number === b.generation.number);
        expect(survivor(a, b).id).toBe(survivor(b, a).id);
      }),
    );
  });
});

test("a child keeps what its node had committed and what it had not; a crash right after it began takes nothing back", () => {
  const made = new Cluster();
  made.addVoters(["n1", "n2", "n3"]);
  made.elect("n1");
  made.propose("n1", "a");
  made.settle();
  made.crash("n2");
  made.crash("n3");
  made.propose("n1", "b");
  made.tick(2000, ["n1"]);
  const { commitIndex, hardState } = made.core("n1");
  made.continueWithoutOthers("n1");
  made.restart("n1");
  const core = made.core("n1");
  expect(core.hardState.generation).toMatchObject({ number: 2, parentId: hardState.generation?.id, forkIndex: commitIndex });
  made.run(20);
  expect(made.core("n1").role.kind).toBe("leader");
  expect(made.core("n1").commitIndex).toBe(made.core("n1").log.entries.length);
  expect(made.core("n1").hardState.currentTerm).toBeGreaterThan(hardState.currentTerm);
});
