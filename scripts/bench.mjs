/** `npm run bench -- NAME [--json]`: one bench, built as the library is: what is measured is what is shipped. */
import { join } from "node:path";
import { cacheDir, Failure, root, run, runTool } from "./process.mjs";
import { setUp } from "./setup.mjs";

/**
 * @param {readonly string[]} args
 * @returns {Promise<number>}
 */
export default async function main(args) {
  await setUp();
  const outDir = join(cacheDir, "bench");
  const config = join(root, "vite.config.ts");
  const built = await runTool("vite", "vite", [
    ...["build", "--config", config, "--ssr", "src/bench/main.ts", "--outDir", outDir, "--emptyOutDir", "--logLevel", "warn"],
  ]);
  if (built.code !== 0) throw new Failure(`The bench could not be built:\n${built.output.trim()}`);
  return (await run(process.execPath, ["--enable-source-maps", join(outDir, "main.js"), ...args], { show: true })).code;
}
