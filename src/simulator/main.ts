/** `npm run simulate`: many seeds, one after the other; a failing one says how to see it again. */
import { parseArgs } from "node:util";
import { Simulation, type SimulationResult } from "./simulation.ts";

interface Settings {
  readonly seeds: number;
  readonly from: number;
  readonly steps: number;
  /** `null`: one to five, by the seed. */
  readonly nodes: number | null;
  readonly json: boolean;
}

const usage = "Usage: npm run simulate -- [--seeds N] [--from S] [--steps K] [--nodes 1..9] [--json]";

function readSettings(): Settings | string {
  try {
    const { values } = parseArgs({
      options: {
        seeds: { type: "string", default: "100" },
        from: { type: "string", default: "1" },
        steps: { type: "string", default: "3000" },
        nodes: { type: "string" },
        json: { type: "boolean", default: false },
      },
    });
    const [seeds, from, steps] = [values.seeds, values.from, values.steps].map(Number);
    const nodes = values.nodes === undefined ? null : Number(values.nodes);
    const counts = [seeds, from, steps, nodes ?? 1];
    if (!counts.every((count) => Number.isSafeInteger(count) && (count ?? 0) > 0) || (nodes ?? 1) > 9) return usage;
    return { seeds: seeds ?? 0, from: from ?? 0, steps: steps ?? 0, nodes, json: values.json };
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}\n${usage}`;
  }
}

function nodesOf(seed: number, { nodes }: Settings): number {
  return nodes ?? 1 + (seed % 5);
}

function addUp(totals: Record<string, number>, result: SimulationResult): void {
  const { faults, seed: _seed, ...counts } = result;
  for (const [name, count] of Object.entries({ ...counts, ...faults })) totals[name] = (totals[name] ?? 0) + Number(count);
}

function run(settings: Settings): number {
  const totals: Record<string, number> = {};
  const failures: { readonly seed: number; readonly law: string; readonly replay: string }[] = [];
  const begun = performance.now();
  for (let seed = settings.from; seed < settings.from + settings.seeds; seed++) {
    const nodes = nodesOf(seed, settings);
    try {
      addUp(totals, new Simulation({ seed, steps: settings.steps, nodes }).run());
    } catch (error) {
      const law = error instanceof Error ? error.message : String(error);
      const replay = `npm run simulate -- --seeds 1 --from ${seed} --steps ${settings.steps} --nodes ${nodes}`;
      failures.push({ seed, law, replay });
      console.log(`seed ${seed}, ${nodes} nodes: ${law}\n  ${replay}`);
    }
    if (!settings.json && seed % 50 === 0) console.log(`seed ${seed}: ${failures.length} failed so far`);
  }
  const seconds = (performance.now() - begun) / 1000;
  const figures = { ...totals, seconds, timesRealTime: (totals["virtualMs"] ?? 0) / 1000 / seconds, failures };
  if (settings.json) {
    const targets = [{ name: "seeds that broke a law", value: failures.length, target: 0, holds: failures.length === 0 }];
    console.log(JSON.stringify({ name: "simulate", machine: `${process.platform} Node ${process.version}`, figures, targets }));
  } else {
    for (const [name, count] of Object.entries(totals)) console.log(`${name.padEnd(16)} ${count}`);
    console.log(`${settings.seeds} seeds in ${seconds.toFixed(1)} s, ${failures.length} failed`);
  }
  return failures.length === 0 ? 0 : 1;
}

const settings = readSettings();
if (typeof settings === "string") console.error(settings);
process.exitCode = typeof settings === "string" ? 2 : run(settings);
