/** `npm run bench -- NAME [--json] [--trace PATH] [--concurrent PATH]`: one bench. The exit status is 0 only if every target holds. */
import { parseArgs } from "node:util";
import { type Report, tellTargets } from "./report.ts";

interface Options {
  /** Tells nothing but its report. */
  readonly quiet: boolean;
  readonly trace: string | undefined;
  readonly concurrent: string | undefined;
}

/** Each is loaded when it is asked for: some need a browser, or the whole page. */
const benches: Readonly<Record<string, (options: Options) => Promise<Report>>> = {
  core: async ({ quiet }) => (await import("./core.ts")).coreBench(quiet),
  failover: async ({ quiet }) => (await import("./browser/failover.ts")).failoverBench(quiet),
  network: async ({ quiet }) => (await import("./browser/network.ts")).networkBench(quiet),
  signaling: async ({ quiet }) => (await import("./signaling.ts")).signalingBench(quiet),
  storage: async ({ quiet }) => (await import("./browser/storage.ts")).storageBench(quiet),
  trace: async ({ quiet, trace, concurrent }) => {
    const wish = trace !== undefined ? { trace } : concurrent !== undefined ? { concurrent } : null;
    if (wish === null) throw new Error("Say which trace: npm run bench -- trace --trace PATH, or --concurrent PATH");
    return (await import("./browser/trace.ts")).traceBench(quiet, wish);
  },
};

const usage = `Usage: npm run bench -- ${Object.keys(benches).join("|")} [--json]`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { json: { type: "boolean", default: false }, trace: { type: "string" }, concurrent: { type: "string" } },
  });
  const [name = ""] = positionals;
  const bench = Object.hasOwn(benches, name) ? benches[name] : undefined;
  if (!bench || positionals.length !== 1) {
    console.error(usage);
    return 2;
  }
  const report = await bench({ quiet: values.json, trace: values.trace, concurrent: values.concurrent });
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
