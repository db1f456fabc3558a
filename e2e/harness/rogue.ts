/** Opens pages in which somebody who has the secret misbehaves. */
import { fileURLToPath } from "node:url";
import { build } from "vite";
import type { Misdeed, misbehave } from "./rogue-page.ts";
import type { World } from "./world.ts";

declare global {
  interface Window {
    rogue: { readonly misbehave: typeof misbehave };
  }
}

const SOURCE = fileURLToPath(new URL("./rogue-page.ts", import.meta.url));
let script: Promise<string> | null = null;

/** One script that leaves `rogue` behind. */
async function bundle(): Promise<string> {
  const lib = { entry: SOURCE, formats: ["iife" as const], name: "rogue" };
  const built = await build({ configFile: false, logLevel: "error", build: { write: false, target: "es2023", lib } });
  const chunk = Array.isArray(built) ? built[0]?.output[0] : null;
  if (chunk?.type !== "chunk") throw new Error("The bundle is one script.");
  return chunk.code;
}

/** Resolves once it has connected to `count` nodes of the room and has misbehaved towards each. */
export async function rogueDoes(world: World, link: string, count: number, misdeed: Misdeed): Promise<void> {
  script ??= bundle();
  const page = await world.device.newPage();
  // Of the server's own origin, without the page's policy.
  await page.goto(new URL("/healthz", world.server.url).href);
  await page.addScriptTag({ content: await script });
  const signal = new URL("/signal", world.server.url).href.replace("http", "ws");
  const secret = new URL(link).hash.slice(1);
  const call = { secret, id: `rogue-${misdeed}`, signal, count, misdeed };
  await page.evaluate((asked) => window.rogue.misbehave(asked.secret, asked.id, asked.signal, asked.count, asked.misdeed), call);
}
