/** `npm test`: set-up, a browser too, then every check. Its last line is the sum: `N passed, N failed`. */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { browserPath } from "./browser.mjs";
import { build, isFresh } from "./build.mjs";
import { printStep, runSteps, STATIC_STEPS } from "./check.mjs";
import { E2E_REPORT, runE2e } from "./e2e.mjs";
import { cacheDir, Failure, inSeconds, isStopping, runTool } from "./process.mjs";
import { setUp } from "./setup.mjs";

/** @typedef {{ passed: number, failed: number }} Sum */

const UNITS_REPORT = join(cacheDir, "units.json");

/** @typedef {{ status: string, assertionResults: { status: string }[] }} UnitsFile */
/** @typedef {{ numPassedTests: number, numTotalTests: number, testResults: UnitsFile[] }} UnitsReport */
/** @typedef {{ stats: { expected: number, unexpected: number, flaky: number, skipped: number }, errors: unknown[] }} E2eReport */

/**
 * What a suite's report says. One that broke off, or wrote no report, has failed at least once.
 * @template Report
 * @param {string} path
 * @param {number} code of the suite's process
 * @param {(report: Report) => Sum} count
 * @returns {Sum}
 */
function countReport(path, code, count) {
  let sum = { passed: 0, failed: 0 };
  try {
    sum = count(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    // No report: the suite did not come to its end.
    return { passed: 0, failed: 1 };
  }
  return code !== 0 && sum.failed === 0 ? { ...sum, failed: 1 } : sum;
}

/**
 * A file that could not be loaded has no tests to fail.
 * @param {UnitsReport} report
 * @returns {Sum}
 */
export function countUnits(report) {
  const unloaded = report.testResults.filter(
    (file) => file.status === "failed" && !file.assertionResults.some((one) => one.status === "failed"),
  );
  return { passed: report.numPassedTests, failed: report.numTotalTests - report.numPassedTests + unloaded.length };
}

/**
 * A skipped or flaky test has not passed.
 * @param {E2eReport} report
 * @returns {Sum}
 */
export function countE2e({ stats, errors }) {
  return { passed: stats.expected, failed: stats.unexpected + stats.flaky + stats.skipped + errors.length };
}

/** @returns {Promise<Sum>} */
async function units() {
  rmSync(UNITS_REPORT, { force: true });
  const reporters = ["--reporter=dot", "--reporter=json", `--outputFile.json=${UNITS_REPORT}`];
  const { code, output, seconds } = await runTool("vitest", "vitest", ["run", ...reporters]);
  const sum = countReport(UNITS_REPORT, code, countUnits);
  printStep(`units, simulation and tidy: ${sum.passed} passed`, sum.failed === 0, seconds, output);
  return sum;
}

/** @returns {Promise<Sum>} */
async function buildStep() {
  const { code, output, seconds } = isFresh() ? { code: 0, output: "", seconds: 0 } : await build();
  printStep("build", code === 0, seconds, output);
  return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

/**
 * @param {string} browser
 * @returns {Promise<Sum>}
 */
async function e2e(browser) {
  rmSync(E2E_REPORT, { force: true });
  const { code, seconds } = await runE2e(browser, []);
  const sum = countReport(E2E_REPORT, code, countE2e);
  printStep(`e2e: ${sum.passed} passed`, sum.failed === 0, seconds, "");
  return sum;
}

/**
 * The parts in their order. What cannot be tried for want of an earlier part is not counted a second time.
 * @returns {AsyncGenerator<Sum>}
 */
async function* everything() {
  await setUp();
  /** @type {string | Failure} */
  const browser = await browserPath().catch((error) => {
    if (error instanceof Failure) return error;
    throw error;
  });
  const failed = await runSteps(STATIC_STEPS);
  yield { passed: STATIC_STEPS.length - failed, failed };
  yield await units();
  const built = await buildStep();
  yield built;
  if (browser instanceof Failure) {
    printStep("e2e", false, 0, browser.message);
    yield { passed: 0, failed: 1 };
  } else if (built.failed === 0) {
    yield await e2e(browser);
  } else {
    process.stdout.write("not run: e2e, which needs the build\n");
  }
}

/** @returns {Promise<number>} */
export default async function main() {
  const started = performance.now();
  const sum = { passed: 0, failed: 0 };
  try {
    for await (const part of everything()) {
      if (isStopping()) throw new Failure("Stopped before the end.");
      sum.passed += part.passed;
      sum.failed += part.failed;
    }
  } catch (error) {
    sum.failed += 1;
    process.stdout.write(`${error instanceof Failure ? error.message : error instanceof Error ? error.stack : String(error)}\n`);
  }
  process.stdout.write(`\nin ${inSeconds((performance.now() - started) / 1000)}\n${sum.passed} passed, ${sum.failed} failed\n`);
  return sum.failed === 0 ? 0 : 1;
}
