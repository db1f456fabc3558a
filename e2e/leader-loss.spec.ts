/** The leader's tab goes, in good order or by violence: the others elect another and go on, and what was committed is there. */

import type { Tab } from "./harness/tab.ts";
import { expect, test } from "./harness/test.ts";
import type { World } from "./harness/world.ts";

/** Ends the leader's tab while the others type, and opens a tab in its place. */
async function loseLeader(world: World, end: (leader: Tab) => Promise<void>): Promise<void> {
  const tabs = await world.newCluster();
  const link = await world.link(tabs[0]);
  const leader = await world.untilLeader(tabs);
  const others = tabs.filter((tab) => tab !== leader);
  const [second, third] = others;
  if (second === undefined || third === undefined) throw new Error("Two tabs do not lead.");
  await world.type(leader, "Typed in the leader. ");
  await world.untilSameText(tabs, "Typed in the leader. ");
  await world.untilConfirmed(leader);
  const before = await world.status(leader);

  await Promise.all([end(leader), world.type(second, "2".repeat(30)), world.type(third, "3".repeat(30))]);

  const next = await world.untilLeader(others);
  expect((await world.status(next)).term).toBeGreaterThan(before.term);
  for (const tab of others) await world.untilConfirmed(tab);
  const text = await world.untilSameText(others);
  expect(text.startsWith("Typed in the leader. ")).toBe(true);
  expect([...text.slice("Typed in the leader. ".length)].sort().join("")).toBe("2".repeat(30) + "3".repeat(30));

  const back = await world.openTab(link);
  expect((await world.status(back)).nodeId).toBe(before.nodeId);
  await world.untilSameText([...others, back], text);
  await world.type(back, " And back.");
  await world.untilSameText([...others, back], `${text} And back.`);
  await world.untilCluster([...others, back]);
}

test("the leader's tab closes: another leads in a higher term, typing goes on, nothing is lost", async ({ world }) => {
  await loseLeader(world, (leader) => world.closeTab(leader));
});

test("the leader's process is killed: another leads in a higher term, typing goes on, nothing is lost", async ({ world }) => {
  await loseLeader(world, (leader) => world.killRenderer(leader));
});

test("the leader's tab closes in good order: it hands its office over, and nobody waits for an election timeout", async ({
  world,
}) => {
  let tabs: readonly Tab[] = await world.newCluster();
  const link = await world.link(await world.untilLeader(tabs));
  const stories: string[] = [];
  // A page that goes has little time, and on a busy machine the word may be late: once in three it must be in time.
  for (let round = 0; round < 3; round += 1) {
    const leader = await world.untilCluster(tabs);
    const others = tabs.filter((tab) => tab !== leader);
    const { term } = await world.status(leader);
    await world.closeTab(leader);
    const next = await world.untilLeader(others);
    const events = await next.page.evaluate(() => window.tabraft.events());
    stories.push(...events.filter((event) => event.kind === "election" && event.term > term).map(({ text }) => text));
    tabs = [...others, await world.openTab(link)];
  }
  expect(stories).toEqual(expect.arrayContaining([expect.stringMatching(/^\S.* hands over: asking for votes in term \d+\.$/)]));
});
