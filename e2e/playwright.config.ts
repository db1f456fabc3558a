/** How the suite of many real tabs runs. Browsers are started by harness/launch.ts, each on a profile of its own. */
import { defineConfig } from "@playwright/test";

export default defineConfig({
  testDir: ".",
  outputDir: "../test-results/e2e",
  // Each test starts several renderer processes; two at once would measure each other.
  workers: 1,
  retries: 0,
  forbidOnly: true,
  timeout: 90_000,
  reporter: [["list"], ["json", { outputFile: "../test-results/report.json" }]],
  use: {
    screenshot: "only-on-failure",
    // Without pictures and snapshots, which would slow what is measured by the clock of elections.
    trace: { mode: "retain-on-failure", screenshots: false, snapshots: false, sources: true },
  },
});
