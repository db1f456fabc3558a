/** `window.tabraft`: every function of it, as someone with developer tools or a test from outside would use it. */
import * as v from "valibot";
import type { Tab } from "./harness/tab.ts";
import { expect, test } from "./harness/test.ts";
import { until } from "./harness/until.ts";
import type { World } from "./harness/world.ts";

type Three = readonly [Tab, Tab, Tab];

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const millis = v.nullable(v.pipe(v.number(), v.finite(), v.minValue(0)));
const id = v.pipe(v.string(), v.regex(/^[A-Za-z0-9]{22}$/));
const STATUS = v.object({
  nodeId: id,
  name: v.pipe(v.string(), v.nonEmpty()),
  role: v.picklist(["learner", "follower", "candidate", "leader"]),
  term: count,
  leader: v.nullable(id),
  commitIndex: count,
  lastApplied: count,
  lastLogIndex: count,
  firstLogIndex: count,
  snapshotIndex: count,
  version: count,
  unconfirmed: count,
  voters: v.array(id),
  learners: v.array(id),
  adopted: v.array(id),
  peers: v.array(
    v.strictObject({
      id,
      name: v.string(),
      connected: v.boolean(),
      roundTripMs: millis,
      lastContactMs: millis,
      matchIndex: v.nullable(count),
    }),
  ),
  quorum: v.boolean(),
  failureTolerance: count,
  devices: count,
  generation: v.nullable(v.object({ number: count, id: v.string() })),
  storage: v.object({ persistent: v.boolean(), durability: v.picklist(["strict", "relaxed"]), bytes: count }),
  faults: v.array(v.string()),
  refused: v.record(v.string(), count),
});

test("without a document the console says so", async ({ world }) => {
  const { page } = await world.openHome();
  const { now, refusals } = await page.evaluate(async () => {
    const api = window.tabraft;
    const asked = [api.edit({ from: 0, insert: "x" }), api.read(), api.get("k"), api.set("k", 1), api.faults.isolate()];
    const outcomes = await Promise.allSettled(asked);
    return {
      now: [api.link, api.status(), api.text(), api.events()],
      refusals: outcomes.map((outcome) => (outcome.status === "rejected" ? String(outcome.reason) : "done")),
    };
  });
  expect(now).toEqual([null, null, "", []]);
  for (const refusal of refusals) expect(refusal).toContain("No document is open");
});

/** Leaves "tabs" behind. */
async function expectEdits(world: World, tabs: Three): Promise<void> {
  const [a] = tabs;
  const { position, text, status } = await a.page.evaluate(async () => {
    const api = window.tabraft;
    const done = await api.edit({ from: 0, insert: "Hello, world" });
    return { position: done, text: api.text(), status: api.status() };
  });
  expect(text).toBe("Hello, world");
  expect(status?.commitIndex).toBeGreaterThanOrEqual(position.index);
  expect(status?.lastApplied).toBeGreaterThanOrEqual(position.index);
  expect(position.term).toBe(status?.term);
  const next = await a.page.evaluate(() => window.tabraft.edit({ from: 7, to: 12, insert: "tabs" }));
  expect(next.index).toBeGreaterThan(position.index);
  await a.page.evaluate(() => window.tabraft.edit({ from: 0, to: 7 }));
  await world.untilSameText(tabs, "tabs");
}

/** Leaves "tabs!" behind. */
async function expectRefusals(world: World, tabs: Three): Promise<void> {
  const [a, b] = tabs;
  const names = await a.page.evaluate(async () => {
    const bad: readonly object[] = [
      { from: -1 },
      { from: 5, insert: "x" },
      { from: 2, to: 1 },
      { from: 0, to: 5 },
      { from: 0.5 },
      { from: Number.NaN },
      { from: 0, to: Number.POSITIVE_INFINITY },
      { from: "0" },
      {},
      { from: 0, insert: 5 },
    ];
    const outcomes = await Promise.allSettled(bad.map((edit) => window.tabraft.edit(edit as { from: number })));
    return outcomes.map((outcome) => (outcome.status === "rejected" ? (outcome.reason as Error).name : "done"));
  });
  expect(names).toEqual([...Array(9).fill("RangeError"), "TypeError"]);
  await b.append("!");
  await world.untilSameText(tabs, "tabs!");
}

test("link, status, text, edit, read and the map do in three tabs what they say", async ({ world }) => {
  const tabs = await world.newCluster();
  const [a, b, c] = tabs;

  await test.step("link and status", async () => {
    for (const tab of tabs) {
      expect(await tab.link()).toBe(tab.page.url());
      const status = v.parse(STATUS, await world.status(tab));
      expect(status.peers).toHaveLength(2);
      expect(status.firstLogIndex).toBe(status.snapshotIndex + 1);
    }
    const leader = v.parse(STATUS, await world.status(await world.untilLeader(tabs)));
    for (const { matchIndex } of leader.peers) expect(matchIndex).toBeGreaterThan(0);
  });

  await test.step("edit: a place in the log, and at once in status and text", () => expectEdits(world, tabs));
  await test.step("edit: positions outside the text are refused, and nothing happens", () => expectRefusals(world, tabs));

  await test.step("read: whatever was acknowledged anywhere before", async () => {
    for (let turn = 0; turn < 9; turn += 1) {
      const [writer = a, reader = b] = [tabs[turn % 3], tabs[(turn + 1) % 3]];
      await writer.append(String(turn));
      const { text, version } = await reader.read();
      expect(text).toBe(`tabs!${"012345678".slice(0, turn + 1)}`);
      expect(version).toBeGreaterThan(turn);
    }
  });

  await test.step("set, get and compareAndSet", async () => {
    const value = { list: [1, "two", null, true], nested: { deep: -0.5 } };
    const { index } = await a.page.evaluate((set) => window.tabraft.set("key", set), value);
    expect(index).toBeGreaterThan(0);
    expect(await b.page.evaluate(() => window.tabraft.get("key"))).toEqual(value);
    expect(await c.page.evaluate(() => window.tabraft.get("never set"))).toBe(null);
    const race = await Promise.all(
      tabs.map((tab, at) => tab.page.evaluate((mine) => window.tabraft.compareAndSet("lock", null, mine), at)),
    );
    const winners = race.flatMap(({ swapped }, at) => (swapped ? [at] : []));
    expect(winners).toHaveLength(1);
    expect(await a.page.evaluate(() => window.tabraft.get("lock"))).toBe(winners[0]);
    expect((await c.page.evaluate(() => window.tabraft.read())).map).toEqual({ key: value, lock: winners[0] });
  });

  await test.step("events: what happened, newest last", async () => {
    const events = await a.page.evaluate(() => window.tabraft.events());
    expect(events.map(({ kind }) => kind)).toEqual(expect.arrayContaining(["election", "configuration", "peer", "signaling"]));
    expect(events.map(({ at }) => at)).toEqual(events.map(({ at }) => at).sort((one, other) => one - other));
    const last = events.at(-1);
    expect(await a.page.evaluate((since) => window.tabraft.events({ since }).length, (last?.at ?? 0) + 1e9)).toBe(0);
  });
});

test("an isolated leader loses its office, its edits wait, the others go on, and healing brings all together", async ({
  world,
}) => {
  const tabs = await world.newCluster();
  await world.type(tabs[0], "Before. ");
  await world.untilSameText(tabs, "Before. ");
  const leader = await world.untilLeader(tabs);
  const others = tabs.filter((tab) => tab !== leader);
  const { term } = await world.status(leader);

  await leader.page.evaluate(() => window.tabraft.faults.isolate());
  await expect(leader.page.getByText("This tab is isolated: nothing reaches it, and nothing leaves it.")).toBeVisible();
  const cut = await world.untilStatus(leader, "no office", ({ role }) => role !== "leader");
  expect(cut.faults).toHaveLength(1);
  const next = await world.untilLeader(others);
  expect((await world.status(next)).term).toBeGreaterThan(term);

  for (const tab of others) await tab.append("Majority. ");
  await world.untilSameText(others, "Before. Majority. Majority. ");
  await world.type(leader, "Isolated. ");
  const stale = leader.read().then(
    ({ text }) => text,
    () => null,
  );
  await world.untilStatus(leader, "unconfirmed edits, and no majority", ({ unconfirmed, quorum }) => unconfirmed > 0 && !quorum);
  expect(await world.text(leader)).toBe("Before. ");
  await expect(world.editor(leader)).toHaveText("Before. Isolated. ");
  await others[0]?.append("Later. ");
  await world.untilSameText(others, "Before. Majority. Majority. Later. ");
  expect(await world.text(leader)).toBe("Before. ");

  await leader.page.evaluate(() => window.tabraft.faults.heal());
  await world.untilConfirmed(leader);
  const hasAll = async () => {
    const texts = await Promise.all(tabs.map((tab) => world.text(tab)));
    return texts.every((text) => text === texts[0] && text.includes("Isolated. ")) ? (texts[0] ?? null) : null;
  };
  const text = await until("one text with the edits of both sides", hasAll, () => leader.report());
  expect(text.replace("Isolated. ", "")).toBe("Before. Majority. Majority. Later. ");
  expect((await world.status(leader)).faults).toEqual([]);
  await world.untilCluster(tabs);
  // Answered late or refused, but never from the past.
  expect([null, text, text.replace("Isolated. ", "")]).toContain(await stale);
});
