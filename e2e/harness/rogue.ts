/** Opens pages in which somebody who has the secret misbehaves. */
import { bundle } from "./bundle.ts";
import type { Misdeed, misbehave } from "./rogue-page.ts";
import type { World } from "./world.ts";

declare global {
  interface Window {
    rogue: { readonly misbehave: typeof misbehave };
  }
}

let script: Promise<string> | null = null;

/** Resolves once it has connected to `count` nodes of the room and has misbehaved towards each. */
export async function rogueDoes(world: World, link: string, count: number, misdeed: Misdeed): Promise<void> {
  script ??= bundle("e2e/harness/rogue-page.ts", "rogue");
  const page = await world.device.newPage();
  // Of the server's own origin, without the page's policy.
  await page.goto(new URL("/healthz", world.server.url).href);
  await page.addScriptTag({ content: await script });
  const signal = new URL("/signal", world.server.url).href.replace("http", "ws");
  const secret = new URL(link).hash.slice(1);
  const call = { secret, id: `rogue-${misdeed}`, signal, count, misdeed };
  await page.evaluate((asked) => window.rogue.misbehave(asked.secret, asked.id, asked.signal, asked.count, asked.misdeed), call);
}
