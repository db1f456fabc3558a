/** `npm run simulate -- --membership`: tabs that come and go at random, and whether the autopilot kept every majority that could be kept. */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { LawBroken } from "./law.ts";
import { MembershipRun } from "./membership-run.ts";

/** Exit status. */
export function simulateMembership(args: readonly string[]): number {
  const { values } = parseArgs({
    args: [...args],
    options: { membership: { type: "boolean" }, seeds: { type: "string" }, from: { type: "string" }, json: { type: "boolean" } },
  });
  const [seeds, from] = [Number(values.seeds ?? "100"), Number(values.from ?? "1")];
  if (![seeds, from].every((count) => Number.isSafeInteger(count) && count > 0)) {
    console.error("Usage: npm run simulate -- --membership [--seeds N] [--from S] [--json]");
    return 2;
  }
  const totals: Record<string, number> = {};
  const failures: { readonly seed: number; readonly message: string }[] = [];
  const begun = performance.now();
  for (let seed = from; seed < from + seeds; seed++) {
    try {
      const { seed: _seed, ...counts } = new MembershipRun(seed).run();
      for (const [name, count] of Object.entries(counts)) totals[name] = (totals[name] ?? 0) + count;
    } catch (error) {
      const message = error instanceof LawBroken ? error.message : String(error instanceof Error ? error.stack : error);
      failures.push({ seed, message });
      if (!values.json) console.log(`seed ${seed}: ${message}\n  npm run simulate -- --membership --from ${seed} --seeds 1`);
    }
  }
  const figures = { seeds, ...totals, seconds: (performance.now() - begun) / 1000, failures };
  const avoidable = failures.filter(({ message }) => message.startsWith("Avoidable loss")).length;
  const targets = [
    { name: "lost majorities that the rules could have avoided", value: avoidable, target: 0, holds: avoidable === 0 },
    { name: "seeds that broke a law", value: failures.length, target: 0, holds: failures.length === 0 },
  ];
  const machine = `${process.platform} ${process.arch}, ${availableParallelism()} cores, Node ${process.version}`;
  if (values.json) console.log(JSON.stringify({ name: "simulate membership", machine, figures, targets }));
  else {
    console.log(figures);
    for (const { name, value, target, holds } of targets)
      console.log(`${holds ? "holds" : "FAILS"}: ${name}: ${value} (${target})`);
  }
  return targets.every(({ holds }) => holds) ? 0 : 1;
}
