/** Tabs of one browser need no signaling server to find each other: the page may lie on any host of files. */
import { StaticHost } from "./harness/static-host.ts";
import { expect, test } from "./harness/test.ts";

test("on a host of files alone three tabs of one browser are a cluster, and miss one that is killed", async ({ world }) => {
  const host = await StaticHost.start();
  try {
    const first = await world.openHome();
    await first.page.goto(host.url);
    await first.page.getByRole("button", { name: "New document" }).click();
    await world.untilReady(first);
    const link = await world.link(first);
    expect(link.startsWith(host.url)).toBe(true);
    const tabs = [first, await world.openTab(link), await world.openTab(link)];
    const leader = await world.untilCluster(tabs);
    await world.type(first, "no server");
    await world.untilSameText(tabs, "no server");
    for (const tab of tabs) await world.untilStatus(tab, "that there is no server", ({ signaling }) => signaling === "off");
    const events = await first.page.evaluate(() => window.tabraft.events());
    expect(events.map(({ text }) => text)).toContain(
      "There is no signaling server here: only tabs of this browser find each other.",
    );

    await world.killRenderer(leader);
    const others = tabs.filter((tab) => tab !== leader);
    await world.untilLeader(others);
    const back = await world.openTab(link);
    await world.untilSameText([...others, back], "no server");
    await world.untilCluster([...others, back]);
  } finally {
    await host.stop();
  }
});
