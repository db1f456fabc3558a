import "fake-indexeddb/auto";
import { deleteDB } from "idb";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { StorageFailed } from "../driver/interfaces.ts";
import { commands, loadStorage, persistWrite, saveSnapshot, snapshotAt } from "./contract.ts";
import { IndexedDbStorage } from "./indexeddb-storage.ts";
import { asVersion, bytesOf, flip, refuseNextCommit, type Stores, tamper } from "./indexeddb-testing.ts";
import { decodeMeta, encodeMeta, type Meta } from "./meta.ts";
import { deleteNodeDatabase, nodeDatabaseName, SNAPSHOT_HEADER_KEY } from "./node-database.ts";
import { checksumOf, encodeRecord } from "./record.ts";
import { encodeSnapshotChunks, encodeSnapshotHeader, SNAPSHOT_CHUNK_BYTES } from "./snapshot-record.ts";

const topic = "room";
const name = nodeDatabaseName(topic, "A");
const opened: IndexedDbStorage[] = [];
const failures: StorageFailed[] = [];
/** Two chunks. */
const at8 = snapshotAt(8, 2, SNAPSHOT_CHUNK_BYTES + 50);

function make(options: { create?: boolean; durability?: "relaxed"; nodeId?: string } = {}): IndexedDbStorage {
  const onFailure = (failure: StorageFailed) => failures.push(failure);
  const storage = new IndexedDbStorage({ topic, nodeId: "A", create: false, onFailure, ...options });
  opened.push(storage);
  return storage;
}

async function makeLoaded(options: Parameters<typeof make>[0] = {}): Promise<IndexedDbStorage> {
  const storage = make(options);
  await loadStorage(storage);
  return storage;
}

/** A node with the records 1 to 3: [1..4], [5..10], [11..11]. */
async function makeWithThreeRecords(options: Parameters<typeof make>[0] = {}): Promise<IndexedDbStorage> {
  const storage = await makeLoaded({ create: true, ...options });
  await persistWrite(storage, { entries: commands(1, 4, 1) });
  await persistWrite(storage, { entries: commands(5, 10, 2) });
  await persistWrite(storage, { entries: commands(11, 11, 2), commitIndex: 9 });
  return storage;
}

/** The same, compacted through 6 beside a snapshot of 8; closed. */
async function writeCompacted(): Promise<void> {
  const storage = await makeWithThreeRecords();
  await saveSnapshot(storage, { snapshot: at8, compactThrough: 6 });
  storage.close();
}

function changeMeta({ meta }: Stores, change: (meta: Meta) => Meta): void {
  const key = [...meta.keys()][0] ?? 0;
  const decoded = decodeMeta(bytesOf(meta, key));
  if (!decoded.ok) throw new Error(decoded.message);
  meta.set(key, encodeMeta(change(decoded.value)));
}

async function readStores(): Promise<Stores> {
  let copy: Stores | null = null;
  await tamper(name, ({ meta, log, snapshot }) => {
    copy = { meta: new Map(meta), log: new Map(log), snapshot: new Map(snapshot) };
  });
  if (copy === null) throw new Error("nothing was read");
  return copy;
}

beforeEach(() => {
  failures.length = 0;
});
afterEach(async () => {
  vi.restoreAllMocks();
  for (const storage of opened.splice(0)) storage.close();
  await deleteNodeDatabase(topic, "A");
});

describe("what lies on the disk", () => {
  test("the record that straddles the cut stays as it was, those before it are gone", async () => {
    const storage = await makeWithThreeRecords();
    const before = await readStores();
    await saveSnapshot(storage, { snapshot: at8, compactThrough: 6 });
    const after = await readStores();
    expect([...after.log.keys()]).toEqual([2, 3]);
    for (const [key, bytes] of after.log) expect(bytes).toEqual(before.log.get(key));
    expect([...after.snapshot.keys()]).toEqual([0, 1, 2]);
    await saveSnapshot(storage, { snapshot: snapshotAt(10, 2), compactThrough: 10 });
    const later = await readStores();
    expect([[...later.log.keys()], [...later.snapshot.keys()]]).toEqual([[3], [0, 1]]);
    await saveSnapshot(storage, { snapshot: snapshotAt(20, 3), reset: true });
    expect([...(await readStores()).log.keys()]).toEqual([]);
  });

  test("is counted in bytes, in this life and in the next", async () => {
    const storage = await makeWithThreeRecords();
    const without = storage.bytes;
    await saveSnapshot(storage, { snapshot: at8 });
    expect(storage.bytes).toBeGreaterThan(without + at8.size);
    expect(storage.bytes).toBeLessThan(without + at8.size + 200);
    await saveSnapshot(storage, { snapshot: snapshotAt(9, 2), compactThrough: 9 });
    expect(storage.bytes).toBeLessThan(without + 200);
    const { bytes } = storage;
    storage.close();
    expect((await makeLoaded()).bytes).toBe(bytes);
  });

  test("is written strictly, also by a relaxed storage, in one transaction", async () => {
    const storage = await makeWithThreeRecords({ durability: "relaxed" });
    const transactions = vi.spyOn(IDBDatabase.prototype, "transaction");
    await saveSnapshot(storage, { snapshot: at8, compactThrough: 6 });
    const writes = transactions.mock.calls.filter(([, mode]) => mode === "readwrite");
    expect(writes.map(([, , options]) => options?.durability)).toEqual(["strict"]);
  });

  test("a large snapshot is read back some chunks at a time", async () => {
    const storage = await makeWithThreeRecords();
    const large = snapshotAt(8, 2, 6 * SNAPSHOT_CHUNK_BYTES);
    await saveSnapshot(storage, { snapshot: large, compactThrough: 8 });
    storage.close();
    let pending = 0;
    let most = 0;
    const get = IDBObjectStore.prototype.get;
    vi.spyOn(IDBObjectStore.prototype, "get").mockImplementation(function (this: IDBObjectStore, key) {
      const request = get.call(this, key);
      most = Math.max(most, ++pending);
      request.addEventListener("success", () => pending--);
      return request;
    });
    expect((await loadStorage(make())).snapshot?.checksum).toBe(large.checksum);
    // The header beside them.
    expect([most, pending]).toEqual([5, 0]);
  });
});

test("a snapshot of many chunks before a log of many records", async () => {
  const storage = await makeWithThreeRecords();
  for (let index = 12; index <= 60; index++) await persistWrite(storage, { entries: commands(index, index, 2), commitIndex: 10 });
  const large = snapshotAt(8, 2, 9 * SNAPSHOT_CHUNK_BYTES + 5);
  await saveSnapshot(storage, { snapshot: large });
  storage.close();
  const found = await loadStorage(make());
  expect(found.entries.map(({ index }) => index)).toEqual(Array.from({ length: 60 }, (_, at) => at + 1));
  expect(found.snapshot).toEqual(large);
});

describe("damage", () => {
  const cases: Record<string, (stores: Stores) => void> = {
    "a missing header": ({ snapshot }) => snapshot.delete(SNAPSHOT_HEADER_KEY),
    "a missing first chunk": ({ snapshot }) => snapshot.delete(1),
    "a missing last chunk": ({ snapshot }) => snapshot.delete(2),
    "no snapshot at all": ({ snapshot }) => snapshot.clear(),
    "a chunk too many": ({ snapshot }) => snapshot.set(3, bytesOf(snapshot, 2)),
    "a chunk under the key of another": ({ snapshot }) => snapshot.set(1, bytesOf(snapshot, 2)),
    "a chunk under a key between two": ({ snapshot }) => {
      snapshot.set(1.5, bytesOf(snapshot, 2));
      snapshot.delete(2);
    },
    "a chunk in place of the header": ({ snapshot }) => snapshot.set(SNAPSHOT_HEADER_KEY, bytesOf(snapshot, 1)),
    "a header that is no bytes": ({ snapshot }) => snapshot.set(SNAPSHOT_HEADER_KEY, "text" as unknown as Uint8Array),
    "a chunk that is no bytes": ({ snapshot }) => snapshot.set(2, 7 as unknown as Uint8Array),
    "the header of another snapshot": (stores) =>
      changeMeta(stores, (meta) => ({ ...meta, snapshot: { index: 8, checksum: (meta.snapshot?.checksum ?? 0) ^ 1 } })),
    "a snapshot of another index": (stores) =>
      changeMeta(stores, (meta) => ({ ...meta, snapshot: { index: 9, checksum: meta.snapshot?.checksum ?? 0 } })),
    "a straddling record that is gone": ({ log }) => log.delete(2),
    "a term before the first entry that its record does not have": (stores) =>
      changeMeta(stores, (meta) => ({ ...meta, baseTerm: 1 })),
    "a log that begins behind the record that it has": (stores) =>
      changeMeta(stores, (meta) => ({ ...meta, firstIndex: 9, baseIndex: 8 })),
    "a record from before the compaction": ({ log }) => log.set(1, bytesOf(log, 3)),
  };
  test.each(Object.entries(cases))("%s: the node is given up", async (_name, change) => {
    await writeCompacted();
    await tamper(name, change);
    await expect(loadStorage(make())).rejects.toMatchObject({ name: "StorageFailed", kind: "damaged" });
    expect(failures.map(({ kind }) => kind)).toEqual(["damaged"]);
  });

  test.each([
    ["the beginning", 0],
    ["the kind", 2],
    ["the version", 3],
    ["the length", 4],
    ["the checksum", 8],
    ["the first field", 12],
    ["the data", 30],
    ["the last byte", -1],
  ])("%s of any of its values, one bit changed", async (_what, at) => {
    await writeCompacted();
    const sound = await readStores();
    for (const key of sound.snapshot.keys()) {
      await tamper(name, ({ snapshot }) => {
        for (const [each, bytes] of sound.snapshot) snapshot.set(each, bytes);
        flip(snapshot, key, at < 0 ? bytesOf(snapshot, key).length + at : at);
      });
      await expect(loadStorage(make()), `value ${String(key)}`).rejects.toMatchObject({ kind: "damaged" });
    }
    await tamper(name, ({ snapshot }) => {
      for (const [each, bytes] of sound.snapshot) snapshot.set(each, bytes);
    });
    expect((await loadStorage(make())).snapshot?.checksum).toBe(at8.checksum);
  });

  test.each(["log", "meta", "snapshot"] as const)("an older state of the %s beside newer ones is noticed", async (which) => {
    await writeCompacted();
    const older = await readStores();
    const storage = await makeLoaded();
    await persistWrite(storage, { entries: commands(12, 12, 2), commitIndex: 10 });
    await saveSnapshot(storage, { snapshot: snapshotAt(10, 2, at8.size), compactThrough: 10 });
    storage.close();
    await tamper(name, (stores) => {
      stores[which].clear();
      for (const [key, value] of older[which]) stores[which].set(key, value);
    });
    await expect(loadStorage(make())).rejects.toMatchObject({ kind: "damaged" });
  });

  test("one chunk of the snapshot before, of the same size, is noticed", async () => {
    await writeCompacted();
    const older = await readStores();
    const storage = await makeLoaded();
    await saveSnapshot(storage, { snapshot: snapshotAt(9, 2, at8.size) });
    storage.close();
    await tamper(name, ({ snapshot }) => snapshot.set(1, bytesOf(older.snapshot, 1)));
    await expect(loadStorage(make())).rejects.toMatchObject({ kind: "damaged" });
  });

  test("a snapshot that the meta record does not know is noticed", async () => {
    const storage = await makeWithThreeRecords();
    await saveSnapshot(storage, { snapshot: at8 });
    storage.close();
    await tamper(name, (stores) => changeMeta(stores, (meta) => ({ ...meta, snapshot: null })));
    await expect(loadStorage(make())).rejects.toMatchObject({ kind: "damaged" });
  });

  test("a snapshot whose last entry is another one in the log is damage", async () => {
    const storage = await makeWithThreeRecords();
    await saveSnapshot(storage, { snapshot: snapshotAt(8, 1) });
    storage.close();
    await expect(loadStorage(make())).rejects.toMatchObject({ kind: "damaged" });
  });

  test("after a reset, a record of another node with the same snapshot does not fit", async () => {
    const other = nodeDatabaseName(topic, "B");
    for (const nodeId of ["A", "B"]) {
      const storage = await makeLoaded({ create: true, nodeId });
      await saveSnapshot(storage, { snapshot: at8, reset: true });
      await persistWrite(storage, { entries: commands(9, 9, nodeId === "A" ? 2 : 3) });
      await persistWrite(storage, { entries: commands(10, 10, 3) });
      storage.close();
    }
    const foreign = await readStores();
    await tamper(other, ({ log }) => log.set(1, bytesOf(foreign.log, 1)));
    await expect(loadStorage(make({ nodeId: "B" }))).rejects.toMatchObject({ kind: "damaged" });
    await deleteDB(other);
  });

  test("a newer header, or chunk, is of the future", async () => {
    await writeCompacted();
    await tamper(name, ({ snapshot }) => snapshot.set(2, asVersion("snapshotChunk", bytesOf(snapshot, 2), 3)));
    await expect(loadStorage(make())).rejects.toMatchObject({ kind: "future" });
    const key = SNAPSHOT_HEADER_KEY;
    await tamper(name, ({ snapshot }) => snapshot.set(key, asVersion("snapshotHeader", bytesOf(snapshot, key), 3)));
    await expect(loadStorage(make())).rejects.toMatchObject({ kind: "future" });
  });
});

test("a log that ends before the snapshot is dropped, and goes on behind it", async () => {
  await writeCompacted();
  const at11 = snapshotAt(11, 3);
  await tamper(name, (stores) => {
    const header = encodeSnapshotHeader(at11);
    stores.snapshot.clear();
    for (const [at, bytes] of [header, ...encodeSnapshotChunks(at11.data)].entries()) stores.snapshot.set(at, bytes);
    changeMeta(stores, (meta) => ({ ...meta, snapshot: { index: 11, checksum: checksumOf(header) }, lastIndex: 10 }));
    changeMeta(stores, (meta) => ({ ...meta, nextRecord: 3, lastChain: checksumOf(bytesOf(stores.log, 2)) }));
    // A truncation from 11, as if the log had never had that entry.
    const record = { chain: checksumOf(bytesOf(stores.log, 2)), number: 3, truncateFrom: 11, commitIndex: 9 };
    stores.log.set(3, encodeRecord({ ...record, hardState: null, entries: [] }));
  });
  const dropped = { snapshot: at11, firstIndex: 12, baseTerm: 3, entries: [], commitIndex: 11 };
  expect(await loadStorage(make())).toMatchObject(dropped);
  // Nothing was written yet, so it is found, and dropped, once more.
  const again = make();
  expect(await loadStorage(again)).toMatchObject(dropped);
  await persistWrite(again, { entries: commands(12, 13, 3), commitIndex: 12 });
  again.close();
  expect([...(await readStores()).log.keys()]).toEqual([4]);
  expect(await loadStorage(make())).toMatchObject({ ...dropped, entries: commands(12, 13, 3), commitIndex: 12 });
});

describe("the disk refuses a snapshot", () => {
  test.each([false, true])("at the commit: nothing of it stays, and every later write fails (reset: %s)", async (reset) => {
    const storage = await makeWithThreeRecords();
    await saveSnapshot(storage, { snapshot: snapshotAt(5, 2), compactThrough: 3 });
    const before = await readStores();
    refuseNextCommit("QuotaExceededError");
    const snapshot = saveSnapshot(storage, { snapshot: at8, compactThrough: 8, reset });
    await expect(snapshot).rejects.toMatchObject({ kind: "full" });
    await expect(saveSnapshot(storage, { snapshot: at8 })).rejects.toMatchObject({ kind: "full" });
    await expect(persistWrite(storage, { commitIndex: 10 })).rejects.toMatchObject({ kind: "full" });
    expect(storage.snapshotMeta()?.index).toBe(5);
    expect(failures).toHaveLength(1);
    storage.close();
    expect(await readStores()).toEqual(before);
  });

  test("at its second chunk: nothing of it stays", async () => {
    const storage = await makeWithThreeRecords();
    const before = await readStores();
    const put = IDBObjectStore.prototype.put;
    vi.spyOn(IDBObjectStore.prototype, "put").mockImplementation(function (this: IDBObjectStore, value: unknown, key) {
      if (this.name === "snapshot" && key === 2) throw new DOMException("no room", "QuotaExceededError");
      return put.call(this, value, key);
    });
    await expect(saveSnapshot(storage, { snapshot: at8, compactThrough: 8 })).rejects.toMatchObject({ kind: "full" });
    vi.restoreAllMocks();
    storage.close();
    expect(await readStores()).toEqual(before);
  });
});

test("a snapshot that does not fit the log, or its own checksum, is our own mistake and is thrown at the call", async () => {
  const unloaded = make({ create: true });
  await expect(saveSnapshot(unloaded, { snapshot: at8 })).rejects.toThrow("assertion");
  const storage = await makeWithThreeRecords();
  await saveSnapshot(storage, { snapshot: at8, compactThrough: 6 });
  const wrong = [
    { snapshot: snapshotAt(7, 2) },
    { snapshot: snapshotAt(7, 2), reset: true },
    { snapshot: snapshotAt(12, 2) },
    { snapshot: at8, compactThrough: 9 },
    { snapshot: at8, compactThrough: -1 },
    { snapshot: { ...at8, checksum: at8.checksum ^ 1 } },
    { snapshot: { ...at8, size: at8.size - 1 } },
    { snapshot: { ...at8, term: 0 } },
  ];
  for (const write of wrong) await expect(saveSnapshot(storage, write)).rejects.toThrow("assertion");
  for (const truncateFrom of [6, 7, 8]) await expect(persistWrite(storage, { truncateFrom })).rejects.toThrow("assertion");
  await persistWrite(storage, { truncateFrom: 9, entries: commands(9, 9, 4) });
  expect(storage.failure).toBeNull();
});
