/** One tab alone: the shortest way from the home page to text that survives. */
import { expect, test } from "./harness/test.ts";

test("a new document has a secret link, takes text, and still has it after a reload", async ({ world }) => {
  const tab = await world.newDocument();
  expect(new URL(await world.link(tab)).hash).toMatch(/^#[\w-]{22}$/);
  await expect(world.editor(tab)).toBeVisible();

  await world.type(tab, "Hello, one tab.");
  await world.untilSameText([tab], "Hello, one tab.");
  const before = await world.untilStatus(tab, "nothing unconfirmed", ({ unconfirmed }) => unconfirmed === 0);

  await world.reload(tab);
  await world.untilSameText([tab], "Hello, one tab.");
  await expect(world.editor(tab)).toHaveText("Hello, one tab.");
  expect((await world.status(tab)).nodeId).toBe(before.nodeId);
});
