/** The dashboard in real tabs, found by role and name as by a screen reader; each of its places, and what axe finds in them. */
import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect, test } from "./harness/test.ts";

async function expectAccessible(page: Page): Promise<void> {
  // The editor's scroller holds the text field itself, which takes the focus; axe does not see that it scrolls by it.
  const { violations } = await new AxeBuilder({ page })
    .exclude(".cm-scroller")
    .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"])
    .analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" | ")}`)).toEqual([]);
}

async function place(page: Page, name: string): Promise<void> {
  await page.getByRole("tab", { name, exact: true }).click();
  await expect(page.getByRole("tabpanel", { name, exact: true })).toBeVisible();
}

test("leader, quorum and role at a glance; picture and table say the same; a node's details have its actions", async ({
  world,
}) => {
  const tabs = await world.newCluster();
  const leader = await world.untilLeader(tabs);
  const { page } = leader;
  await world.showCluster(leader);
  const panel = page.getByRole("complementary", { name: "Dashboard" });
  await expect(panel.getByText("3 of 3 voters, can lose 1")).toBeVisible();
  await expect(panel.locator(".answers").getByText(/^Leader, term \d+$/)).toBeVisible();
  await expect(page.getByRole("list", { name: "Nodes" }).getByRole("button")).toHaveCount(3);
  const { peers } = await world.status(leader);
  const table = page.getByRole("region", { name: "Table of nodes" });
  for (const { name } of peers) await expect(table.getByRole("row", { name: new RegExp(`${name} Follower`) })).toBeVisible();
  await expectAccessible(page);

  const other = peers[0]?.name ?? "";
  await page
    .getByRole("list", { name: "Nodes" })
    .getByRole("button", { name: new RegExp(`^${other}`) })
    .click();
  const details = page.getByRole("region", { name: other });
  await expect(details.getByText("Votes")).toBeVisible();
  await details.getByRole("button", { name: "Isolate" }).click();
  await expect(panel.getByText("2 of 3 voters, can lose none")).toBeVisible({ timeout: 20_000 });
  await expectAccessible(page);
  await details.getByRole("button", { name: "Heal" }).click();
  await expect(panel.getByText("3 of 3 voters, can lose 1")).toBeVisible({ timeout: 20_000 });

  await page.emulateMedia({ colorScheme: "dark" });
  await expectAccessible(page);
  await page.setViewportSize({ width: 360, height: 740 });
  await expectAccessible(page);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(overflow).toBe(0);
});

test("all by keyboard: the switch, the tabs by arrows, the table's nodes, back to the text", async ({ world }) => {
  const tab = await world.newDocument();
  const { page } = tab;
  await page.getByRole("switch", { name: "Dashboard" }).focus();
  await page.keyboard.press("Space");
  await expect(page.getByRole("tab", { name: "Cluster" })).toBeVisible();
  await page.getByRole("tab", { name: "Cluster" }).focus();
  for (const name of ["Log", "Metrics", "Events", "Faults", "Time travel"]) {
    await page.keyboard.press("ArrowRight");
    await expect(page.getByRole("tab", { name, selected: true })).toBeFocused();
  }
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Tab");
  const small = await page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>(".dashboard button, .dashboard select, .dashboard input:not([type=checkbox])")]
      .map((element) => ({ element, box: element.getBoundingClientRect() }))
      .filter(({ box }) => box.width > 0 && (box.width < 24 || box.height < 24))
      .map(({ element }) => element.outerHTML),
  );
  expect(small).toEqual([]);
});

test("the log follows its tail, goes to an index, and is filtered; the console tells the same lines", async ({ world }) => {
  const tab = await world.newDocument();
  const { page } = tab;
  for (let at = 0; at < 40; at++) await tab.append(`${at} `);
  await page.evaluate(() => window.tabraft.set("title", "Log"));
  await world.showCluster(tab);
  await place(page, "Log");
  const { lastLogIndex, commitIndex } = await world.status(tab);
  const table = page.getByRole("table", { name: "Log" });
  await expect(table.getByRole("row", { name: new RegExp(`^${lastLogIndex} `) })).toBeVisible();
  await expectAccessible(page);
  const lines = await page.evaluate((count) => window.tabraft.log({ from: 1, count }), lastLogIndex);
  expect(lines.map(({ index }) => index)).toEqual(Array.from({ length: lastLogIndex }, (_, at) => at + 1));
  expect(lines.filter(({ committed }) => committed)).toHaveLength(commitIndex);
  expect(lines.filter(({ kind }) => kind === "edit")).toHaveLength(40);
  expect(lines[0]?.kind).toBe("configuration");

  await page.getByLabel("Index").fill("3");
  await page.getByRole("button", { name: "Go to" }).click();
  await expect(table.getByRole("row", { name: /^3 / })).toBeVisible();
  await expect(page.getByLabel("Follow the tail")).not.toBeChecked();
  await page.getByLabel("Kind").selectOption("set a value");
  await expect(page.getByText("1 entry found")).toBeVisible();
  await expect(page.getByRole("table", { name: "Matches" }).getByRole("row")).toHaveCount(2);
  await expect(page.evaluate(() => window.tabraft.log({ from: 0, count: 1 }))).rejects.toThrow("from is an index");
});

test("metrics are drawn, held, and told for Prometheus", async ({ world }) => {
  const tab = await world.newDocument();
  const { page } = tab;
  await tab.append("something to measure");
  await world.showCluster(tab);
  await place(page, "Metrics");
  await expect(page.locator(".chart canvas").first()).toBeVisible();
  await expect(page.getByText(/p50 [\d.]+ ms/).first()).toBeVisible();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Pause" }).click();
  await expect(page.getByRole("button", { name: "Go on" })).toBeVisible();
  await page.getByRole("radio", { name: "5 min" }).check();
  await expect(page.getByRole("radio", { name: "5 min" })).toBeChecked();
  const text = await page.evaluate(() => window.tabraft.metrics());
  const commits = Number(/^tabraft_commits_total\{.*\} (\d+)$/m.exec(text)?.[1]);
  expect(commits).toBeGreaterThan(0);
  expect(text).toMatch(/^tabraft_storage_write_seconds_count\{.*\} [1-9]\d*$/m);
});

test("an election is told with its cause, can be filtered, and taken away", async ({ world }) => {
  const tabs = await world.newCluster();
  const leader = await world.untilLeader(tabs);
  const { name, term } = await world.status(leader);
  await leader.page.evaluate(() => window.tabraft.faults.isolate());
  const next = await world.untilLeader(tabs.filter((tab) => tab !== leader));
  const { page } = next;
  await world.showCluster(next);
  await place(page, "Events");
  await page.getByLabel("Kind").selectOption("Elections");
  const events = page.getByRole("list", { name: "Events, newest first" });
  await expect(events.getByText(/This tab leads since term \d+/).first()).toBeVisible();
  const told = (await page.evaluate(() => window.tabraft.events())).filter(
    (event) => event.kind === "election" && event.term >= term,
  );
  expect(
    told.some(({ text }) => new RegExp(`^No heartbeat from ${name} for \\d+ ms`).test(text) || text.startsWith("Voted for")),
  ).toBe(true);
  await expectAccessible(page);
  await page.getByLabel("Containing").fill("nothing says this");
  await expect(page.getByText("No event is like that.")).toBeVisible();
  await page.getByLabel("Containing").fill("");
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Export as CSV" }).click(),
  ]);
  expect(download.suggestedFilename()).toBe("tabraft-events.csv");
  await leader.page.evaluate(() => window.tabraft.faults.heal());
});

test("time travel: this node's last steps end as they did, and can be stepped through; a foreign file is refused in words", async ({
  world,
}) => {
  const tab = await world.newDocument();
  const { page } = tab;
  await tab.append("to be seen again");
  await world.showCluster(tab);
  await place(page, "Time travel");
  await page.getByRole("button", { name: "Look back on this node" }).click();
  await expect(page.getByText("and the end came out as it was written")).toBeVisible();
  const slider = page.getByRole("slider", { name: "Step" });
  const last = Number(await slider.inputValue());
  expect(last).toBeGreaterThan(5);
  await expectAccessible(page);
  await page.getByRole("button", { name: "Back", exact: true }).click();
  await expect(page.getByRole("heading", { name: new RegExp(`^Step ${last - 1} of`) })).toBeVisible();
  await page.getByRole("button", { name: "Previous change of role" }).click();
  await expect(page.getByText("(changed by this step)")).toBeVisible();
  const trace = await page.evaluate(() => window.tabraft.trace());
  expect(trace.split("\n")[0]).toContain("tabraft-trace-1");
  await page
    .getByLabel("Open a trace file")
    .setInputFiles({ name: "other.jsonl", mimeType: "text/plain", buffer: Buffer.from("{}\n") });
  await expect(page.getByText("other.jsonl cannot be replayed: This is no trace")).toBeVisible();
  await page
    .getByLabel("Open a trace file")
    .setInputFiles({ name: "mine.jsonl", mimeType: "text/plain", buffer: Buffer.from(trace) });
  await expect(page.getByText("mine.jsonl, ")).toBeVisible();
  await expect(page.getByText("and the end came out as it was written")).toBeVisible();
});
