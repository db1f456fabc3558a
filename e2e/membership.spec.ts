/** People change the cluster by hand, from any tab, beside the autopilot; what would do harm is refused with a reason. */
import type { Tab } from "./harness/tab.ts";
import { expect, test } from "./harness/test.ts";

/** What became of a call of `window.tabraft.membership`: `done`, or the sentence of the refusal. */
async function change(tab: Tab, verb: "add" | "remove" | "promote" | "demote" | "pin", id: string): Promise<string> {
  return await tab.page.evaluate(
    ([name, node]) =>
      window.tabraft.membership[name](node).then(
        () => "done",
        (error: Error) => error.message,
      ),
    [verb, id] as const,
  );
}

async function autopilot(tab: Tab, on: boolean): Promise<void> {
  await tab.page.evaluate((wanted) => window.tabraft.membership.autopilot(wanted), on);
}

async function transfer(tab: Tab, id?: string): Promise<string> {
  return await tab.page.evaluate(
    (to) =>
      window.tabraft.membership.transferLeadership(to).then(
        () => "done",
        (error: Error) => error.message,
      ),
    id,
  );
}

test("add, promote, demote, transfer and remove by hand, while the autopilot rests; then it takes over again", async ({
  world,
}) => {
  const tabs = await world.newCluster();
  const leader = await world.untilLeader(tabs);
  const [other, third] = tabs.filter((tab) => tab !== leader);
  if (!other || !third) throw new Error("Three tabs are three.");
  const idOf = async (tab: Tab): Promise<string> => (await world.status(tab)).nodeId;
  await autopilot(other, false);
  await world.untilStatus(leader, "a resting autopilot", (status) => !status.autopilot.on);

  const fourth = await world.openTab(await world.link(leader));
  const id = await idOf(fourth);
  await world.untilStatus(leader, "the fourth tab", ({ peers }) => peers.some((peer) => peer.id === id && peer.connected));
  expect((await world.status(leader)).learners).toEqual([]);
  expect(await change(other, "promote", id)).toMatch(/no member/);
  expect(await change(other, "add", id)).toBe("done");
  await world.untilReady(fourth);
  await world.untilStatus(leader, "a learner that has caught up", ({ peers, commitIndex }) =>
    peers.some((peer) => peer.id === id && (peer.matchIndex ?? 0) >= commitIndex),
  );
  expect(await change(other, "promote", id)).toBe("done");
  await world.untilVoters([...tabs, fourth], 4);
  expect(await change(other, "promote", id)).toMatch(/votes already/);
  expect(await change(third, "demote", await idOf(leader))).toMatch(/leads: hand its office over first/);
  expect(await change(leader, "demote", await idOf(third))).toBe("done");
  await world.untilVoters([...tabs, fourth], 3);

  expect(await transfer(third, await idOf(third))).toMatch(/only a voter can lead/);
  expect(await transfer(other, id)).toBe("done");
  await world.untilLeader([...tabs, fourth]);
  await world.untilStatus(leader, "the fourth tab as leader", (status) => status.leader === id);
  expect(await change(fourth, "remove", await idOf(third))).toBe("done");
  await world.untilStatus(fourth, "one member less", ({ learners }) => learners.length === 0);

  await autopilot(leader, true);
  await world.untilStatus(fourth, "the removed tab as a learner again", ({ learners }) => learners.length === 1);
  await world.type(third, "Back.");
  await world.untilSameText([...tabs, fourth], "Back.");
});
