/** The sum that `npm test` ends with counts everything that did not pass, in whatever way. */
import { expect, test } from "vitest";
import { countE2e, countUnits } from "./test.mjs";

const passed = { status: "passed" };
const failed = { status: "failed" };
const file = (status: string, assertionResults: { status: string }[]) => ({ status, assertionResults });

test("units: a failed test, one that was left out, and a file that could not be loaded each count once", () => {
  const report = (numPassedTests: number, numTotalTests: number, testResults: ReturnType<typeof file>[]) =>
    countUnits({ numPassedTests, numTotalTests, testResults });
  expect(report(2, 2, [file("passed", [passed, passed])])).toEqual({ passed: 2, failed: 0 });
  expect(report(1, 2, [file("failed", [passed, failed])])).toEqual({ passed: 1, failed: 1 });
  expect(report(1, 2, [file("passed", [passed, { status: "skipped" }])])).toEqual({ passed: 1, failed: 1 });
  expect(report(1, 1, [file("passed", [passed]), file("failed", [])])).toEqual({ passed: 1, failed: 1 });
});

test("e2e: skipped and flaky tests and errors outside of tests have not passed", () => {
  const stats = { expected: 3, unexpected: 0, flaky: 0, skipped: 0 };
  expect(countE2e({ stats, errors: [] })).toEqual({ passed: 3, failed: 0 });
  expect(countE2e({ stats: { ...stats, unexpected: 1, flaky: 1, skipped: 1 }, errors: ["no browser"] })).toEqual({
    passed: 3,
    failed: 4,
  });
});
