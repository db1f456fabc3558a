/** Where a browser cannot give a data channel to a worker, the node's bytes go through the page; which of the two holds is found out by trying. */
import type { Tab } from "./harness/tab.ts";
import { expect, test } from "./harness/test.ts";
import type { World } from "./harness/world.ts";

/** How this browser's data channels reach the worker. */
async function paths(tab: Tab): Promise<{ transferred: number; bridged: number }> {
  return await tab.page.evaluate(() => {
    const { transferred, bridged } = globalThis as unknown as { transferred: number; bridged: number };
    return { transferred, bridged };
  });
}

/** In the page, before its own scripts: counts what is given to the worker, and, if `forbid`, gives away no data channel. */
function watchTransfers(forbid: boolean): void {
  const counts = Object.assign(globalThis, { transferred: 0, bridged: 0 });
  const isChannel = (value: unknown) => value instanceof RTCDataChannel;
  for (const { prototype } of [Worker, MessagePort]) {
    const original = prototype.postMessage as (this: Worker | MessagePort, message: unknown, transfer?: unknown) => void;
    function postMessage(this: Worker | MessagePort, message: unknown, transfer?: unknown): void {
      const given = Array.isArray(transfer) ? transfer : [];
      if (forbid && given.some(isChannel)) throw new DOMException("Value could not be transferred.", "DataCloneError");
      if (this instanceof Worker) {
        counts.transferred += given.filter(isChannel).length;
        counts.bridged += given.filter((one) => one instanceof MessagePort).length;
      }
      original.call(this, message, transfer);
    }
    Object.assign(prototype, { postMessage });
  }
}

async function openWatched(world: World, link: string, forbid: boolean): Promise<Tab> {
  const tab = await world.openHome();
  await tab.page.addInitScript(watchTransfers, forbid);
  await tab.page.goto(link);
  await tab.page.reload();
  return tab;
}

const BRIDGED = "This browser leaves data channels to the page: a busy page delays the node.";

test("with transfer and without, and both in one cluster: the same document, and it is told which", async ({ world }) => {
  const first = await world.newDocument();
  const link = await world.link(first);
  const bridged = await openWatched(world, link, true);
  const whole = await openWatched(world, link, false);
  await world.untilCluster([first, bridged, whole]);
  const alsoBridged = await openWatched(world, link, true);
  const tabs = [first, bridged, whole, alsoBridged];
  await world.untilVoters(tabs, 3);
  const long = "long ".repeat(20_000);
  await alsoBridged.append("short ");
  await bridged.append(long);
  await whole.append("end");
  await world.untilSameText(tabs, `short ${long}end`);

  expect(await paths(whole)).toMatchObject({ bridged: 0 });
  expect((await paths(whole)).transferred).toBeGreaterThanOrEqual(3);
  for (const tab of [bridged, alsoBridged]) {
    expect(await paths(tab)).toMatchObject({ transferred: 0 });
    expect((await paths(tab)).bridged).toBeGreaterThanOrEqual(3);
    expect((await tab.page.evaluate(() => window.tabraft.events())).map(({ text }) => text)).toContain(BRIDGED);
  }
  expect((await whole.page.evaluate(() => window.tabraft.events())).map(({ text }) => text)).not.toContain(BRIDGED);

  await world.closeTab(bridged);
  await world.untilCluster([first, whole, alsoBridged]);
  await alsoBridged.append("!");
  await world.untilSameText([first, whole, alsoBridged], `short ${long}end!`);
});
