/**
 * `npm run mutants -- [--only TEXT] [--every] [--jobs 1..4] [--json]`: breaks the core and its driver on purpose, one rule at a time, in a copy of
 * the tree; every break must be caught, and no harmless change may be.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { CHECKS } from "./mutants-checks.mjs";
import { CONTROLS, MUTATIONS } from "./mutants-list.mjs";
import { Failure, isStopping, root } from "./process.mjs";
import { setUp } from "./setup.mjs";

/** @typedef {import("./mutants-list.mjs").Mutation} Mutation */
/** @typedef {import("./mutants-checks.mjs").Finding} Finding */

/**
 * @typedef {object} Verdict
 * @property {string} rule
 * @property {string} file
 * @property {boolean} control
 * @property {string | null} check the first that caught it
 * @property {string | null} law
 * @property {number} cpuSeconds of all checks until it was caught
 * @property {number} [seeds]
 * @property {number} [depth]
 * @property {boolean} hung
 * @property {Record<string, string>} others with `--every`: what the later checks say
 */

const usage = "Usage: npm run mutants -- [--only TEXT] [--every] [--jobs 1..4] [--json]";
/** Processor time within which a mutant must be caught. */
const limitSeconds = 60;
const wantedMutants = 30;
const wantedControls = 5;

/** @param {readonly string[]} args */
function readSettings(args) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        only: { type: "string" },
        every: { type: "boolean", default: false },
        jobs: { type: "string", default: "2" },
        json: { type: "boolean", default: false },
      },
    });
    const jobs = Number(values.jobs);
    if (![1, 2, 3, 4].includes(jobs)) throw new Failure(usage);
    return { only: values.only ?? "", every: values.every, jobs, json: values.json };
  } catch (error) {
    throw error instanceof Failure ? error : new Failure(`${error instanceof Error ? error.message : error}\n${usage}`);
  }
}

/** @param {Mutation} mutation @param {string} tree */
function mutated({ rule, file, from, to }, tree) {
  const text = readFileSync(join(tree, file), "utf8");
  const count = text.split(from).length - 1;
  if (count !== 1) throw new Failure(`"${rule}" does not apply: its text stands ${count} times in ${file}, not once:\n${from}`);
  return text.replace(from, () => to);
}

/**
 * Of what the checks need; the packages are shared.
 * @param {string} tree
 */
function copyOf(tree) {
  const copy = mkdtempSync(join(tmpdir(), "tabraft-mutants-"));
  for (const name of [
    "src",
    "scripts",
    "signaling-server",
    "package.json",
    "tsconfig.json",
    "tsconfig.base.json",
    "vite.config.ts",
  ])
    cpSync(join(tree, name), join(copy, name), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"), "dir");
  return copy;
}

/**
 * @param {string} copy
 * @param {Mutation} mutation
 * @param {boolean} control
 * @param {boolean} every
 * @returns {Promise<Verdict>}
 */
async function judge(copy, mutation, control, every) {
  const { rule, file, scope } = mutation;
  /** @type {Verdict} */
  const verdict = { rule, file, control, check: null, law: null, cpuSeconds: 0, hung: false, others: {} };
  const path = join(copy, file);
  const original = readFileSync(path, "utf8");
  writeFileSync(path, mutated(mutation, copy));
  try {
    for (const { name, run } of CHECKS) {
      if (isStopping() || (verdict.check !== null && !every)) break;
      const { law: found, brokeOff, cpuSeconds, seeds, depth, hung } = await run(copy, scope);
      // A check that does not even run with a harmless change says nothing of any other.
      const law = found ?? (control && brokeOff !== undefined ? `broke off: ${brokeOff}` : null);
      // A check that was ended with the rest has found nothing.
      if (isStopping()) break;
      if (verdict.check === null) {
        verdict.cpuSeconds += cpuSeconds;
        verdict.hung ||= hung ?? false;
        if (law !== null) Object.assign(verdict, { check: name, law, seeds, depth });
      } else if (law !== null)
        verdict.others[name] = `${law}${seeds ? ` (seed ${seeds})` : ""}${depth ? ` (depth ${depth})` : ""}`;
    }
  } finally {
    writeFileSync(path, original);
  }
  return verdict;
}

/** @param {Verdict} verdict */
function holds({ control, check, cpuSeconds }) {
  return control ? check === null : check !== null && cpuSeconds <= limitSeconds;
}

/** @param {Verdict} verdict */
function tell(verdict) {
  const { rule, control, check, law, cpuSeconds, seeds, depth, hung, others } = verdict;
  const state = holds(verdict) ? "ok   " : "FAILS";
  const time = `${cpuSeconds.toFixed(0)} s`.padStart(5);
  const how = check === null ? `${control ? "not " : "NOT "}caught${hung ? " (it hung)" : ""}` : `${check}: ${law}`;
  const after = seeds && check !== null ? ` (seed ${seeds})` : depth ? ` (after ${depth} actions)` : "";
  process.stdout.write(`${state} ${time}  ${rule}\n               ${how}${after}\n`);
  for (const [name, words] of Object.entries(others)) process.stdout.write(`               also ${name}: ${words}\n`);
}

/**
 * Side by side, each in a copy of its own; controls first: a check that fails without a mutation says nothing of any.
 * @param {ReturnType<typeof readSettings>} settings
 * @returns {Promise<Verdict[]>}
 */
async function judgeAll({ only, every, jobs, json }) {
  const fitting = [
    ...CONTROLS.map((mutation) => ({ mutation, control: true })),
    ...MUTATIONS.map((mutation) => ({ mutation, control: false })),
  ].filter(({ mutation }) => mutation.rule.includes(only) || mutation.file.includes(only));
  if (fitting.length === 0) throw new Failure(`there is no mutation with "${only}"`);
  for (const { mutation } of fitting) mutated(mutation, root);
  // All are judged by the tree as it is now, whatever is edited meanwhile.
  const copies = [copyOf(root)];
  while (copies.length < jobs) copies.push(copyOf(copies[0] ?? root));
  /** @type {Verdict[]} */
  const verdicts = [];
  const next = fitting[Symbol.iterator]();
  const work = async (/** @type {string} */ copy) => {
    try {
      for (const { mutation, control } of next) {
        if (isStopping()) break;
        const verdict = await judge(copy, mutation, control, every);
        verdicts.push(verdict);
        if (!json) tell(verdict);
      }
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
  };
  await Promise.all(copies.map(work));
  return verdicts;
}

/** @param {readonly Verdict[]} verdicts @param {boolean} all */
function targetsOf(verdicts, all) {
  const mutants = verdicts.filter(({ control }) => !control);
  const controls = verdicts.filter(({ control }) => control);
  const uncaught = mutants.filter((one) => !holds(one)).length;
  const caught = controls.filter((one) => !holds(one)).length;
  const targets = [
    { name: `mutants not caught within ${limitSeconds} s of processor time`, value: uncaught, target: 0, holds: uncaught === 0 },
    { name: "harmless changes that were caught", value: caught, target: 0, holds: caught === 0 },
  ];
  if (!all) return targets;
  return [
    ...targets,
    { name: "mutants", value: mutants.length, target: wantedMutants, holds: mutants.length >= wantedMutants },
    { name: "harmless changes", value: controls.length, target: wantedControls, holds: controls.length >= wantedControls },
  ];
}

/**
 * @param {readonly string[]} args
 * @returns {Promise<number>}
 */
export default async function main(args) {
  const settings = readSettings(args);
  await setUp();
  const started = performance.now();
  const verdicts = await judgeAll(settings);
  const targets = targetsOf(verdicts, settings.only === "");
  const seconds = (performance.now() - started) / 1000;
  if (settings.json) {
    const machine = `${process.platform} ${process.arch}, ${cpus().length} x ${cpus()[0]?.model.trim()}, Node ${process.version}`;
    process.stdout.write(`${JSON.stringify({ name: "mutants", machine, figures: { seconds, verdicts }, targets })}\n`);
  } else {
    process.stdout.write(`${verdicts.length} changes in ${seconds.toFixed(0)} s\n`);
    for (const { name, value, holds: held } of targets) process.stdout.write(`${held ? "holds " : "FAILS "} ${name}: ${value}\n`);
  }
  return targets.every((target) => target.holds) ? 0 : 1;
}
