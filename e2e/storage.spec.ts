/** The contract of the log's storage, on the IndexedDB of a real browser with a real disk. */
import { expect } from "@playwright/test";
import type { runStorageContractInBrowser } from "../src/storage/browser-check.ts";
import { bundle, openBare } from "./harness/bundle.ts";
import { test } from "./harness/test.ts";

declare global {
  interface Window {
    storageCheck: { readonly runStorageContractInBrowser: typeof runStorageContractInBrowser };
  }
}

test("every case of the storage contract holds on IndexedDB", async ({ world }) => {
  const page = await world.device.newPage();
  await openBare(page, "http://storage.localhost", await bundle("src/storage/browser-check.ts", "storageCheck"));
  for (const durability of ["strict", "relaxed"] as const) {
    await test.step(durability, async () => {
      const { cases, failures } = await page.evaluate((how) => window.storageCheck.runStorageContractInBrowser(how), durability);
      expect(failures).toEqual([]);
      expect(cases).toBeGreaterThan(10);
    });
  }
  expect(await page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name))).toEqual([]);
});
