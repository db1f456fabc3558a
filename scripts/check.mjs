/** `npm run check`: types, lint, format, tidy. Reads only. Its steps are part of `npm test` too. */
import { inSeconds, runTool } from "./process.mjs";
import { setUp } from "./setup.mjs";

/** @typedef {{ title: string, run: () => Promise<import("./process.mjs").Ended> }} Step */

/** @type {readonly Step[]} */
export const STATIC_STEPS = [
  { title: "types", run: () => runTool("typescript", "tsc", ["-p", "tsconfig.json", "--pretty", "false"]) },
  {
    title: "types of the pure rooms",
    run: () => runTool("typescript", "tsc", ["-p", "tsconfig.pure.json", "--pretty", "false"]),
  },
  { title: "lint and format", run: () => runTool("@biomejs/biome", "biome", ["ci", "--colors=off", "--error-on-warnings", "."]) },
];

/** @type {Step} */
const TIDY = { title: "tidy", run: () => runTool("vitest", "vitest", ["run", "--reporter=dot", "scripts/tidy"]) };

/**
 * Runs the steps side by side and prints a line for each as it ends, with its output if it failed.
 * @param {readonly Step[]} steps
 * @returns {Promise<number>} how many failed
 */
export async function runSteps(steps) {
  const codes = await Promise.all(
    steps.map(async ({ title, run }) => {
      const ended = await run();
      printStep(title, ended.code === 0, ended.seconds, ended.output);
      return ended.code;
    }),
  );
  return codes.filter((code) => code !== 0).length;
}

/**
 * @param {string} title
 * @param {boolean} passed
 * @param {number} seconds
 * @param {string} output shown if it did not pass
 */
export function printStep(title, passed, seconds, output) {
  process.stdout.write(`${passed ? "ok    " : "FAILED"} ${title}, ${inSeconds(seconds)}\n`);
  if (!passed && output.trim() !== "") process.stdout.write(`${output.trim()}\n`);
}

/** @returns {Promise<number>} */
export default async function main() {
  await setUp();
  return (await runSteps([...STATIC_STEPS, TIDY])) === 0 ? 0 : 1;
}
