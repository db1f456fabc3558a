/** An identity never runs twice, whatever tabs remember of themselves. */
import { expect, test } from "./harness/test.ts";

test("a duplicated tab is another node, and both go on", async ({ world }) => {
  const tab = await world.newDocument();
  const { nodeId } = await world.status(tab);
  const copy = await world.duplicateTab(tab);
  const remembered = await copy.page.evaluate(() => sessionStorage.length);
  expect(remembered).toBeGreaterThan(0);

  const copied = await world.untilStatus(copy, "membership", ({ voters, learners, nodeId: id }) =>
    [...voters, ...learners].includes(id),
  );
  expect(copied.nodeId).not.toBe(nodeId);
  expect((await world.status(tab)).nodeId).toBe(nodeId);
  await world.type(tab, "from the first, ");
  await world.untilSameText([tab, copy], "from the first, ");
  await world.type(copy, "from the copy");
  await world.untilSameText([tab, copy], "from the first, from the copy");
});

test("two tabs race with one hint: one of them gets the node, the other a new one", async ({ world }) => {
  const tab = await world.newDocument();
  const link = await world.link(tab);
  const { nodeId } = await world.status(tab);
  await world.type(tab, "raced for");
  await world.untilConfirmed(tab);
  const copies = [await world.copyToHome(tab), await world.copyToHome(tab)];
  for (const copy of copies) {
    const hints = await copy.page.evaluate(() =>
      Object.entries(sessionStorage).filter(([key]) => key.startsWith("tabraft.node.")),
    );
    expect(hints.map(([, hint]) => hint)).toEqual([nodeId]);
  }
  await world.closeTab(tab);

  await Promise.all(copies.map((copy) => copy.page.goto(link)));
  await world.untilSameText(copies, "raced for");
  const ids = await Promise.all(copies.map(async (copy) => (await world.status(copy)).nodeId));
  expect(new Set(ids).size).toBe(2);
  expect(ids).toContain(nodeId);
});
