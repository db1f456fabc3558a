/** What every bench tells: figures over repetitions, targets, and whether they hold; for people or as one line of JSON. */
import { cpus } from "node:os";

export interface Target {
  readonly name: string;
  readonly value: number;
  readonly target: number;
  /** Which side of the target is wanted; at least as much, if absent. */
  readonly bound?: "atMost";
  readonly holds: boolean;
}

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export interface Report {
  readonly name: string;
  readonly machine: string;
  readonly figures: Readonly<Record<string, unknown>>;
  /** The bare cost of the same work, measured in the same run. */
  readonly floor?: Readonly<Record<string, unknown>>;
  /** What was measured to its floor. */
  readonly ratio?: Readonly<Record<string, unknown>>;
  readonly targets: readonly Target[];
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  const median = sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
  return { median, min: sorted[0] ?? Number.NaN, max: sorted.at(-1) ?? Number.NaN };
}

export function atLeast(name: string, value: number, target: number): Target {
  return { name, value, target, holds: value >= target };
}

export function atMost(name: string, value: number, target: number): Target {
  return { name, value, target, bound: "atMost", holds: value <= target };
}

export function machineOf(): string {
  const [first] = cpus();
  return `${process.platform} ${process.arch}, ${cpus().length} x ${first?.model.trim() ?? "unknown"}, Node ${process.version}`;
}

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const fine = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });

/** Thousands separated; below a hundred, three digits that count. */
export function inWords(value: number): string {
  return (Math.abs(value) < 100 ? fine : whole).format(value);
}

/** Says which targets hold; returns the exit status. */
export function tellTargets({ targets }: Report): number {
  for (const { name, value, target, bound, holds } of targets) {
    const wanted = `${bound === "atMost" ? "at most" : "at least"} ${inWords(target)}`;
    console.log(`${holds ? "holds " : "FAILS "} ${name}: ${inWords(value)}, ${wanted} is wanted`);
  }
  return targets.every(({ holds }) => holds) ? 0 : 1;
}
