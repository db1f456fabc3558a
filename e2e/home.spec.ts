/** The home page: the documents on this device, and what a person does with them. */
import { expect, test } from "./harness/test.ts";
import { until } from "./harness/until.ts";

test("a document is listed with its title, its size and that it is the only copy; it opens by a click, and is forgotten after a warning", async ({
  world,
}) => {
  const tab = await world.newDocument();
  const { page } = tab;
  const { nodeId } = await world.status(tab);
  await tab.append("Kept here.");
  await page.evaluate(() => window.tabraft.set("title", "Plans"));
  const home = await world.openHome();
  const line = home.page.locator(".shelf-line");
  await until(
    "the title in the list",
    async () => {
      // As a person who comes back to the tab.
      await home.page.reload();
      await line.first().waitFor();
      return (await line.getByRole("link", { name: "Plans" }).isVisible()) ? true : null;
    },
    () => home.page.content(),
  );
  await expect(line).toHaveCount(1);
  await expect(line).toContainText("open in a tab");
  await expect(line).toContainText("only copy");
  await expect(line).toContainText(/used (just now|1 minute ago)/);
  await expect(line).toContainText(/[1-9][0-9.]* (B|kB)/);

  // While a tab has it open, it cannot be forgotten.
  await line.getByRole("button", { name: "Forget Plans" }).click();
  await expect(home.page.getByRole("dialog")).toContainText("no other device has this document");
  await home.page.getByRole("button", { name: "Delete the only copy" }).click();
  await expect(home.page.locator(".shelf")).toContainText("open in another tab");
  await expect(line).toHaveCount(1);

  await world.closeTab(tab);
  await home.page.reload();
  await expect(line).not.toContainText("open in a tab");
  await line.getByRole("link", { name: "Plans" }).click();
  await world.untilSameText([home], "Kept here.");
  expect((await world.status(home)).nodeId).toBe(nodeId);
  await world.untilReady(home);

  await home.page.goto("about:blank");
  await home.page.goto(world.server.url);
  await line.getByRole("button", { name: "Forget Plans" }).click();
  await home.page.getByRole("button", { name: "Keep it" }).click();
  await expect(line).toHaveCount(1);
  await line.getByRole("button", { name: "Forget Plans" }).click();
  await home.page.getByRole("button", { name: "Delete the only copy" }).click();
  await expect(line).toHaveCount(0);
  const left = await home.page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name));
  expect(left.filter((name) => name?.includes(nodeId))).toEqual([]);
});

test("the browser is asked to keep what is stored by a click, and its answer and the room that there is are shown", async ({
  world,
}) => {
  const tab = await world.newDocument();
  await tab.append("x");
  const home = await world.openHome();
  const kept = home.page.locator(".kept-by");
  await expect(kept).toContainText("may clear what is stored here when space runs short");
  await expect(kept).toContainText(/used; there is room for [0-9.]+ [MG]B/);
  await kept.getByRole("button", { name: "Ask the browser to keep them" }).click();
  // Chromium decides by itself, and does not know this origin.
  await expect(kept).toContainText(/did not promise to keep it|keeps what is stored here until you delete it/);
});
