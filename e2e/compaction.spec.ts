/** A long life: the log is compacted behind a snapshot, the document outlives reloads, and who comes later gets it from the snapshot. */
import type { Tab } from "./harness/tab.ts";
import { expect, test } from "./harness/test.ts";

/** More than what a node applies before it takes a snapshot. */
const EDITS = 10_500;
const EDITS_AT_ONCE = 500;

/** Each edit is an entry, and a paragraph, of its own. Many go out together, for each waits for the disks of a majority. */
async function editOften(tab: Tab): Promise<void> {
  await tab.page.evaluate(
    async ([count, atOnce]) => {
      for (let done = 0; done < count; done += atOnce) {
        const edits = Array.from({ length: atOnce }, (_, at) => window.tabraft.edit({ from: 0, insert: `${done + at}\n\n` }));
        await Promise.all(edits);
      }
    },
    [EDITS, EDITS_AT_ONCE] as const,
  );
}

test("a document of ten thousand edits is compacted, survives reloads, and reaches a fourth tab by snapshot", async ({
  world,
}) => {
  const tabs = await world.newCluster();
  const [first] = tabs;
  const link = await world.link(first);
  await first.page.evaluate(() => window.tabraft.set("title", "Ten thousand edits"));
  await editOften(await world.untilLeader(tabs));

  for (const tab of tabs) {
    const { snapshotIndex, firstLogIndex, lastLogIndex } = await world.untilStatus(
      tab,
      "a log that begins behind a snapshot",
      (status) => status.snapshotIndex > 0 && status.firstLogIndex > 1,
    );
    // Some entries before the snapshot stay for followers that are slow.
    expect(firstLogIndex).toBeLessThanOrEqual(snapshotIndex);
    expect(lastLogIndex).toBeGreaterThan(EDITS);
  }
  const text = await world.untilSameText(tabs);
  const numbers = text.trim().split("\n\n").map(Number);
  expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: EDITS }, (_, at) => at));

  for (const tab of tabs) {
    await world.reload(tab);
    const { snapshotIndex, firstLogIndex } = await world.status(tab);
    expect(Math.min(snapshotIndex, firstLogIndex - 1)).toBeGreaterThan(0);
  }
  await world.untilSameText(tabs, text);

  const fourth = await world.openTab(link);
  await world.untilSameText([...tabs, fourth], text);
  const late = await world.status(fourth);
  expect(late.snapshotIndex).toBeGreaterThan(0);
  expect(late.firstLogIndex).toBe(late.snapshotIndex + 1);
  expect(await fourth.page.evaluate(() => window.tabraft.get("title"))).toBe("Ten thousand edits");
  await world.untilReady(fourth);
  await fourth.append("the end");
  await world.untilSameText([...tabs, fourth], `${text}the end`);
});
