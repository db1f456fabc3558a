/** `npm run e2e -- [--headed] [--ui] [FILE]`: the suite of many real tabs alone. */
import { join } from "node:path";
import { browserPath } from "./browser.mjs";
import { buildIfStale } from "./build.mjs";
import { root, runTool } from "./process.mjs";
import { setUp } from "./setup.mjs";

/** Written by the suite's JSON reporter. */
export const E2E_REPORT = join(root, "test-results", "report.json");

/**
 * Runs Playwright on the built page.
 * @param {string} browser
 * @param {readonly string[]} args
 */
export function runE2e(browser, args) {
  return runTool("@playwright/test", "playwright", ["test", "--config", "e2e/playwright.config.ts", ...args], {
    env: { TABRAFT_CHROMIUM: browser },
    show: true,
  });
}

/**
 * @param {readonly string[]} args
 * @returns {Promise<number>}
 */
export default async function main(args) {
  await setUp();
  const browser = await browserPath();
  await buildIfStale();
  return (await runE2e(browser, args)).code;
}
