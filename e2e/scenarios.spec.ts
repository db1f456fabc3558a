/** Each scenario of the dashboard, run as a person runs it, in three tabs of one browser: every claim must hold. */
import { expect, test } from "./harness/test.ts";

const SCENARIOS = [
  "Split the cluster",
  "Kill the leader while typing",
  "Slow follower needs a snapshot",
  "Split vote",
  "Old leader returns",
];

for (const title of SCENARIOS) {
  test(`${title}: what it says comes true`, async ({ world }) => {
    test.setTimeout(150_000);
    const tabs = await world.newCluster();
    const leader = await world.untilLeader(tabs);
    // The tab that watches is not the one that is killed.
    const watcher = tabs.find((tab) => tab !== leader) ?? leader;
    const { page } = watcher;
    await world.showCluster(watcher);
    await page.getByRole("tab", { name: "Faults" }).click();
    const target = page.getByRole("combobox", { name: "On", exact: true });
    await expect(target.getByRole("option")).toHaveCount(3);
    const scenario = page.getByRole("list", { name: "Scenarios" }).getByRole("listitem").filter({ hasText: title }).first();
    await scenario.getByRole("button", { name: "Run" }).click();
    await expect(scenario.getByText(/\d of \d claims hold\.|could not be carried out/)).toBeVisible({ timeout: 120_000 });
    const words = (await scenario.textContent()) ?? "";
    const [, held, all] = /(\d) of (\d) claims hold\./.exec(words) ?? [];
    expect(Number(all), words).toBeGreaterThan(1);
    expect(held, words).toBe(all);
    await world.untilSameText(tabs);
  });
}

test("a tab that does not allow it is no target, and refuses an order; without three voters a scenario says what it needs", async ({
  world,
}) => {
  const first = await world.newDocument();
  const second = await world.openTab(await world.link(first));
  await world.untilReady(second);
  for (const tab of [first, second]) {
    await world.showCluster(tab);
    await tab.page.getByRole("tab", { name: "Faults" }).click();
  }
  const options = first.page.getByRole("combobox", { name: "On", exact: true }).getByRole("option");
  await expect(options).toHaveCount(2);
  const allowed = second.page.getByLabel("Other tabs of this browser may try faults on this one");
  await allowed.uncheck();
  await expect(options).toHaveCount(1);
  await allowed.check();
  await expect(options).toHaveCount(2);
  const scenario = first.page
    .getByRole("list", { name: "Scenarios" })
    .getByRole("listitem")
    .filter({ hasText: "Split vote" })
    .first();
  await scenario.getByRole("button", { name: "Run" }).click();
  await expect(scenario.getByText("This needs exactly three voters")).toBeVisible({ timeout: 30_000 });
});
