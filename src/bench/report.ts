/** What every bench tells: figures over repetitions, targets, and whether they hold; for people or as one line of JSON. */
import { cpus } from "node:os";

export interface Target {
  readonly name: string;
  readonly value: number;
  /** At least this. */
  readonly target: number;
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
  for (const { name, value, target, holds } of targets)
    console.log(`${holds ? "holds " : "FAILS "} ${name}: ${inWords(value)}, at least ${inWords(target)} is wanted`);
  return targets.every(({ holds }) => holds) ? 0 : 1;
}
