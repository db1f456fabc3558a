import "fake-indexeddb/auto";
import { deleteDB, openDB } from "idb";
import { afterEach, beforeEach, expect, test } from "vitest";
import { nodeDatabaseName } from "../storage/node-database.ts";
import { type NodeRow, REGISTRY_NAME, Registry } from "../storage/registry.ts";
import { lockName } from "./identity.ts";
import { forgetDocument, listDocuments, type ShelfLocks } from "./shelf.ts";

let registry: Registry;
/** Held by other tabs. */
const running = new Set<string>();
const locks: ShelfLocks = {
  request: (name, _options, callback) => callback(running.has(name) ? null : { name }),
  query: async () => ({ held: [...running].map((name) => ({ name })) }),
};

const row: NodeRow = {
  id: "A",
  topic: "t1",
  lastTerm: 1,
  lastIndex: 5,
  isVoter: true,
  lastUse: 20,
  hasRun: true,
  isSetAside: false,
  bytes: 1000,
  isOnlyCopy: true,
  gaveWay: false,
};

beforeEach(async () => {
  running.clear();
  registry = await Registry.open();
  await registry.putRoom({ topic: "t1", secret: "s1", title: "Plans", name: "Ada", lastUse: 30 });
  await registry.putRoom({ topic: "t2", secret: "s2", title: "", name: "Ada", lastUse: 40 });
  await registry.putNode(row);
  await registry.putNode({ ...row, id: "B", lastUse: 10, bytes: 200, isOnlyCopy: false, gaveWay: false, isSetAside: true });
  await registry.putNode({ ...row, id: "C", topic: "t2", isOnlyCopy: false, gaveWay: false });
  for (const [topic, id] of [
    ["t1", "A"],
    ["t1", "B"],
    ["t2", "C"],
  ] as const)
    (await openDB(nodeDatabaseName(topic, id), 1)).close();
});
afterEach(async () => {
  registry.close();
  for (const { name } of await indexedDB.databases()) await deleteDB(name ?? REGISTRY_NAME);
});

async function databases(): Promise<string[]> {
  return (await indexedDB.databases()).map(({ name }) => name ?? "").filter((name) => name !== REGISTRY_NAME);
}

test("documents are listed with what their nodes take, the newest first", async () => {
  running.add(lockName("t2", "C"));
  expect(await listDocuments(registry, locks)).toEqual([
    { topic: "t2", secret: "s2", title: "", lastUse: 40, bytes: 1000, isOnlyCopy: false, isOpen: true },
    { topic: "t1", secret: "s1", title: "Plans", lastUse: 30, bytes: 1200, isOnlyCopy: true, isOpen: false },
  ]);
});

test("a document is forgotten with all of its nodes, and only that one", async () => {
  expect(await forgetDocument(registry, locks, "t1")).toBeNull();
  expect(await databases()).toEqual([nodeDatabaseName("t2", "C")]);
  expect((await listDocuments(registry, locks)).map(({ topic }) => topic)).toEqual(["t2"]);
  expect(await registry.nodes("t1")).toEqual([]);
});

test("a document that a tab has open is not forgotten, and nothing of it is", async () => {
  running.add(lockName("t1", "B"));
  expect(await forgetDocument(registry, locks, "t1")).toMatch(/open in another tab/);
  expect(await databases()).toHaveLength(3);
  expect(await registry.nodes("t1")).toHaveLength(2);
});
