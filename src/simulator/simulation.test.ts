/** A few hundred seeds in virtual time, and the seeds that failed once. */
import { describe, expect, test } from "vitest";
import { Simulation } from "./simulation.ts";

function run(seed: number, nodes = 1 + (seed % 5)) {
  return new Simulation({ seed, steps: 3000, nodes }).run();
}

describe("simulation", () => {
  for (let from = 1; from <= 300; from += 50) {
    test(`seeds ${from} to ${from + 49} hold every law`, () => {
      for (let seed = from; seed < from + 50; seed++) {
        try {
          expect(run(seed).commits).toBeGreaterThan(0);
        } catch (error) {
          throw new Error(`seed ${seed} broke a law`, { cause: error });
        }
      }
    });
  }
});
