/** The contract of the log's storage, on the IndexedDB of a real browser with a real disk. */
import { fileURLToPath } from "node:url";
import { expect } from "@playwright/test";
import { build } from "vite";
import type { runStorageContractInBrowser } from "../src/storage/browser-check.ts";
import { test } from "./harness/test.ts";

declare global {
  interface Window {
    storageCheck: { readonly runStorageContractInBrowser: typeof runStorageContractInBrowser };
  }
}

const SOURCE = fileURLToPath(new URL("../src/storage/browser-check.ts", import.meta.url));

/** One script that leaves `storageCheck` behind. */
async function bundle(): Promise<string> {
  const lib = { entry: SOURCE, formats: ["iife" as const], name: "storageCheck" };
  const built = await build({ configFile: false, logLevel: "error", build: { write: false, target: "es2023", lib } });
  const chunk = Array.isArray(built) ? built[0]?.output[0] : null;
  if (chunk?.type !== "chunk") throw new Error("The bundle is one script.");
  return chunk.code;
}

test("every case of the storage contract holds on IndexedDB", async ({ world }) => {
  const content = await bundle();
  const page = await world.device.newPage();
  // An origin of its own, without the page's policy.
  await page.route("http://storage.localhost/", (route) => route.fulfill({ contentType: "text/html", body: "<!doctype html>" }));
  await page.goto("http://storage.localhost/");
  await page.addScriptTag({ content });
  for (const durability of ["strict", "relaxed"] as const) {
    await test.step(durability, async () => {
      const { cases, failures } = await page.evaluate((how) => window.storageCheck.runStorageContractInBrowser(how), durability);
      expect(failures).toEqual([]);
      expect(cases).toBeGreaterThan(10);
    });
  }
  expect(await page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name))).toEqual([]);
});
