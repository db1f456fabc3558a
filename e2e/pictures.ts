/** Each state of the page as a picture, into `screenshots/`; the two that README shows are copied to the top by `npm run screenshots -- --readme`. */
import type { Page } from "@playwright/test";
import { expect, test } from "./harness/test.ts";

const FOLDER = "screenshots";
const TEXT = `# Notes on a shared document

Every tab is a node. What is typed here becomes an entry of the log; once a majority of the tabs has it on disk, it is *committed*.

- Close any one of three tabs: the others go on.
- Close all of them, and open the link again: the text is there.

> No server keeps this text.
`;

/** The dashboard's places, and what is there once there is something to see. */
const PLACES = [
  { name: "Log", shows: ".log-rows tr" },
  { name: "Metrics", shows: "canvas" },
  { name: "Events", shows: ".event" },
  { name: "Faults", shows: ".scenario" },
  { name: "Time travel", shows: ".tools" },
] as const;

async function picture(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: `${FOLDER}/${name}.png`, animations: "disabled" });
}

async function place(page: Page, name: string): Promise<void> {
  await page.getByRole("tab", { name, exact: true }).click();
  await expect(page.getByRole("tabpanel", { name, exact: true })).toBeVisible();
}

test("pictures of a cluster of three", async ({ world }) => {
  test.setTimeout(180_000);
  const home = await world.openHome();
  await picture(home.page, "home");
  await home.page.emulateMedia({ colorScheme: "dark" });
  await picture(home.page, "home-dark");
  await home.page.setViewportSize({ width: 360, height: 740 });
  await picture(home.page, "home-phone");
  await home.page.close();

  const tabs = await world.newCluster();
  const names = ["Ada", "Grace", "Barbara"];
  for (const [at, tab] of tabs.entries()) {
    await world.showCluster(tab);
    await place(tab.page, "Cluster");
    await tab.page.getByRole("textbox", { name: "Name of this tab" }).fill(names[at] ?? "");
    await tab.page.keyboard.press("Enter");
  }
  const leader = await world.untilLeader(tabs);
  await leader.page.getByRole("textbox", { name: "Title" }).fill("A document in three tabs");
  await leader.page.keyboard.press("Enter");
  await leader.append(TEXT);
  await world.untilSameText(tabs);
  await Promise.all(tabs.map((tab) => world.untilConfirmed(tab)));
  const { page } = leader;
  await expect(page.getByRole("complementary", { name: "Dashboard" }).getByText("Barbara").first()).toBeVisible();
  await page.bringToFront();
  await picture(page, "three-tabs");
  await page.setViewportSize({ width: 1440, height: 900 });
  for (let at = 0; at < 30; at++) await leader.append(`${at} `);
  await expect(async () => expect((await page.evaluate(() => window.tabraft.events())).length).toBeGreaterThan(0)).toPass();
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    for (const { name, shows } of PLACES) {
      await place(page, name);
      await expect(page.getByRole("tabpanel", { name, exact: true }).locator(shows).first()).toBeVisible();
      await picture(page, `${name.toLowerCase().replace(" ", "-")}${colorScheme === "dark" ? "-dark" : ""}`);
    }
  }
  await page.emulateMedia({ colorScheme: "light" });
  await place(page, "Cluster");
  await page.getByRole("button", { name: "Whole screen" }).click();
  await page.setViewportSize({ width: 2560, height: 1300 });
  await picture(page, "cluster-wide");
  await page.getByRole("button", { name: "Beside the text" }).click();
  await page.setViewportSize({ width: 360, height: 740 });
  await picture(page, "phone");
  await page.setViewportSize({ width: 1100, height: 760 });

  await page.evaluate(() => window.tabraft.faults.isolate());
  await world.untilStatus(leader, "no leader", ({ leader: leads }) => leads === null);
  await expect(page.getByText("This tab is isolated")).toBeVisible();
  await picture(page, "no-leader");
  await page.evaluate(() => window.tabraft.faults.heal());
  await world.untilLeader(tabs);
  const others = tabs.filter((tab) => tab !== leader);
  for (const tab of others) await world.killRenderer(tab);
  await world.untilStatus(leader, "no quorum", ({ quorum }) => !quorum);
  await expect(page.locator(".notices").getByText("majority")).toBeVisible({ timeout: 15_000 });
  await picture(page, "lost-quorum");
  await page.emulateMedia({ colorScheme: "dark" });
  await picture(page, "lost-quorum-dark");
});
