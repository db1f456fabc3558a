/** `npm run explore`: every scope of the walk, one after the other; a violation is told as the shortest way that leads to it. */
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { explore, type Walk } from "./explore.ts";
import { deepScopes, scopes, smallScopes } from "./explore-scopes.ts";

interface Settings {
  /** Fewer and smaller scopes. */
  readonly small: boolean;
  /** `null`: all. */
  readonly only: string | null;
  readonly json: boolean;
}

interface TimedWalk extends Walk {
  readonly seconds: number;
  readonly statesPerSecond: number;
}

const named = [...scopes, ...smallScopes, ...deepScopes];
const usage = "Usage: npm run explore -- [--small] [--scope NAME] [--json]";
const wantedStates = 1_000_000;

function readSettings(): Settings | string {
  try {
    const { values } = parseArgs({
      options: {
        small: { type: "boolean", default: false },
        scope: { type: "string" },
        json: { type: "boolean", default: false },
      },
    });
    const names = named.map(({ name }) => name);
    if (values.scope !== undefined && !names.includes(values.scope)) return `the scopes are ${names.join(", ")}\n${usage}`;
    return { small: values.small, only: values.scope ?? null, json: values.json };
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}\n${usage}`;
  }
}

function chosen({ only, small }: Settings): typeof scopes {
  if (only !== null) return named.filter(({ name }) => name === only);
  return small ? smallScopes : scopes;
}

function walk(scope: (typeof scopes)[number]): TimedWalk {
  const begun = performance.now();
  const walked = explore(scope);
  const seconds = (performance.now() - begun) / 1000;
  return { ...walked, seconds, statesPerSecond: Math.round(walked.states / seconds) };
}

const inWords = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

function tell({ scope, states, transitions, depth, seconds, statesPerSecond, violation }: TimedWalk): void {
  const counts = `${inWords.format(states)} states, ${inWords.format(transitions)} transitions, depth ${depth}`;
  console.log(`${scope}: ${counts}, ${inWords.format(seconds)} s, ${inWords.format(statesPerSecond)} states/s`);
  if (!violation) return;
  console.log(`\n${violation.law}\n\nafter ${violation.actions.length} actions:`);
  for (const [at, line] of violation.actions.entries()) console.log(`${String(at + 1).padStart(4)}  ${line}`);
  console.log("\nbefore the last of them:");
  for (const line of violation.nodes) console.log(`      ${line}`);
  console.log("");
}

function targetsOf(settings: Settings, walks: readonly TimedWalk[], states: number) {
  const violations = walks.filter(({ violation }) => violation).length;
  const unfinished = walks.filter(({ complete }) => !complete).length;
  const targets = [
    { name: "scopes with a violation", value: violations, target: 0, holds: violations === 0 },
    { name: "scopes that were not finished", value: unfinished, target: 0, holds: unfinished === 0 },
  ];
  if (settings.small || settings.only !== null) return targets;
  return [...targets, { name: "distinct states", value: states, target: wantedStates, holds: states >= wantedStates }];
}

function run(settings: Settings): number {
  const walks: TimedWalk[] = [];
  for (const scope of chosen(settings)) {
    const one = walk(scope);
    walks.push(one);
    if (!settings.json) tell(one);
    if (one.violation) break;
  }
  const sum = (key: "states" | "transitions" | "seconds"): number => walks.reduce((total, one) => total + one[key], 0);
  const [states, transitions, seconds] = [sum("states"), sum("transitions"), sum("seconds")];
  const figures = { states, transitions, seconds, statesPerSecond: Math.round(states / seconds), scopes: walks };
  const targets = targetsOf(settings, walks, states);
  const machine = `${process.platform} ${process.arch}, ${cpus().length} x ${cpus()[0]?.model.trim() ?? "unknown"}, Node ${process.version}`;
  if (settings.json) console.log(JSON.stringify({ name: "explore", machine, figures, targets }));
  else {
    console.log(`${inWords.format(states)} states, ${inWords.format(transitions)} transitions in ${inWords.format(seconds)} s`);
    for (const { name, value, holds } of targets) console.log(`${holds ? "holds " : "FAILS "} ${name}: ${inWords.format(value)}`);
  }
  return targets.every(({ holds }) => holds) ? 0 : 1;
}

const settings = readSettings();
if (typeof settings === "string") console.error(settings);
process.exitCode = typeof settings === "string" ? 2 : run(settings);
