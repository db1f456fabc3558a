/** Who has the secret and does not keep to the protocol is dropped and counted, and the cluster goes on. */

import { rogueDoes } from "./harness/rogue.ts";
import type { Misdeed } from "./harness/rogue-page.ts";
import { expect, test } from "./harness/test.ts";
import { until } from "./harness/until.ts";

/** What each tab counts for it. */
const CONSEQUENCES: readonly (readonly [misdeed: Misdeed, reason: string])[] = [
  ["garbage", "badFrame"],
  ["oversized", "badFrame"],
  ["endless", "messageTooLarge"],
  ["truncated", "tooShort"],
  ["outOfOrder", "otherEpoch"],
  ["future", "otherVersion"],
  ["futureHello", "newerVersion"],
];

test("garbage, oversized, endless, truncated, late and future frames of one who has the secret", async ({ world }) => {
  const tabs = await world.newCluster();
  const link = await world.link(tabs[0]);
  const { term } = await world.status(tabs[0]);
  const ids = await Promise.all(tabs.map(async (tab) => (await world.status(tab)).nodeId));
  let text = "";
  for (const [misdeed, reason] of CONSEQUENCES) {
    await test.step(misdeed, async () => {
      const count = async () => Promise.all(tabs.map(async (tab) => (await world.status(tab)).refused[reason] ?? 0));
      const before = await count();
      await rogueDoes(world, link, ids, misdeed);
      const victims = misdeed === "endless" ? 1 : tabs.length;
      const counted = async () => (await count()).filter((now, at) => now > (before[at] ?? 0)).length >= victims || null;
      await until(`${reason} counted by ${victims}`, counted, () => tabs[0].report(), 40_000);
      for (const tab of tabs) await tab.append("+");
      text += "+++";
      await world.untilSameText(tabs, text);
    });
  }
  await expect(tabs[0].page.getByText("Another tab has a newer version of this page")).toBeVisible();
  const all = await Promise.all(tabs.map((tab) => world.status(tab)));
  for (const status of all) {
    expect({ term: status.term, quorum: status.quorum }).toEqual({ term, quorum: true });
    expect([...status.voters].sort()).toEqual([...ids].sort());
  }
});
