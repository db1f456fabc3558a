/** Two hundred seeds in virtual time, the seeds that failed once, and that a seed is all that a run depends on. */
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { alwaysMeet } from "./configuration-laws.ts";
import { addResult, createTotals, missingFaults, missingSituations, nodesOf, runSeed } from "./report.ts";
import { Simulation } from "./simulation.ts";
import { traceStep } from "./trace.ts";

const steps = 3000;

function hold(seed: number, nodes: number) {
  const result = runSeed(seed, steps, nodes);
  if ("replay" in result) throw new Error(`${result.message}\n${result.replay}\n${result.lines.join("\n")}`);
  return result;
}

describe("simulation", () => {
  const totals = createTotals();
  for (let from = 1; from <= 200; from += 25) {
    test(`seeds ${from} to ${from + 24} hold every law`, () => {
      for (let seed = from; seed < from + 25; seed++) addResult(totals, hold(seed, nodesOf(seed)));
    });
  }

  test("every kind of fault has happened, and every situation that is not of the rarest was reached", () => {
    expect(totals.seeds).toBe(200);
    expect(missingFaults(totals)).toEqual([]);
    expect(missingSituations(totals)).toEqual([]);
  });
});

describe("seeds that failed once", () => {
  const pinned: readonly (readonly [seed: number, nodes: number, what: string])[] = [
    [84, 5, "former voters must campaign, or nobody can"],
    [30, 1, "a node alone"],
    [2, 3, "three nodes"],
    [4, 5, "five nodes"],
    [52, 3, "a snapshot that is older than the log's base once it has arrived"],
    [324, 5, "five nodes, one of which could not win and kept the others from asking"],
    [144, 5, "the same with a shorter election timeout"],
    [62, 3, "a session whose registration was lost on its way to the leader"],
  ];
  for (const [seed, nodes, what] of pinned) test(`${seed} with ${nodes}: ${what}`, () => void hold(seed, nodes));
});

describe("determinism", () => {
  function traceOf(seed: number): string {
    const hash = createHash("sha256");
    const simulation: Simulation = new Simulation({
      seed,
      steps: 2000,
      nodes: 5,
      onStep: (...step) => hash.update(`${JSON.stringify(traceStep(simulation.steps, ...step))}\n`),
    });
    simulation.run();
    return hash.digest("hex");
  }

  test("the same seed gives byte-identical traces", () => {
    for (const seed of [1, 2, 3]) expect(traceOf(seed)).toBe(traceOf(seed));
  });

  test("another seed gives another trace", () => {
    expect(traceOf(1)).not.toBe(traceOf(2));
  });
});

describe("the laws themselves", () => {
  const of = (voters: readonly string[], votersOld: readonly string[] = []) => ({ voters, votersOld, learners: [] });

  test("quorums of disjoint configurations need not meet; those of a joint one meet both", () => {
    expect(alwaysMeet(of(["a", "b", "c"]), of(["c", "d", "e"]))).toBe(false);
    expect(alwaysMeet(of(["a", "b", "c"]), of(["c", "d", "e"], ["a", "b", "c"]))).toBe(true);
    expect(alwaysMeet(of(["c", "d", "e"], ["a", "b", "c"]), of(["c", "d", "e"]))).toBe(true);
    expect(alwaysMeet(of(["a", "b", "c"]), of(["a", "b", "c", "d"]))).toBe(true);
    expect(alwaysMeet(of(["a", "b", "c"]), of(["b", "c", "d", "e", "f"]))).toBe(false);
  });
});
