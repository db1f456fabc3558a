/** `npm run simulate`: many seeds on all cores; a failing one says how to see it again. */
import { fork } from "node:child_process";
import { closeSync, openSync, writeSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { simulateEveryEffect } from "./effects-main.ts";
import { simulateMembership } from "./membership-main.ts";
import {
  addResult,
  addTotals,
  addTrace,
  createTotals,
  type Failure,
  fullBatch,
  longBatch,
  missingFaults,
  missingSituations,
  nodesOf,
  runCalm,
  runSeed,
  type Totals,
  tracedEvery,
} from "./report.ts";
import { Simulation } from "./simulation.ts";
import { traceStep } from "./trace.ts";

interface Settings {
  readonly seeds: number;
  readonly from: number;
  readonly steps: number;
  /** `null`: one to five, by the seed. */
  readonly nodes: number | null;
  readonly json: boolean;
  readonly trace: string | null;
}

const usage = `Usage: npm run simulate -- [--seeds N] [--from S] [--steps K] [--nodes 1..9] [--json] [--trace FILE]
       npm run simulate -- --membership [--seeds N] [--from S] [--json]
       npm run simulate -- --every-effect [--seeds N] [--from S] [--steps K] [--nodes 1..9] [--json]

Runs N seeds from S on, K happenings each with faults, and then an end in which a part of the cluster must recover.
A batch of ${fullBatch} seeds or more fails as well if a kind of fault that was switched on never happened, or if a rare
situation was never reached (the rarest: in ${longBatch} or more). --trace FILE writes each step as a line of JSON; one seed.
--every-effect: a crash before each write and message of each seed in turn, once with and once without the write under way.
--membership: tabs open, reload, close and die at random; a majority that the autopilot could have kept must not be lost.`;

function readSettings(args: readonly string[]): Settings | string {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        seeds: { type: "string" },
        from: { type: "string", default: "1" },
        steps: { type: "string", default: "4000" },
        nodes: { type: "string" },
        json: { type: "boolean", default: false },
        trace: { type: "string" },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) return usage;
    const trace = values.trace ?? null;
    const seeds = Number(values.seeds ?? (trace === null ? "100" : "1"));
    const [from, steps] = [Number(values.from), Number(values.steps)];
    const nodes = values.nodes === undefined ? null : Number(values.nodes);
    const counts = [seeds, from, steps, nodes ?? 1];
    if (!counts.every((count) => Number.isSafeInteger(count) && count > 0) || (nodes ?? 1) > 9) return usage;
    if (trace !== null && seeds !== 1) return `--trace is of one seed\n${usage}`;
    return { seeds, from, steps, nodes, json: values.json, trace };
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}\n${usage}`;
  }
}

// ---- one process ----

/** Seeds of a batch, and what to run them with. */
interface Task {
  readonly from: number;
  readonly seeds: number;
  readonly steps: number;
  readonly nodes: number | null;
}

interface Done {
  readonly totals: Totals;
  readonly failures: readonly Failure[];
  readonly cpuSeconds: number;
}

function runTask({ from, seeds, steps, nodes }: Task): Done {
  const totals = createTotals();
  const failures: Failure[] = [];
  const before = process.cpuUsage();
  for (let seed = from; seed < from + seeds; seed++) {
    const result = runSeed(seed, steps, nodes ?? nodesOf(seed));
    if ("replay" in result) {
      totals.seeds++;
      failures.push(result);
      continue;
    }
    addResult(totals, result);
    if (seed % tracedEvery === 0) addTrace(totals, seed, steps, nodes ?? nodesOf(seed));
  }
  const { user, system } = process.cpuUsage(before);
  return { totals, failures, cpuSeconds: (user + system) / 1e6 };
}

/** Told a task, answers with what it came to, until it is told to end. */
function serve(): void {
  process.on("message", (task: Task | "end") => {
    if (task === "end") process.exit(0);
    process.send?.(runTask(task));
  });
}

// ---- all of them ----

const taskSeeds = 20;

function runAll(settings: Settings, onDone: (done: Done) => void): Promise<void> {
  const { steps, nodes } = settings;
  const end = settings.from + settings.seeds;
  let next = settings.from;
  const takeTask = (): Task | null => {
    if (next >= end) return null;
    const from = next;
    next = Math.min(end, from + taskSeeds);
    return { from, seeds: next - from, steps, nodes };
  };
  const workers = Math.min(availableParallelism(), Math.ceil(settings.seeds / taskSeeds));
  return new Promise((resolve, reject) => {
    let running = workers;
    for (let number = 0; number < workers; number++) {
      const child = fork(fileURLToPath(import.meta.url), ["--worker"], { stdio: "inherit" });
      const feed = (): void => {
        child.send(takeTask() ?? "end");
      };
      child.on("message", (done: Done) => {
        onDone(done);
        feed();
      });
      child.on("error", reject);
      child.on("exit", (code) => {
        if (code !== 0) reject(new Error(`a process of the simulation ended with code ${code}`));
        else if (--running === 0) resolve();
      });
      feed();
    }
  });
}

/** Virtual seconds for each of one core: 5 nodes, heartbeats of 100 ms, 20 proposals a second, every law. The best of a few, as other processes only slow it. */
function measureSpeed(): number {
  let best = 0;
  runCalm(1, 300_000);
  for (let seed = 1; seed <= 6; seed++) {
    const before = process.cpuUsage();
    const virtualMs = runCalm(seed, 200_000);
    const { user, system } = process.cpuUsage(before);
    best = Math.max(best, (virtualMs * 1000) / (user + system));
  }
  return best;
}

function tell(failure: Failure): void {
  const { seed, nodes, message, replay, lines } = failure;
  console.log(`seed ${seed}, ${nodes} nodes: ${message}\n  ${replay}\n${lines.join("\n")}`);
}

const speedTarget = 700;

async function run(settings: Settings): Promise<boolean> {
  const totals = createTotals();
  const failures: Failure[] = [];
  const begun = performance.now();
  let cpuSeconds = 0;
  await runAll(settings, (done) => {
    addTotals(totals, done.totals);
    failures.push(...done.failures);
    cpuSeconds += done.cpuSeconds;
    if (!settings.json) for (const failure of done.failures) tell(failure);
    if (!settings.json && totals.seeds % 100 === 0) console.log(`${totals.seeds} seeds: ${failures.length} failed so far`);
  });
  const seconds = (performance.now() - begun) / 1000;
  const { virtualMs = 0, steps = 0, ...counts } = totals.counts;
  const speed = totals.seeds >= fullBatch ? measureSpeed() : null;
  const figures = {
    seeds: totals.seeds,
    steps,
    virtualHours: virtualMs / 3_600_000,
    ...counts,
    faults: totals.faults,
    situations: totals.situations,
    styles: totals.styles,
    workloads: totals.workloads,
    traces: totals.traces,
    seconds,
    stepsPerSecond: steps / seconds,
    timesRealTimePerCore: virtualMs / 1000 / cpuSeconds,
    ...(speed === null ? {} : { calmTimesRealTimePerCore: speed }),
    failures: failures.sort((a, b) => a.seed - b.seed),
  };
  const targets = judge(totals, failures, speed);
  if (settings.json) {
    const machine = `${process.platform} ${process.arch}, ${availableParallelism()} cores, Node ${process.version}`;
    console.log(JSON.stringify({ name: "simulate", machine, figures, targets }));
  } else {
    console.log(figures);
    for (const { name, value, target, holds } of targets)
      console.log(`${holds ? "holds" : "FAILS"}: ${name}: ${value} (${target})`);
  }
  return targets.every(({ holds }) => holds);
}

function judge(totals: Totals, failures: readonly Failure[], speed: number | null) {
  const faults = missingFaults(totals);
  const situations = missingSituations(totals);
  const targets = [
    { name: "seeds that broke a law", value: failures.length, target: 0, holds: failures.length === 0 },
    { name: "kinds of fault that never happened", value: faults.join(", "), target: "", holds: faults.length === 0 },
    { name: "seeds with two traces", value: totals.unlike.join(", "), target: "", holds: totals.unlike.length === 0 },
    { name: "situations never reached", value: situations.join(", "), target: "", holds: situations.length === 0 },
  ];
  const pace = { name: "times real time per core, 5 nodes", value: Math.round(speed ?? 0), target: speedTarget };
  return speed === null ? targets : [...targets, { ...pace, holds: speed >= speedTarget }];
}

function trace(settings: Settings, path: string): boolean {
  const file = openSync(path, "w");
  let lines: string[] = [];
  const flush = (): void => {
    writeSync(file, lines.join(""));
    lines = [];
  };
  const { from: seed, steps } = settings;
  const simulation: Simulation = new Simulation({
    seed,
    steps,
    nodes: settings.nodes ?? nodesOf(seed),
    onStep: (...step) => {
      lines.push(`${JSON.stringify(traceStep(simulation.steps, ...step))}\n`);
      if (lines.length >= 1000) flush();
    },
  });
  try {
    console.log(simulation.run());
    return true;
  } catch (error) {
    console.log(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`);
    return false;
  } finally {
    flush();
    closeSync(file);
  }
}

async function main(args: readonly string[]): Promise<number> {
  const settings = readSettings(args);
  if (typeof settings === "string") {
    console.error(settings);
    return 2;
  }
  const holds = settings.trace === null ? await run(settings) : trace(settings, settings.trace);
  return holds ? 0 : 1;
}

if (process.argv[2] === "--worker") serve();
else if (process.argv.includes("--every-effect")) process.exitCode = simulateEveryEffect(process.argv.slice(2));
else if (process.argv.includes("--membership")) process.exitCode = simulateMembership(process.argv.slice(2));
else process.exitCode = await main(process.argv.slice(2));
