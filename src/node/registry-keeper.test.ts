import "fake-indexeddb/auto";
import { deleteDB, openDB } from "idb";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { RaftMetrics } from "../driver/metrics.ts";
import { nodeDatabaseName } from "../storage/node-database.ts";
import { type NodeRow, REGISTRY_NAME, Registry } from "../storage/registry.ts";
import { type LocksLike, lockName } from "./identity.ts";
import { RegistryKeeper } from "./registry-keeper.ts";

let registry: Registry;
const running = new Set<string>();
const locks: LocksLike = { request: (name, _options, callback) => callback(running.has(name) ? null : { name }) };
const told: string[] = [];

const row: NodeRow = {
  id: "self",
  topic: "t1",
  lastTerm: 0,
  lastIndex: 0,
  isVoter: false,
  lastUse: 1,
  hasRun: true,
  isSetAside: false,
  bytes: 0,
  isOnlyCopy: false,
  gaveWay: false,
};
const settled = {
  id: "self",
  currentTerm: 3,
  lastLogIndex: 9,
  commitIndex: 9,
  membershipIndex: 7,
  membershipConfig: { voters: ["elsewhere", "self"], votersOld: [], learners: ["here"] },
  currentLeader: "self",
  stopped: null,
} as unknown as RaftMetrics;

beforeEach(async () => {
  running.clear();
  told.length = 0;
  registry = await Registry.open();
  for (const id of ["self", "here", "gone", "aside", "open"]) {
    await registry.putNode({ ...row, id, isSetAside: id === "aside" });
    (await openDB(nodeDatabaseName("t1", id), 1)).close();
  }
  running.add(lockName("t1", "self")).add(lockName("t1", "open"));
});
afterEach(async () => {
  registry.close();
  for (const { name } of await indexedDB.databases()) await deleteDB(name ?? REGISTRY_NAME);
});

/** Lets it have its turn, with what the node then knows. */
async function turn(metrics: RaftMetrics): Promise<string[]> {
  const keeper = new RegistryKeeper({
    registry,
    locks,
    topic: "t1",
    secret: "s",
    nodeId: "self",
    metrics: () => metrics,
    room: () => ({ title: "Plans", name: "Ada" }),
    bytes: () => 777,
    now: () => 50,
    tell: (text) => told.push(text),
  });
  keeper.turn();
  await expect.poll(async () => (await registry.room("t1"))?.lastUse).toBe(50);
  await new Promise((resolve) => setTimeout(resolve, 20));
  return (await registry.nodes("t1")).map(({ id }) => id).sort();
}

test("what members no more have left is removed, set aside or not, but for those that run", async () => {
  expect(await turn(settled)).toEqual(["here", "open", "self"]);
  const names = (await indexedDB.databases()).map(({ name }) => name);
  expect(names).not.toContain(nodeDatabaseName("t1", "gone"));
  expect(names).toContain(nodeDatabaseName("t1", "here"));
  expect(told).toHaveLength(2);
});

test.each<[string, object]>([
  ["the configuration is not known to be committed", { commitIndex: 6 }],
  ["it is joint", { membershipConfig: { ...settled.membershipConfig, votersOld: ["gone"] } }],
  ["there is no leader", { currentLeader: null }],
  ["this node is no member itself", { membershipConfig: { voters: ["elsewhere"], votersOld: [], learners: [] } }],
])("nothing is removed while %s", async (_why, changes) => {
  expect(await turn({ ...settled, ...changes })).toEqual(["aside", "gone", "here", "open", "self"]);
});

test("the row says what the node is, and whether another device has a copy", async () => {
  await turn(settled);
  const expected = { lastTerm: 3, lastIndex: 9, isVoter: true, bytes: 777, isOnlyCopy: false, gaveWay: false };
  expect(await registry.node("self")).toMatchObject(expected);
  await turn({ ...settled, membershipConfig: { voters: ["self"], votersOld: [], learners: ["here"] } });
  expect(await registry.node("self")).toMatchObject({ isOnlyCopy: true, gaveWay: false });
});
