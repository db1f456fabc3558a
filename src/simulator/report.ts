/** What many runs came to: sums, what never happened though it should have, and of each failure how to see it again. */
import { createConfig } from "../raft/mod.ts";
import { LawBroken, situations } from "./law.ts";
import { Simulation, type SimulationResult } from "./simulation.ts";
import { faultKinds, type Plan } from "./swarm.ts";
import { LastSteps, traceStep } from "./trace.ts";
import { chainWorkload } from "./workload-chain.ts";
import type { Chance, Workload } from "./workloads.ts";

export interface Failure {
  readonly seed: number;
  readonly nodes: number;
  readonly law: string;
  readonly message: string;
  /** Of the happenings with faults, so many are enough. */
  readonly steps: number;
  /** The command that shows it again. */
  readonly replay: string;
  /** The last steps of each node, in words. */
  readonly lines: readonly string[];
}

export interface Totals {
  seeds: number;
  /** By seed: hashes of whole traces. The same on any two runs and any two machines. */
  traces: Record<string, string>;
  /** Seeds that gave another trace the second time. */
  unlike: number[];
  counts: Record<string, number>;
  enabled: Record<string, number>;
  faults: Record<string, number>;
  situations: Record<string, number>;
  styles: Record<string, number>;
  workloads: Record<string, number>;
}

/** A batch of fewer seeds may miss a kind or a situation by chance, and is not judged by it. */
export const fullBatch = 200;
/** And these are so rare that only as many seeds as this must come across them. */
export const longBatch = 2000;
const rareSituations: readonly string[] = [
  "thaw with more than 100 messages waiting",
  "entry on a majority, overwritten (Figure 8)",
  "read asked of a deposed leader that has leases",
  "snapshot in place of a longer log",
  "channel reset with a snapshot on its way",
];

export function createTotals(): Totals {
  return { seeds: 0, traces: {}, unlike: [], counts: {}, enabled: {}, faults: {}, situations: {}, styles: {}, workloads: {} };
}

export function addResult(totals: Totals, result: SimulationResult): void {
  const { style, workload, enabled, faults, situations: reached, seed: _seed, ...counts } = result;
  totals.seeds++;
  add(totals.counts, counts);
  add(totals.faults, faults);
  add(totals.situations, reached);
  for (const kind of enabled) add(totals.enabled, { [kind]: 1 });
  add(totals.styles, { [style]: 1 });
  add(totals.workloads, { [workload]: 1 });
}

export function addTotals(totals: Totals, more: Totals): void {
  totals.seeds += more.seeds;
  Object.assign(totals.traces, more.traces);
  totals.unlike.push(...more.unlike);
  for (const part of ["counts", "enabled", "faults", "situations", "styles", "workloads"] as const) add(totals[part], more[part]);
}

function add(sums: Record<string, number>, more: { readonly [name: string]: number | undefined }): void {
  for (const [name, count] of Object.entries(more)) sums[name] = (sums[name] ?? 0) + (count ?? 0);
}

/** Kinds of fault that were switched on somewhere and happened nowhere. */
export function missingFaults(totals: Totals): readonly string[] {
  if (totals.seeds < fullBatch) return [];
  return faultKinds.filter((kind) => (totals.enabled[kind] ?? 0) > 0 && !totals.faults[kind]);
}

export function missingSituations(totals: Totals): readonly string[] {
  if (totals.seeds < fullBatch) return [];
  return situations.filter((name) => !totals.situations[name] && (totals.seeds >= longBatch || !rareSituations.includes(name)));
}

/** The number of nodes that a seed has if nobody says otherwise: 1 to 5. */
export function nodesOf(seed: number): number {
  return 1 + (seed % 5);
}

export function replayCommand(seed: number, steps: number, nodes: number): string {
  return `npm run simulate -- --seeds 1 --from ${seed} --steps ${steps} --nodes ${nodes}`;
}

/** One seed. A failure is run again, ever shorter, until the shortest prefix that still fails is found. */
export function runSeed(seed: number, steps: number, nodes: number): SimulationResult | Failure {
  const simulation = new Simulation({ seed, steps, nodes });
  try {
    return simulation.run();
  } catch (error) {
    return explain(seed, shorten(seed, Math.min(steps, simulation.steps), nodes), nodes, error);
  }
}

function fails(seed: number, steps: number, nodes: number): boolean {
  try {
    new Simulation({ seed, steps, nodes }).run();
    return false;
  } catch {
    return true;
  }
}

/** By halving: where it fails, a shorter one is tried. */
function shorten(seed: number, most: number, nodes: number): number {
  let [least, enough] = [1, most];
  while (least < enough) {
    const middle = (least + enough) >> 1;
    if (fails(seed, middle, nodes)) enough = middle;
    else least = middle + 1;
  }
  return enough;
}

/** Of so many seeds one is run twice more, with its trace. */
export const tracedEvery = 50;

/** @returns a hash of every byte of the trace of a seed */
export function traceHash(seed: number, steps: number, nodes: number): string {
  let [low, high] = [0x811c9dc5, 0x1000193];
  const simulation: Simulation = new Simulation({
    seed,
    steps,
    nodes,
    onStep: (...step) => {
      const line = JSON.stringify(traceStep(simulation.steps, ...step));
      for (let at = 0; at < line.length; at++) {
        low = Math.imul(low ^ line.charCodeAt(at), 0x01000193);
        high = Math.imul(high + line.charCodeAt(at), 0x85ebca6b) ^ (high >>> 13);
      }
    },
  });
  simulation.run();
  return [low, high].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("");
}

/** Twice the same, or it is noted. */
export function addTrace(totals: Totals, seed: number, steps: number, nodes: number): void {
  const hash = traceHash(seed, steps, nodes);
  totals.traces[seed] = hash;
  if (traceHash(seed, steps, nodes) !== hash) totals.unlike.push(seed);
}

const linesEach = 8;

function explain(seed: number, steps: number, nodes: number, first: unknown): Failure {
  const last = new LastSteps(linesEach);
  const simulation: Simulation = new Simulation({
    seed,
    steps,
    nodes,
    onStep: (...step) => last.add(traceStep(simulation.steps, ...step)),
  });
  let error = first;
  try {
    simulation.run();
  } catch (again) {
    error = again;
  }
  const message = error instanceof Error ? error.message : String(error);
  const law = error instanceof LawBroken ? error.law : "No throw";
  return { seed, nodes, law, message, steps, replay: replayCommand(seed, steps, nodes), lines: last.lines() };
}

/** Calm and steady, as a measure of speed: 5 nodes, heartbeats of 100 ms, 20 proposals a virtual second, every law. Returns virtual milliseconds. */
export function runCalm(seed: number, steps: number): number {
  const network = { maxDelayMs: 20, lossPercent: 0, duplicatePercent: 0, latePercent: 0, ordered: true };
  const pace = { autopilot: false, bursts: false, proposalPauseMs: 50 };
  const plan: Partial<Plan> = { style: "calm", kinds: new Set(), config: createConfig(), network, ...pace };
  const workload = (chance: Chance): Workload<unknown, unknown> =>
    chainWorkload(chance, 0) as unknown as Workload<unknown, unknown>;
  return new Simulation({ seed, steps, nodes: 5, plan, workload }).run().virtualMs;
}
