/** A seed is all that a simulated run depends on: another machine, here the browser's, takes the same steps to the byte. */
import { expect } from "@playwright/test";
import { nodesOf, traceHash } from "../src/simulator/report.ts";
import { bundle, openBare } from "./harness/bundle.ts";
import { test } from "./harness/test.ts";

declare global {
  interface Window {
    simulatorReport: { readonly traceHash: typeof traceHash };
  }
}

test("the same seed gives the same trace in Node and in the browser", async ({ world }) => {
  const page = await world.device.newPage();
  await openBare(page, "http://simulator.localhost", await bundle("src/simulator/report.ts", "simulatorReport"));
  for (const seed of [4, 13, 50, 100, 122]) {
    const here = traceHash(seed, 1000, nodesOf(seed));
    const there = await page.evaluate(([number, nodes]) => window.simulatorReport.traceHash(number, 1000, nodes), [
      seed,
      nodesOf(seed),
    ] as const);
    expect(there, `seed ${seed}`).toBe(here);
  }
});
