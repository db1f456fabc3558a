/** `npm run screenshots`: pictures of each state of the page, into screenshots/, which git ignores. `--readme` renews README's own as well. */
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { browserPath } from "./browser.mjs";
import { buildIfStale } from "./build.mjs";
import { root, runTool } from "./process.mjs";
import { setUp } from "./setup.mjs";

/**
 * @param {readonly string[]} args
 * @returns {Promise<number>}
 */
export default async function main(args) {
  await setUp();
  const browser = await browserPath();
  await buildIfStale();
  mkdirSync(join(root, "screenshots"), { recursive: true });
  const { code } = await runTool("@playwright/test", "playwright", ["test", "--config", "e2e/screenshots.config.ts"], {
    env: { TABRAFT_CHROMIUM: browser },
    show: true,
  });
  if (code === 0 && args.includes("--readme")) {
    copyFileSync(join(root, "screenshots", "three-tabs.png"), join(root, "picture.png"));
    copyFileSync(join(root, "screenshots", "no-leader.png"), join(root, "picture-no-leader.png"));
  }
  return code;
}
