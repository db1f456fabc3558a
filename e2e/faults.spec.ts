/** What a person breaks on purpose through the console is broken, is told, and is whole again after healing. */
import { expect, test } from "./harness/test.ts";

test("cut, delayed, lost, repeated: the node says so, and healing undoes it", async ({ world }) => {
  const tabs = await world.newCluster();
  const leader = await world.untilLeader(tabs);
  const [follower, other] = tabs.filter((tab) => tab !== leader);
  if (follower === undefined || other === undefined) throw new Error("Two tabs follow.");
  const { nodeId: leaderId } = await world.status(leader);

  await follower.page.evaluate(() => window.tabraft.faults.delay(150));
  await world.untilStatus(follower, "a slow round trip", ({ peers }) =>
    peers.filter(({ connected }) => connected).every(({ roundTripMs }) => (roundTripMs ?? 0) > 100),
  );
  expect((await world.status(follower)).faults).toEqual(["every message is 150 ms late"]);
  await expect(follower.page.getByText("Broken on purpose in this tab: every message is 150 ms late.")).toBeVisible();
  await follower.append("late ");
  await world.untilSameText(tabs, "late ");
  await follower.page.evaluate(() => window.tabraft.faults.heal());

  await other.page.evaluate(async () => {
    await window.tabraft.faults.drop(0.2);
    await window.tabraft.faults.duplicate(0.5);
  });
  // From a whole tab: a lost answer to a proposal would only tell that the outcome is unknown.
  await leader.append("lossy ");
  await world.untilSameText(tabs, "late lossy ");
  await other.page.evaluate(() => window.tabraft.faults.heal());

  await follower.page.evaluate((id) => window.tabraft.faults.cut(id), leaderId);
  await world.untilStatus(follower, "the leader lost", ({ peers }) =>
    peers.some(({ id, connected }) => id === leaderId && !connected),
  );
  await other.append("cut ");
  await follower.page.evaluate(() => window.tabraft.faults.heal());
  await world.untilSameText(tabs, "late lossy cut ");
  for (const tab of tabs) expect((await world.status(tab)).faults).toEqual([]);
  await world.untilLeader(tabs);
});

test("a paused leader loses its office and is a follower when it goes on; a crashed node is started again from its disk", async ({
  world,
}) => {
  const tabs = await world.newCluster();
  const leader = await world.untilLeader(tabs);
  const others = tabs.filter((tab) => tab !== leader);
  const { nodeId, term } = await world.status(leader);

  await leader.page.evaluate(() => window.tabraft.faults.pause());
  const next = await world.untilLeader(others);
  expect((await world.status(next)).term).toBeGreaterThan(term);
  await next.append("without the first ");
  expect((await world.status(leader)).faults).toEqual(["paused: it stands still until it is healed"]);
  expect(await world.text(leader)).toBe("");
  await leader.page.evaluate(() => window.tabraft.faults.heal());
  await world.untilSameText(tabs, "without the first ");
  await world.untilCluster(tabs);

  const victim = await world.untilLeader(tabs);
  const rest = tabs.filter((tab) => tab !== victim);
  const before = await world.status(victim);
  await victim.page.evaluate(() => window.tabraft.faults.crash());
  await expect(victim.page.getByText("The node of this tab has crashed, as it was told to.")).toBeVisible();
  await expect(victim.page.evaluate(() => window.tabraft.read())).rejects.toThrow("has crashed");
  await world.untilLeader(rest);
  await rest[0]?.append("and the second");
  await victim.page.getByRole("button", { name: "Start it again" }).click();
  const after = await world.untilStatus(victim, "its node again", ({ leader: known }) => known !== null);
  expect([after.nodeId, after.nodeId === nodeId || before.nodeId !== nodeId]).toEqual([before.nodeId, true]);
  await world.untilSameText(tabs, "without the first and the second");
  await world.type(victim, "!");
  await world.untilSameText(tabs, "without the first and the second!");
});
