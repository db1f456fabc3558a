/** Three tabs of one browser hold one document: who leads, who votes, and what is typed where. */
import { expect, test } from "./harness/test.ts";

test("three tabs have one leader, one term and three voters, and what is typed in any of them is in all", async ({ world }) => {
  const tabs = await world.newCluster();

  await test.step("one leader, one term, three voters", async () => {
    const all = await Promise.all(tabs.map((tab) => world.status(tab)));
    const ids = all.map(({ nodeId }) => nodeId);
    expect(new Set(ids).size).toBe(3);
    expect(all.map(({ role }) => role).sort()).toEqual(["follower", "follower", "leader"]);
    for (const { voters, learners, quorum, failureTolerance } of all) {
      expect([...voters].sort()).toEqual([...ids].sort());
      expect({ learners, quorum, failureTolerance }).toEqual({ learners: [], quorum: true, failureTolerance: 1 });
    }
  });

  await test.step("in turn", async () => {
    let text = "";
    for (const word of ["one ", "two ", "three ", "four ", "five ", "six"]) {
      const tab = tabs[text.split(" ").length % tabs.length] ?? tabs[0];
      await world.type(tab, word);
      text += word;
      await world.untilSameText(tabs, text);
    }
    for (const tab of tabs) await expect(world.editor(tab)).toHaveText(text);
  });

  await test.step("at once", async () => {
    const before = await world.text(tabs[0]);
    const letters = ["A", "B", "C"];
    await Promise.all(tabs.map((tab, at) => world.type(tab, (letters[at] ?? "").repeat(40))));
    for (const tab of tabs) await world.untilConfirmed(tab);
    const text = await world.untilSameText(tabs);
    expect(text.startsWith(before)).toBe(true);
    expect([...text.slice(before.length)].sort().join("")).toBe(letters.map((letter) => letter.repeat(40)).join(""));
    for (const tab of tabs) await expect(world.editor(tab)).toHaveText(text);
  });
});
