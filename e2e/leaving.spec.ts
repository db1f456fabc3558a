/** Tabs of one browser go, and the one that is left finds the others' nodes on its own disk: what the simulation of leaving cannot show. */
import { expect, test } from "./harness/test.ts";

test("two tabs of one browser, the one that votes is killed: the other adopts its node, takes over, and can write", async ({
  world,
}) => {
  const voter = await world.newDocument();
  const link = await world.link(voter);
  const other = await world.openTab(link);
  await world.untilCluster([voter, other]);
  await world.type(voter, "Both.");
  await world.untilSameText([voter, other], "Both.");

  await world.killRenderer(voter);

  await world.type(other, " One.");
  const alone = await world.untilStatus(other, "the office", ({ role }) => role === "leader", 40_000);
  expect(alone.voters).toContain(alone.nodeId);
  await world.untilConfirmed(other);
  const next = await world.openTab(link);
  await world.untilSameText([other, next], "Both. One.");
  await world.type(next, " Two.");
  await world.untilSameText([other, next], "Both. One. Two.");
});

test("four of five tabs of one browser are killed at once: the fifth adopts their nodes, and can write", async ({ world }) => {
  const first = await world.newDocument();
  const link = await world.link(first);
  const tabs = [first];
  while (tabs.length < 5) tabs.push(await world.openTab(link));
  await world.untilCluster(tabs);
  await first.append("Five.");
  await world.untilSameText(tabs, "Five.");
  const leader = await world.untilLeader(tabs);
  const left = tabs.find((tab) => tab !== leader) ?? first;

  for (const tab of tabs) if (tab !== left) await world.killRenderer(tab);

  await left.append(" One.");
  await world.untilSameText([left], "Five. One.");
  expect(await world.untilStatus(left, "the office", ({ role }) => role === "leader", 40_000)).toMatchObject({ quorum: true });
});
