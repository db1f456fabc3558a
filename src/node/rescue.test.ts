import "fake-indexeddb/auto";
import { deleteDB } from "idb";
import { afterEach, expect, test } from "vitest";
import { SharedDocument } from "../document/shared-document.ts";
import type { RaftNetwork, StoredState } from "../driver/interfaces.ts";
import { Raft } from "../driver/raft.ts";
import type { Configuration, Entry } from "../raft/types.ts";
import { IndexedDbStorage } from "../storage/indexeddb-storage.ts";
import { MemoryDisk, MemoryStorage } from "../storage/memory-storage.ts";
import { Registry } from "../storage/registry.ts";
import { workerClock } from "./clock.ts";
import { beginWithRescued } from "./rescue.ts";

const configuration: Configuration = { voters: ["old"], votersOld: [], learners: [] };
const generation = { number: 1, id: "0".repeat(32), parentId: null, forkIndex: 0 };
const network: RaftNetwork = { start: () => undefined, send: () => undefined };

afterEach(async () => {
  for (const { name } of await indexedDB.databases()) await deleteDB(name ?? "");
});

function entry(index: number, key: string): Entry {
  // A command of no session begins with a zero.
  return {
    kind: "command",
    index,
    term: 1,
    command: new Uint8Array([0, ...new SharedDocument().encode({ kind: "set", key, value: index })]),
  };
}

/** The only voter "old" with two values, which was set aside. */
async function damagedNode(registry: Registry): Promise<void> {
  const storage = new IndexedDbStorage({ topic: "t", nodeId: "old", create: true });
  await new Promise((resolve) => storage.load(resolve));
  const persist = (entries: readonly Entry[], commitIndex: number) =>
    new Promise((resolve) =>
      storage.persist(
        { hardState: { currentTerm: 1, votedFor: "old", generation }, truncateFrom: null, entries, commitIndex },
        resolve,
      ),
    );
  await persist([{ kind: "configuration", index: 1, term: 1, configuration }, entry(2, "a")], 0);
  await persist([entry(3, "b")], 2);
  storage.close();
  const row = { lastTerm: 1, lastIndex: 3, isVoter: true, lastUse: 1, hasRun: true, bytes: 0, isOnlyCopy: true, gaveWay: false };
  await registry.putNode({ ...row, id: "old", topic: "t", isSetAside: true });
}

test("the document of a person who is alone is read whole, and goes on without the damaged node in a generation of its own", async () => {
  const registry = await Registry.open();
  await damagedNode(registry);
  const disk = new MemoryDisk();
  const storage = new MemoryStorage(disk, queueMicrotask);
  const pristine = await new Promise<StoredState>((resolve) => storage.load((found) => resolve(found as StoredState)));
  const told: string[] = [];
  const state = await beginWithRescued("t", registry, storage, pristine, told);
  expect(state).toEqual(disk.read());
  expect(state).toMatchObject({ commitIndex: 3, hardState: { currentTerm: 1, votedFor: null, generation } });
  expect(told).toEqual(["It begins with what could be read of the one that was set aside: 3 entries of the log."]);

  const document = new SharedDocument();
  const raft = new Raft({
    id: "new",
    seed: 1,
    storage: new MemoryStorage(disk, queueMicrotask),
    network,
    stateMachine: document,
    clock: workerClock,
  });
  await new Promise<void>((resolve) => raft.start(() => resolve()));
  expect(document.map).toEqual({ a: 2, b: 3 });
  expect(raft.metrics()).toMatchObject({ state: "learner", membershipConfig: { voters: ["old"] } });

  await raft.continueWithoutOthers("1".repeat(32));
  expect(raft.metrics()).toMatchObject({ state: "leader", membershipConfig: { voters: ["new"] } });
  expect(raft.metrics().generation).toMatchObject({ number: 2, parentId: generation.id });
  expect(document.map).toEqual({ a: 2, b: 3 });
  raft.stop(new Error("the test is over"));
  registry.close();
});

test("without a node that was set aside, a new node begins with nothing", async () => {
  const registry = await Registry.open();
  const disk = new MemoryDisk();
  const told: string[] = [];
  const pristine = disk.read();
  expect(await beginWithRescued("t", registry, new MemoryStorage(disk, queueMicrotask), pristine, told)).toBe(pristine);
  expect(told).toEqual([]);
  registry.close();
});
