/** A majority is gone for good, or so it seems: what the page says, what a person may decide, and what happens when the others come back after all. */
import type { Tab } from "./harness/tab.ts";
import { expect, test } from "./harness/test.ts";

function continueWithoutOthers(tab: Tab): Promise<{ readonly number: number }> {
  return tab.page.evaluate(() => window.tabraft.membership.continueWithoutOthers());
}

test("a person continues without the others; a laptop wakes with the old majority: its text counts, and the changes made meanwhile are added by one press", async ({
  world,
}) => {
  const laptop = await world.newDevice();
  const first = await world.newDocument();
  const link = await world.link(first);
  const others = [await world.openTab(link, laptop), await world.openTab(link, laptop)];
  await world.untilCluster([first, ...others]);
  await world.type(first, "Common.");
  await world.untilSameText([first, ...others], "Common.");
  await laptop.kill();

  // In words, readable, writable, and nothing is decided for anybody.
  await expect(first.page.getByText("No majority of the 3 voting tabs can be reached.")).toBeVisible();
  await world.type(first, " Mine.");
  const waiting = await world.untilStatus(first, "something unconfirmed", ({ unconfirmed }) => unconfirmed > 0);
  expect({ quorum: waiting.quorum, leader: waiting.leader }).toEqual({ quorum: false, leader: null });
  await expect(first.page.getByTestId("commit-pill")).toHaveText(/No majority: your edits are kept here/);

  await first.page.getByRole("button", { name: "Continue without the others" }).click({ timeout: 20_000 });
  const dialog = first.page.getByRole("dialog");
  await expect(dialog).toContainText("If they come back as a majority, their document counts");
  await dialog.getByRole("button", { name: "Continue without them" }).click();
  const alone = await world.untilConfirmed(first);
  await world.untilSameText([first], "Common. Mine.");
  expect(await world.untilStatus(first, "generation 2", ({ generation }) => generation?.number === 2)).toMatchObject({
    voters: [alone.nodeId],
  });

  // One tab is a majority there: it adopts the other node.
  await laptop.reopen();
  const woken = await world.openTab(link, laptop);
  await expect(first.page.getByText("The others went on with this document meanwhile.")).toBeVisible({ timeout: 40_000 });
  await world.untilSameText([first, woken], "Common.");
  expect((await world.status(first)).generation).toEqual((await world.status(woken)).generation);
  expect((await world.status(first)).generation?.number).toBe(1);
  await world.type(woken, " Theirs.");
  await world.untilSameText([first, woken], "Common. Theirs.");

  await first.page.getByRole("button", { name: "Compare" }).click();
  await expect(first.page.getByRole("region", { name: "Your copy" })).toContainText("Common. Mine.");
  await expect(first.page.getByRole("region", { name: "The document now" })).toContainText("Common. Theirs.");
  await first.page.getByRole("button", { name: "Add my changes" }).click();
  await world.untilSameText([first, woken], "Common. Theirs. Mine.");
  await expect(first.page.getByRole("region", { name: "Your copy" })).toContainText("Common. Mine.");
  await first.page.getByRole("button", { name: "Remove the copy" }).click();
  await expect(first.page.getByText("still kept on this device")).toBeHidden();
});

test("two people continue at the same time: one generation goes on, and the other's changes are kept and added", async ({
  world,
}) => {
  const lost = await world.newDevice();
  const first = await world.newDocument();
  const link = await world.link(first);
  const second = await world.openTab(link);
  const third = await world.openTab(link, lost);
  await world.untilCluster([first, second, third]);
  await first.append("Common.\n\n");
  await world.untilSameText([first, second, third], "Common.\n\n");
  for (const tab of [first, second]) await tab.page.evaluate(() => window.tabraft.faults.isolate());
  await lost.kill();
  for (const tab of [first, second]) await world.untilStatus(tab, "no leader", ({ leader }) => leader === null);

  expect(await Promise.all([continueWithoutOthers(first), continueWithoutOthers(second)])).toEqual([
    { number: 2 },
    { number: 2 },
  ]);
  await first.page.evaluate(() => window.tabraft.edit({ from: 0, insert: "First. " }));
  await second.append("Second.");
  // What a peer had said before it was cut off makes nobody give way.
  for (const tab of [first, second])
    await world.untilStatus(tab, "nobody connected", ({ peers }) => peers.every(({ connected }) => !connected));
  await world.untilSameText([first], "First. Common.\n\n");
  await world.untilSameText([second], "Common.\n\nSecond.");
  const ids = await Promise.all([first, second].map(async (tab) => (await world.status(tab)).generation?.id ?? ""));
  const [winner, loser] = (ids[0] ?? "") > (ids[1] ?? "") ? [first, second] : [second, first];
  const goesOn = await world.text(winner);

  for (const tab of [first, second]) await tab.page.evaluate(() => window.tabraft.faults.heal());
  await expect(loser.page.getByText("The others went on with this document meanwhile.")).toBeVisible({ timeout: 40_000 });
  await world.untilSameText([winner, loser], goesOn);
  await loser.page.getByRole("button", { name: "Compare" }).click();
  await loser.page.getByRole("button", { name: "Add my changes" }).click();
  await world.untilSameText([winner, loser], "First. Common.\n\nSecond.");
});
