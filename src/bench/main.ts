/** `npm run bench -- NAME [--json]`: one bench. The exit status is 0 only if every target holds. */
import { parseArgs } from "node:util";
import { type Report, tellTargets } from "./report.ts";

/** `quiet`: tells nothing but its report. Each is loaded when it is asked for: some need a browser, or the whole page. */
const benches: Readonly<Record<string, (quiet: boolean) => Promise<Report>>> = {
  core: async (quiet) => (await import("./core.ts")).coreBench(quiet),
  failover: async (quiet) => (await import("./browser/failover.ts")).failoverBench(quiet),
  storage: async (quiet) => (await import("./browser/storage.ts")).storageBench(quiet),
};

const usage = `Usage: npm run bench -- ${Object.keys(benches).join("|")} [--json]`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { json: { type: "boolean", default: false } } });
  const [name = ""] = positionals;
  const bench = Object.hasOwn(benches, name) ? benches[name] : undefined;
  if (!bench || positionals.length !== 1) {
    console.error(usage);
    return 2;
  }
  const report = await bench(values.json);
  if (!values.json) return tellTargets(report);
  console.log(JSON.stringify(report));
  return report.targets.every(({ holds }) => holds) ? 0 : 1;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    console.error(error);
    process.exitCode = 2;
  },
);
