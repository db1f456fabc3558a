/** The page without a network, and a newer page that arrives while people type. */
import type { Page } from "@playwright/test";
import { expect, test } from "./harness/test.ts";

/** The browser has everything that the page consists of. */
async function untilKept(page: Page): Promise<void> {
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
}

test("without any server the page opens, shows the document and commits what is typed", async ({ world }) => {
  const tab = await world.newDocument();
  await world.type(tab, "Written with a network.");
  await world.untilConfirmed(tab);
  const link = await world.link(tab);
  await untilKept(tab.page);
  await world.closeTab(tab);

  await world.server.stop();
  const again = await world.openTab(link);
  await world.untilReady(again);
  await world.untilSameText([again], "Written with a network.");
  await world.type(again, " And without.");
  await world.untilConfirmed(again);
  expect(await world.text(again)).toBe("Written with a network. And without.");

  await world.showCluster(again);
  await expect(again.page.getByRole("tab", { name: "Cluster", selected: true })).toBeVisible();
});

test("a newer page is offered, forces nobody, and comes when it is asked for", async ({ world }) => {
  const tab = await world.newDocument();
  await untilKept(tab.page);
  await world.reload(tab);
  await world.type(tab, "In the middle");
  await world.server.publishBuild();

  const other = await world.openTab(await world.link(tab));
  const reloadNow = (page: Page) => page.getByRole("button", { name: "Reload now" });
  await expect(reloadNow(tab.page)).toBeVisible();
  await world.type(tab, " of a word");
  await world.untilSameText([tab, other], "In the middle of a word");
  await world.untilConfirmed(tab);

  await other.page.evaluate(() => Object.assign(window, { notReloaded: true }));
  const loaded = tab.page.waitForEvent("load");
  await reloadNow(tab.page).click();
  await loaded;
  await world.untilReady(tab);
  await world.untilSameText([tab, other], "In the middle of a word");
  await expect(reloadNow(tab.page)).toBeHidden();

  expect(await other.page.evaluate(() => "notReloaded" in window)).toBe(true);
  await expect(reloadNow(other.page)).toBeVisible();
  await other.page.getByRole("button", { name: "Later" }).click();
  await expect(reloadNow(other.page)).toBeHidden();
  for (const { console } of [tab, other])
    expect(console.filter((line) => /^(warning|uncaught|crashed)|kept for use/.test(line))).toEqual([]);
});
