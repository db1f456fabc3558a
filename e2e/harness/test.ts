/** `test` with a fresh world for each: import it in place of Playwright's own. */
import { test as base } from "@playwright/test";
import { World } from "./world.ts";

export { expect } from "@playwright/test";

export const test = base.extend<{ world: World }>({
  world: async ({ headless }, use, testInfo) => {
    const world = await World.create(headless !== false);
    try {
      await use(world);
    } finally {
      if (testInfo.status !== testInfo.expectedStatus) await attachReports(world, testInfo);
      await world.end();
    }
  },
});

/** What each tab knew and said, on the console for whoever watches and in the report for later. */
async function attachReports(
  world: World,
  testInfo: { attach(name: string, options: { body: string; contentType: string }): Promise<void> },
) {
  for (const tab of world.tabs) {
    const report = await tab.report();
    process.stdout.write(`${report}\n\n`);
    await testInfo.attach(tab.name, { body: report, contentType: "text/plain" });
  }
}
