/** `npm run fix`: formats, and mends what the linter can mend. */
import { runTool } from "./process.mjs";
import { setUp } from "./setup.mjs";

/** @returns {Promise<number>} */
export default async function main() {
  await setUp();
  return (await runTool("@biomejs/biome", "biome", ["check", "--write", "."], { show: true })).code;
}
