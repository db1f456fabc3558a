/** What people type is not lost: cut off, closed, killed, reloaded, or written by two at one place. */

import type { Tab } from "./harness/tab.ts";
import { expect, test } from "./harness/test.ts";

function isolate(tab: Tab): Promise<unknown> {
  return tab.page.evaluate(() => window.tabraft.faults.isolate());
}

function heal(tab: Tab): Promise<unknown> {
  return tab.page.evaluate(() => window.tabraft.faults.heal());
}

test("a tab is cut off and goes on writing, the others too; when it is back everyone has everything", async ({ world }) => {
  const [one, two, three] = await world.newCluster();
  await world.type(one, "start ");
  await world.untilSameText([one, two, three], "start ");
  await isolate(three);
  await world.type(three, "alone ");
  await world.type(one, "together ");
  await world.untilSameText([one, two], "start together ");
  expect(await world.text(three)).toBe("start ");
  await expect(three.page.getByTestId("commit-pill")).toContainText("No majority: your edits are kept here");
  await heal(three);
  const text = await world.untilSameText([one, two, three].slice());
  await world.untilConfirmed(three);
  const all = await world.untilSameText([one, two, three]);
  expect([text.startsWith("start "), all.includes("together "), all.includes("alone ")]).toEqual([true, true, true]);
  expect(all.length).toBe("start together alone ".length);
});

for (const ending of ["closed", "killed"] as const) {
  test(`a cut-off tab is ${ending} before it heals; whoever opens the document next on the device brings its words in, once`, async ({
    world,
  }) => {
    const [one, two, three] = await world.newCluster();
    const link = await world.link(one);
    await world.type(one, "start ");
    await world.untilSameText([one, two, three], "start ");
    await isolate(three);
    await world.type(three, "kept words");
    await world.type(two, "meanwhile ");
    await world.untilSameText([one, two], "start meanwhile ");
    if (ending === "closed") await three.page.close();
    else await world.killRenderer(three);
    const again = await world.openTab(link);
    await expect(async () => expect(await world.text(again)).toContain("kept words")).toPass();
    const text = await world.untilSameText([one, two, again]);
    expect(text.split("kept words")).toHaveLength(2);
    expect(text).toContain("meanwhile ");
  });
}

test("a reload in the middle of typing loses nothing that was typed, and doubles nothing", async ({ world }) => {
  const [one, two] = await world.newCluster();
  await isolate(two);
  await world.type(two, "the quick brown fox");
  await two.page.reload();
  await world.untilReady(two);
  const text = await world.untilSameText([one, two], "the quick brown fox");
  expect(text).toBe("the quick brown fox");
});

test("two people type at one place at once: every letter is there, and all have the same text", async ({ world }) => {
  const [one, two, three] = await world.newCluster();
  await world.type(one, "[]");
  await world.untilSameText([one, two, three], "[]");
  const typeInside = async (tab: Tab, letters: string) => {
    await world.editor(tab).focus();
    await tab.page.keyboard.press("ControlOrMeta+Home");
    await tab.page.keyboard.press("ArrowRight");
    await tab.page.keyboard.type(letters);
  };
  await Promise.all([typeInside(one, "a".repeat(60)), typeInside(two, "b".repeat(60))]);
  for (const tab of [one, two]) await world.untilConfirmed(tab);
  const text = await world.untilSameText([one, two, three]);
  expect([...text].sort().join("")).toBe([..."[]", ..."a".repeat(60), ..."b".repeat(60)].sort().join(""));
  expect([text.at(0), text.at(-1)]).toEqual(["[", "]"]);
});
