/** The node is not on the page's thread: a page that hangs costs the leader nothing. */
import { expect, test } from "./harness/test.ts";

const BLOCK_MS = 3000;

test("the leader's page hangs for 3 s: no election, and the others go on committing", async ({ world }) => {
  const tabs = await world.newCluster();
  const leader = await world.untilLeader(tabs);
  const others = tabs.filter((tab) => tab !== leader);
  const { term } = await world.status(leader);

  await test.step("while nobody writes: heartbeats alone keep the office", async () => {
    await world.blockPage(leader, BLOCK_MS);
    for (const tab of tabs) expect((await world.status(tab)).term).toBe(term);
  });
  await test.step("while the others write", async () => {
    let blocked = true;
    const block = world.blockPage(leader, BLOCK_MS).then(() => {
      blocked = false;
    });
    let committed = 0;
    for (let turn = 0; blocked; turn += 1) {
      const position = await others[turn % others.length]?.append(".");
      expect(position?.term).toBe(term);
      if (blocked) committed += 1;
    }
    await block;
    // Three seconds have room for many more.
    expect(committed).toBeGreaterThan(10);
    const text = await world.untilSameText(tabs);
    expect(text.length).toBeGreaterThanOrEqual(committed);
  });

  expect(await world.untilLeader(tabs)).toBe(leader);
  for (const tab of tabs) expect((await world.status(tab)).term).toBe(term);
});
