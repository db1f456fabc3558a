/** Everything closes, and the text comes back from the disk: from all nodes, from one alone, after a good end and after a bad one. */
import { expect, test } from "./harness/test.ts";

test("the browser closes with all three tabs: they come back as the same three nodes, with the text", async ({ world }) => {
  const tabs = await world.newCluster();
  const link = await world.link(tabs[0]);
  const voters = await world.untilVoters(tabs, 3);
  await world.type(tabs[1], "Kept on disk.");
  await world.untilSameText(tabs, "Kept on disk.");

  await world.device.close();
  await world.device.reopen();
  const again = await Promise.all([world.openTab(link), world.openTab(link), world.openTab(link)]);

  await world.untilSameText(again, "Kept on disk.");
  await world.untilLeader(again);
  const ids = await Promise.all(again.map(async (tab) => (await world.status(tab)).nodeId));
  expect(ids.sort()).toEqual([...voters].sort());
  expect([...(await world.untilVoters(again, 3))].sort()).toEqual([...voters].sort());
  for (const tab of again) await expect(world.editor(tab)).toHaveText("Kept on disk.");
  await world.type(again[2], " And written on.");
  await world.untilSameText(again, "Kept on disk. And written on.");
});

test("the browser is killed right after an acknowledged edit in a single tab: the edit is there", async ({ world }) => {
  const tab = await world.newDocument();
  const link = await world.link(tab);
  const { nodeId } = await world.status(tab);
  for (let count = 1; count <= 3; count += 1) await tab.append(`${count} `);
  await tab.append("last");
  await world.device.kill();

  await world.device.reopen();
  const again = await world.openTab(link);
  await world.untilSameText([again], "1 2 3 last");
  expect((await world.status(again)).nodeId).toBe(nodeId);
  await world.untilReady(again);
  await expect(world.editor(again)).toHaveText("1 2 3 last");
  await world.type(again, ", not least");
  await world.untilSameText([again], "1 2 3 last, not least");
  await world.untilConfirmed(again);
  await world.reload(again);
  await world.untilSameText([again], "1 2 3 last, not least");
  await world.type(again, ".");
  await world.untilSameText([again], "1 2 3 last, not least.");
  expect((await world.status(again)).nodeId).toBe(nodeId);
});

test("all three are killed right after an acknowledged edit: the edit is there", async ({ world }) => {
  const tabs = await world.newCluster();
  const link = await world.link(tabs[0]);
  await Promise.all(tabs.map((tab, at) => tab.append(`${at}`.repeat(5))));
  await tabs[2].append("last");
  await world.device.kill();

  await world.device.reopen();
  const again = await Promise.all([world.openTab(link), world.openTab(link), world.openTab(link)]);
  const { text } = await (await world.untilLeader(again)).read();
  expect([...text].sort().join("")).toBe([..."000001111122222last"].sort().join(""));
  await world.untilSameText(again, text);
});

test("one of three comes back alone: it runs the other two as well, and the document is writable at once; they go to tabs that open", async ({
  world,
}) => {
  const tabs = await world.newCluster();
  const link = await world.link(tabs[0]);
  const voters = await world.untilVoters(tabs, 3);
  await world.type(tabs[0], "Common text.");
  await world.untilSameText(tabs, "Common text.");
  await world.device.kill();

  await world.device.reopen();
  const alone = await world.openTab(link);
  await world.untilSameText([alone], "Common text.");
  const { nodeId } = await world.status(alone);
  await world.untilStatus(alone, "two adopted nodes", ({ adopted }) => adopted.length === 2);
  await world.type(alone, " Alone.");
  await world.untilSameText([alone], "Common text. Alone.");
  const written = await world.untilConfirmed(alone);
  expect({ quorum: written.quorum, role: written.role, devices: written.devices }).toEqual({
    quorum: true,
    role: "leader",
    devices: 1,
  });
  expect([nodeId, ...written.adopted].sort()).toEqual([...voters].sort());

  const all = [alone, await world.openTab(link), await world.openTab(link)];
  await world.untilSameText(all, "Common text. Alone.");
  const ids = await Promise.all(all.map(async (tab) => (await world.status(tab)).nodeId));
  expect([...ids].sort()).toEqual([...voters].sort());
  await world.untilStatus(alone, "nothing adopted", ({ adopted }) => adopted.length === 0);
  expect([...(await world.untilVoters(all, 3))].sort()).toEqual([...voters].sort());
  await world.type(all[2] ?? alone, " Together.");
  await world.untilSameText(all, "Common text. Alone. Together.");
});

test("one of three comes back alone and stays so: the cluster shrinks to it, and the nodes without a tab are let go", async ({
  world,
}) => {
  const tabs = await world.newCluster();
  const link = await world.link(tabs[0]);
  await world.untilVoters(tabs, 3);
  await world.device.kill();
  await world.device.reopen();
  const alone = await world.openTab(link);
  const { nodeId } = await world.untilStatus(alone, "two adopted nodes", ({ adopted }) => adopted.length === 2);
  const shrunk = await world.untilStatus(
    alone,
    "one voter",
    ({ voters, adopted }) => voters.length === 1 && adopted.length === 0,
    40_000,
  );
  expect(shrunk.voters).toEqual([nodeId]);
  await world.type(alone, "Alone.");
  await world.untilSameText([alone], "Alone.");
});
