/** `test` with a fresh world for each: import it in place of Playwright's own. */
import { writeFile } from "node:fs/promises";
import { test as base, type TestInfo } from "@playwright/test";
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

/** What each tab knew and said, on the console for whoever watches and in a file for later. */
async function attachReports(world: World, testInfo: TestInfo): Promise<void> {
  const reports: string[] = [];
  for (const tab of world.tabs) reports.push(await tab.report());
  const path = testInfo.outputPath("tabs.txt");
  await writeFile(path, `${reports.join("\n\n")}\n`);
  process.stdout.write(`${reports.join("\n\n")}\n`);
  await testInfo.attach("tabs", { path, contentType: "text/plain" });
}
