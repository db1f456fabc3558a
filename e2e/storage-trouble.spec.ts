/** The disk gives way under a running node, or what lies on it was damaged: nothing acknowledged is lost, nothing damaged votes, and the page says it. */
import type { Page } from "@playwright/test";
import { expect, test } from "./harness/test.ts";
import { until } from "./harness/until.ts";

/** Characters of a write that must meet the quota: small ones the browser lets pass for a while. */
const CHUNK = 400_000;

/** Of the node that this tab runs. */
function databaseOf(page: Page, nodeId: string): Promise<string> {
  return page.evaluate(async (id) => {
    const found = (await indexedDB.databases()).find(({ name }) => name?.endsWith(id));
    if (found?.name === undefined) throw new Error(`no database of ${id}`);
    return found.name;
  }, nodeId);
}

/** Flips one bit in the last value of a store of a node that does not run. `at` below 0 counts from the end. */
function damage(page: Page, database: string, where: { readonly store: string; readonly at: number }): Promise<void> {
  return page.evaluate(
    async ({ name, store, at }) => {
      const end = <T>(request: IDBRequest<T>) =>
        new Promise<T>((resolve, reject) => {
          request.onsuccess = () => resolve(request.result);
          request.onerror = () => reject(request.error);
        });
      const db = await end(indexedDB.open(name));
      const values = db.transaction(store, "readwrite").objectStore(store);
      const cursor = await end(values.openCursor(null, "prev"));
      if (cursor === null) throw new Error(`nothing in ${store}`);
      const bytes = (cursor.value as Uint8Array).slice();
      const position = at < 0 ? bytes.length + at : at;
      bytes[position] = (bytes[position] ?? 0) ^ 4;
      await end(cursor.update(bytes));
      db.close();
    },
    { name: database, ...where },
  );
}

/**
 * Until the returned function is called, the browser grants the origin no more than so many bytes. To be called before the origin stores
 * anything: browsers remember for half a minute how much room there was.
 */
async function limitQuota(page: Page, origin: string, quotaSize: number): Promise<() => Promise<void>> {
  const session = await page.context().newCDPSession(page);
  await session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize });
  return async () => {
    await session.send("Storage.overrideQuotaForOrigin", { origin });
    await session.detach();
  };
}

/** That no compression shortens: `length` characters. */
function noise(page: Page, length: number): Promise<string> {
  return page.evaluate((count) => {
    const bytes = new Uint8Array(count);
    for (let at = 0; at < count; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
    return Array.from(bytes, (byte) => String.fromCharCode(97 + (byte % 26))).join("");
  }, length);
}

test("the quota is full: the node stops with the reason, and when there is space again, Try again goes on from all that was acknowledged", async ({
  world,
}) => {
  const giveSpace = await limitQuota(await world.device.newPage(), new URL(world.server.url).origin, 3_000_000);
  const tab = await world.newDocument();
  const { page } = tab;
  const { nodeId } = await world.status(tab);
  await tab.append("kept ");
  let acknowledged = 0;
  const failed = await until(
    "a write that is refused",
    async () => {
      const text = await noise(page, CHUNK);
      const outcome = await tab.append(text).then(
        () => null,
        (error: Error) => error.message,
      );
      if (outcome === null) acknowledged += 1;
      return outcome;
    },
    () => tab.summary(),
  );
  expect(failed).toMatch(/StorageFailed|Stopped|storage/i);
  await expect(page.getByRole("heading", { name: "There is no space left" })).toBeVisible();
  await expect(page.locator(".stopped")).toContainText("no space left");
  await expect(page.getByLabel("Text", { exact: true })).toHaveValue(/^kept /);

  await giveSpace();
  await page.getByRole("button", { name: "Try again" }).click();
  await world.untilReady(tab);
  const text = await world.text(tab);
  expect(text.startsWith("kept ")).toBe(true);
  expect(text.length).toBeGreaterThanOrEqual("kept ".length + acknowledged * CHUNK);
  expect((await world.status(tab)).nodeId).toBe(nodeId);
  await tab.append("!");
  expect((await world.text(tab)).endsWith("!")).toBe(true);
});

test("the database of a running node is deleted: it stops; tried again, the tab is a new node that learns from the others", async ({
  world,
}) => {
  const tabs = await world.newCluster();
  await tabs[0].append("common");
  await world.untilSameText(tabs, "common");
  const [, , tab] = tabs;
  const { nodeId } = await world.status(tab);
  const name = await databaseOf(tab.page, nodeId);
  await tab.page.evaluate(
    (database) =>
      new Promise((resolve, reject) => {
        const request = indexedDB.deleteDatabase(database);
        request.onsuccess = resolve;
        request.onerror = reject;
      }),
    name,
  );
  await expect(tab.page.locator(".stopped")).toContainText("another tab deletes or replaces the database");
  await tabs[0].append(", and on");

  await tab.page.getByRole("button", { name: "Try again" }).click();
  const status = await world.untilStatus(tab, "another node", (now) => now.nodeId !== nodeId);
  expect(status.voters).not.toContain(status.nodeId);
  await expect(tab.page.getByText("the database of this node is gone")).toBeVisible();
  await world.untilSameText(tabs, "common, and on");
});

for (const { what, store, at } of [
  { what: "the length of a record", store: "log", at: 4 },
  { what: "the checksum of a record", store: "log", at: 8 },
  { what: "the body of a record", store: "log", at: -2 },
  { what: "the meta record", store: "meta", at: 14 },
]) {
  test(`${what} is damaged: the node is given up and kept, and the person who is alone reads what can be read`, async ({
    world,
  }) => {
    const tab = await world.newDocument();
    const link = await world.link(tab);
    const { nodeId } = await world.status(tab);
    await tab.append("first, ");
    await tab.append("second");
    const name = await databaseOf(tab.page, nodeId);
    await tab.page.goto("about:blank");
    await tab.page.goto(world.server.url);
    await damage(tab.page, name, { store, at });

    await tab.page.goto(link);
    const status = await world.untilStatus(tab, "another node", (now) => now.nodeId !== nodeId);
    await expect(tab.page.getByText(`The memory of this tab's node ${nodeId.slice(0, 6)} is damaged`)).toBeVisible();
    await world.untilSameText([tab], store === "log" ? "first, " : "first, second");
    await expect(world.editor(tab)).toContainText("first, ");
    // It does not vote in the name of the old one.
    expect(status.voters).toEqual([nodeId]);
    expect({ role: status.role, leader: status.leader }).toEqual({ role: "learner", leader: null });
    // Kept aside, not deleted.
    expect(await databaseOf(tab.page, nodeId)).toBe(name);
  });
}

test("one of three is damaged: it comes back as a learner with a new id, and the cluster makes it a voter again", async ({
  world,
}) => {
  const tabs = await world.newCluster();
  const link = await world.link(tabs[0]);
  await tabs[0].append("common");
  await world.untilSameText(tabs, "common");
  const [, , tab] = tabs;
  const { nodeId } = await world.status(tab);
  const name = await databaseOf(tab.page, nodeId);
  await tab.page.goto("about:blank");
  await tab.page.goto(world.server.url);
  await damage(tab.page, name, { store: "log", at: -1 });
  await tabs[1].append(", and on");

  await tab.page.goto(link);
  const status = await world.untilStatus(tab, "another node", (now) => now.nodeId !== nodeId);
  await world.untilSameText(tabs, "common, and on");
  const voters = await until(
    "the new node among the voters",
    async () => {
      const now = await tab.status();
      return now?.voters.includes(status.nodeId) && !now.voters.includes(nodeId) ? now.voters : null;
    },
    () => tab.report(),
    45_000,
  );
  expect(voters).toHaveLength(3);
});

test("the lock of a running node is stolen: it stops at once and says so, and the thief's node goes on", async ({ world }) => {
  const tab = await world.newDocument();
  const { nodeId } = await world.status(tab);
  await tab.append("mine");
  await tab.page.evaluate(async (id) => {
    const { held = [] } = await navigator.locks.query();
    const lock = held.find(({ name }) => name?.startsWith("tabraft:") && name.endsWith(`:${id}`));
    if (lock?.name === undefined) throw new Error(`no lock of ${id}`);
    navigator.locks.request(lock.name, { steal: true }, () => new Promise(() => undefined)).catch(() => undefined);
  }, nodeId);
  await expect(tab.page.getByRole("heading", { name: "Another tab has taken over" })).toBeVisible();
  await expect(tab.append("more")).rejects.toThrow();
});

test("the console slows the disk and lets it fail; restart brings the node back with all that was acknowledged", async ({
  world,
}) => {
  const tab = await world.newDocument();
  const { nodeId } = await world.status(tab);
  await tab.page.evaluate(() => window.tabraft.faults.slowDisk(150));
  const begun = performance.now();
  await tab.append("slow");
  expect(performance.now() - begun).toBeGreaterThanOrEqual(150);
  expect((await world.status(tab)).faults).toEqual(["each write waits 150 ms"]);
  await tab.page.evaluate(() => window.tabraft.faults.heal());
  await world.untilStatus(tab, "no fault", ({ faults }) => faults.length === 0);
  await tab.page.evaluate(() => window.tabraft.faults.failDisk());
  await expect(tab.append(", never")).rejects.toThrow();
  await expect(tab.page.getByRole("button", { name: "Try again" })).toBeVisible();
  await tab.page.evaluate(() => window.tabraft.faults.restart());
  await world.untilReady(tab);
  await world.untilSameText([tab], "slow");
  expect((await world.status(tab)).nodeId).toBe(nodeId);
  await tab.append(" again");
  await world.untilSameText([tab], "slow again");
});
