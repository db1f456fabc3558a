/** A script of the sources, for a page of its own in a real browser. */
import { fileURLToPath } from "node:url";
import type { Page } from "@playwright/test";
import { build } from "vite";
import { nodeParts } from "../../scripts/simple-peer-parts.mjs";

/** `source`: from the project's folder. The script leaves what it exports as the global `name`. */
export async function bundle(source: string, name: string): Promise<string> {
  const entry = fileURLToPath(new URL(`../../${source}`, import.meta.url));
  const lib = { entry, formats: ["iife" as const], name };
  const built = await build({
    configFile: false,
    logLevel: "error",
    resolve: { alias: nodeParts },
    build: { write: false, target: "es2023", lib },
  });
  const chunk = Array.isArray(built) ? built[0]?.output[0] : null;
  if (chunk?.type !== "chunk") throw new Error("The bundle is one script.");
  return chunk.code;
}

/** An origin of its own, without the page's policy, with this script. */
export async function openBare(page: Page, origin: string, content: string): Promise<void> {
  await page.route(`${origin}/`, (route) => route.fulfill({ contentType: "text/html", body: "<!doctype html>" }));
  await page.goto(`${origin}/`);
  await page.addScriptTag({ content });
}
