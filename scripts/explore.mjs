/** `npm run explore -- [--small] [--scope NAME] [--json]`: every state that the core can reach at small scope. */
import { runTypeScript } from "./process.mjs";
import { setUp } from "./setup.mjs";

/**
 * @param {readonly string[]} args
 * @returns {Promise<number>}
 */
export default async function main(args) {
  await setUp();
  return (await runTypeScript("src/simulator/explore-main.ts", args, { show: true })).code;
}
