import "fake-indexeddb/auto";
import { deleteDB, openDB } from "idb";
import { afterEach, expect, test } from "vitest";
import { type NodeRow, REGISTRY_NAME, Registry, type RoomRow } from "./registry.ts";

const open: Registry[] = [];
async function openRegistry(): Promise<Registry> {
  const registry = await Registry.open();
  open.push(registry);
  return registry;
}
afterEach(async () => {
  for (const registry of open.splice(0)) registry.close();
  await deleteDB(REGISTRY_NAME);
});

const room: RoomRow = { topic: "t1", secret: "s", title: "Plans", name: "Ada", lastUse: 10 };
const row: NodeRow = {
  id: "A",
  topic: "t1",
  lastTerm: 0,
  lastIndex: 0,
  isVoter: false,
  lastUse: 1,
  hasRun: false,
  isSetAside: false,
  bytes: 0,
  isOnlyCopy: false,
  gaveWay: false,
};

test("the device's mark is made once, also if many tabs open at once", async () => {
  const all = await Promise.all(Array.from({ length: 8 }, openRegistry));
  const marks = new Set(all.map(({ device }) => device));
  expect([...marks]).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/)]);
  expect((await openRegistry()).device).toBe(all[0]?.device);
});

test("rooms are listed by last use, changed and forgotten with their nodes", async () => {
  const registry = await openRegistry();
  await registry.putRoom(room);
  await registry.putRoom({ ...room, topic: "t2", lastUse: 20 });
  expect((await registry.rooms()).map(({ topic }) => topic)).toEqual(["t2", "t1"]);
  await registry.touchRoom("t1", { lastUse: 30, title: "Plans, later" });
  await registry.touchRoom("nowhere", { lastUse: 30 });
  expect(await registry.rooms()).toMatchObject([{ topic: "t1", title: "Plans, later", secret: "s" }, { topic: "t2" }]);
  await registry.putNode(row);
  await registry.putNode({ ...row, id: "B", topic: "t2" });
  expect(await registry.forgetRoom("t1")).toEqual([row]);
  expect(await registry.room("t1")).toBeNull();
  expect(await registry.nodes("t1")).toEqual([]);
  expect(await registry.nodes("t2")).toHaveLength(1);
});

test("nodes are noted, changed, set aside and removed; what another tab removed does not come back", async () => {
  const registry = await openRegistry();
  await registry.putNode(row);
  await registry.touchNode("A", { lastTerm: 3, lastIndex: 9, isVoter: true, hasRun: true });
  await registry.setAside("A");
  const changed = { ...row, lastTerm: 3, lastIndex: 9, isVoter: true, hasRun: true, isSetAside: true };
  expect(await (await openRegistry()).nodes("t1")).toEqual([changed]);
  await registry.removeNode("A");
  await registry.touchNode("A", { lastIndex: 10 });
  expect(await registry.node("A")).toBeNull();
});

test("a row of an earlier program is understood", async () => {
  const registry = await openRegistry();
  const { bytes: _bytes, isOnlyCopy: _isOnlyCopy, ...old } = row;
  const db = await openDB(REGISTRY_NAME);
  await db.put("nodes", old);
  db.close();
  expect(await registry.node("A")).toEqual(row);
});

test("changes from two tabs do not undo each other", async () => {
  const [one, two] = await Promise.all([openRegistry(), openRegistry()]);
  await one.putNode(row);
  await Promise.all([one.touchNode("A", { isVoter: true }), two.touchNode("A", { lastIndex: 5 })]);
  expect(await one.node("A")).toMatchObject({ isVoter: true, lastIndex: 5 });
});

test("rows that cannot be understood are left out", async () => {
  const registry = await openRegistry();
  await registry.putNode(row);
  await registry.putRoom(room);
  const db = await openDB(REGISTRY_NAME);
  await db.put("nodes", { ...row, id: "no id!" });
  await db.put("nodes", { ...row, id: "C", lastTerm: "high" });
  await db.put("rooms", { topic: "t3" });
  db.close();
  expect((await registry.nodes("t1")).map(({ id }) => id)).toEqual(["A"]);
  expect((await registry.rooms()).map(({ topic }) => topic)).toEqual(["t1"]);
});

test("a registry that is deleted says so", async () => {
  const registry = await openRegistry();
  await deleteDB(REGISTRY_NAME);
  await expect(registry.rooms()).rejects.toMatchObject({ name: "StorageFailed", kind: "lost" });
});
