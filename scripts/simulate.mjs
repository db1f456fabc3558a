/** `npm run simulate -- --seeds N --from S --steps K [--json]`: many clusters in virtual time. */
import { runTypeScript } from "./process.mjs";
import { setUp } from "./setup.mjs";

/**
 * @param {readonly string[]} args
 * @returns {Promise<number>}
 */
export default async function main(args) {
  await setUp();
  return (await runTypeScript("src/simulator/main.ts", args, { show: true })).code;
}
