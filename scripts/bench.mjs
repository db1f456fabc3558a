/**
 * `npm run bench -- NAME [--json]`: one bench, built as the library is: what is measured is what is shipped. One whose Node side is
 * `src/bench/browser/NAME.ts` gets a browser and the built page.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { browserPath } from "./browser.mjs";
import { buildIfStale } from "./build.mjs";
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
  const env = args.some(needsBrowser) ? await browserEnv() : {};
  return (await run(process.execPath, ["--enable-source-maps", join(outDir, "main.js"), ...args], { show: true, env })).code;
}

/** @param {string} name */
function needsBrowser(name) {
  return /^[\w-]+$/.test(name) && existsSync(join(root, "src", "bench", "browser", `${name}.ts`));
}

/** The page is built where its tests look for it. */
async function browserEnv() {
  await buildIfStale();
  return { TABRAFT_CHROMIUM: await browserPath(), TABRAFT_DIST: join(root, "dist") };
}
