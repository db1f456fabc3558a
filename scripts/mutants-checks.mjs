/** What is held against a mutated copy of the tree, the cheapest first: units, a small walk, seeds, larger walks. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { root, run } from "./process.mjs";

/**
 * What one check found.
 * @typedef {object} Finding
 * @property {string | null} law the named law or test that failed; null: none
 * @property {number} cpuSeconds
 * @property {number} [seeds] how many were run
 * @property {number} [depth] actions to the violation
 * @property {string} [brokeOff] it could not run at all: its last words
 * @property {boolean} [hung] it was ended because it said nothing for too long
 */

/** @typedef {{ name: string, run: (copy: string, scope: string | undefined) => Promise<Finding> }} Check */

/** A check that says nothing for so long hangs. */
const quietMs = 150_000;

/**
 * @param {string} copy
 * @param {readonly string[]} args
 */
async function measured(copy, args) {
  const cpuFile = join(copy, "cpu-seconds.txt");
  rmSync(cpuFile, { force: true });
  const hook = join(root, "scripts", "mutants-cpu.mjs");
  const ended = await run(process.execPath, ["--import", hook, ...args], { env: { TABRAFT_CPU_FILE: cpuFile }, quietMs });
  const times = existsSync(cpuFile) ? readFileSync(cpuFile, "utf8").trim().split("\n").map(Number) : [];
  // A process that was killed could not say how long it took: at most as long as it ran.
  const cpuSeconds = times.length > 0 ? times.reduce((sum, one) => sum + one, 0) : ended.seconds;
  return { ...ended, cpuSeconds, hung: times.length === 0 && ended.seconds * 1000 >= quietMs };
}

/**
 * The JSON object on the last line.
 * @typedef {{ law: string, actions: string[] }} Violation
 * @typedef {{ figures: { scopes?: { violation: Violation | null }[], failures?: { seed: number, law: string }[] } }} Report
 * @param {string} output
 * @returns {Report | null}
 */
function lastLine(output) {
  try {
    return JSON.parse(output.trim().split("\n").at(-1) ?? "");
  } catch {
    // It broke off before its report.
    return null;
  }
}

/** @typedef {{ name: string, assertionResults: { status: string, fullName: string }[], message: string }} TestFile */

/**
 * @param {readonly string[]} folders
 * @returns {Check["run"]}
 */
const units = (folders) => async (copy) => {
  const report = join(copy, "units.json");
  rmSync(report, { force: true });
  const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
  const ended = await measured(copy, [
    ...[vitest, "run", "--root", copy, "--bail=1", "--pool=threads", "--maxWorkers=1", "--no-isolate", "--no-cache"],
    ...["--reporter=dot", "--reporter=json", `--outputFile.json=${report}`, ...folders],
  ]);
  /** @type {{ testResults: TestFile[] } | null} */
  const results = existsSync(report) ? JSON.parse(readFileSync(report, "utf8")) : null;
  for (const { name, assertionResults, message } of results?.testResults ?? []) {
    const failed = assertionResults.find(({ status }) => status === "failed");
    const file = name.slice(copy.length + 1);
    if (failed) return { ...ended, law: `${file}: ${failed.fullName}` };
    if (ended.code !== 0 && assertionResults.length === 0 && message)
      return { ...ended, law: `${file}: ${message.split("\n")[0]}` };
  }
  // Whatever ended it, no test that has a name did.
  return { ...ended, law: null, ...(results || ended.hung ? {} : { brokeOff: ended.output.trim().split("\n").at(-1) ?? "" }) };
};

/** @type {(args: readonly string[]) => Check["run"]} */
const walk = (args) => async (copy) => {
  const program = join(copy, "src", "simulator", "explore-main.ts");
  const ended = await measured(copy, ["--import", "tsx", program, "--json", ...args]);
  const report = lastLine(ended.output);
  const walks = report?.figures.scopes ?? [];
  const broken = walks.find(({ violation }) => violation)?.violation;
  if (broken) return { ...ended, law: broken.law, depth: broken.actions.length };
  if (report) return { ...ended, law: null };
  return { ...ended, law: ended.hung ? null : `the walk broke off: ${ended.output.trim().split("\n").at(-1)}` };
};

/** Ever more seeds at a time, so that a mutant that falls early costs little. */
const batches = [5, 15, 40, 80];
const stepsOfRun = 3000;

/** @type {Check["run"]} */
const seeds = async (copy) => {
  const program = join(copy, "src", "simulator", "main.ts");
  let from = 1;
  let cpuSeconds = 0;
  for (const count of batches) {
    const range = ["--seeds", String(count), "--from", String(from), "--steps", String(stepsOfRun)];
    const ended = await measured(copy, ["--import", "tsx", program, "--json", ...range]);
    cpuSeconds += ended.cpuSeconds;
    const report = lastLine(ended.output);
    const failures = report?.figures.failures ?? [];
    const [first] = failures;
    if (first) return { law: first.law.split("\n")[0] ?? "", cpuSeconds, seeds: first.seed };
    if (!report) {
      const law = ended.hung ? null : `the simulator broke off: ${ended.output.trim().split("\n").at(-1)}`;
      return { law, cpuSeconds, hung: ended.hung };
    }
    from += count;
    if (cpuSeconds > 25) break;
  }
  return { law: null, cpuSeconds, seeds: from - 1 };
};

/** @type {readonly Check[]} */
export const CHECKS = [
  { name: "units of the core", run: units(["src/raft/"]) },
  { name: "units of the driver", run: units(["src/driver/", "src/simulator/explore-restart"]) },
  { name: "small walk", run: walk(["--small"]) },
  { name: "seeds", run: seeds },
  {
    name: "walk",
    run: async (copy, scope) => (scope ? walk(["--scope", scope])(copy, scope) : { law: null, cpuSeconds: 0 }),
  },
];
