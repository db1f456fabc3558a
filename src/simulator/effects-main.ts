/** `npm run simulate -- --every-effect`: a crash before every write and every message of each seed, one after the other. */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { crashAtEachEffect, type EffectFailure } from "./effects.ts";
import { nodesOf } from "./report.ts";

const usage = "Usage: npm run simulate -- --every-effect [--seeds N] [--from S] [--steps K] [--nodes 1..9] [--json]";

/** Exit status. */
export function simulateEveryEffect(args: readonly string[]): number {
  const { values } = parseArgs({
    args: [...args],
    options: {
      "every-effect": { type: "boolean" },
      seeds: { type: "string", default: "10" },
      from: { type: "string", default: "1" },
      steps: { type: "string", default: "400" },
      nodes: { type: "string" },
      json: { type: "boolean", default: false },
    },
  });
  const [seeds, from, steps] = [Number(values.seeds), Number(values.from), Number(values.steps)];
  const nodes = values.nodes === undefined ? null : Number(values.nodes);
  const counts = [seeds, from, steps, nodes ?? 1];
  if (!counts.every((count) => Number.isSafeInteger(count) && count > 0) || (nodes ?? 1) > 9) {
    console.error(usage);
    return 2;
  }
  let [effects, runs] = [0, 0];
  const failures: (EffectFailure & { readonly seed: number })[] = [];
  const begun = performance.now();
  for (let seed = from; seed < from + seeds; seed++) {
    const verdict = crashAtEachEffect({ seed, steps, nodes: nodes ?? nodesOf(seed) });
    effects += verdict.effects;
    runs += verdict.runs;
    for (const failure of verdict.failures) {
      failures.push({ seed, ...failure });
      const write = failure.keepsWrite ? "kept" : "lost";
      if (!values.json) console.log(`seed ${seed}, before effect ${failure.effect}, its write ${write}: ${failure.message}`);
    }
    if (!values.json) console.log(`seed ${seed}: ${verdict.effects} effects`);
  }
  const figures = { seeds, steps, effects, runs, seconds: (performance.now() - begun) / 1000, failures };
  const targets = [
    { name: "crashes that broke a law", value: failures.length, target: 0, holds: failures.length === 0 },
    { name: "effects", value: effects, target: 1, holds: effects >= 1 },
  ];
  const machine = `${process.platform} ${process.arch}, ${availableParallelism()} cores, Node ${process.version}`;
  if (values.json) console.log(JSON.stringify({ name: "simulate every effect", machine, figures, targets }));
  else {
    console.log(figures);
    for (const { name, value, target, holds } of targets)
      console.log(`${holds ? "holds" : "FAILS"}: ${name}: ${value} (${target})`);
  }
  return targets.every(({ holds }) => holds) ? 0 : 1;
}
