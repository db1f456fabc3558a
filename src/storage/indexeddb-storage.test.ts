import "fake-indexeddb/auto";
import { forceCloseDatabase } from "fake-indexeddb";
import { deleteDB, openDB } from "idb";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { StorageFailed } from "../driver/interfaces.ts";
import { commands, loadStorage, persistWrite } from "./contract.ts";
import { type Durability, IndexedDbStorage } from "./indexeddb-storage.ts";
import { asVersion, bytesOf, flip, refuseNextCommit, type Stores, tamper } from "./indexeddb-testing.ts";
import { DATABASE_VERSION, deleteNodeDatabase, nodeDatabaseName } from "./node-database.ts";

const node = { topic: "room", nodeId: "A" };
const name = nodeDatabaseName(node.topic, node.nodeId);
/** Its declared type asks for the class in place of an object of it. */
const forceClose = forceCloseDatabase as unknown as (db: IDBDatabase) => void;
const opened: IndexedDbStorage[] = [];
const failures: StorageFailed[] = [];

function make(options: { create?: boolean; durability?: Durability } = {}): IndexedDbStorage {
  const storage = new IndexedDbStorage({ ...node, create: false, onFailure: (failure) => failures.push(failure), ...options });
  opened.push(storage);
  return storage;
}

/** A node whose log is the records 1 to 3 with the entries [1..4], [5..10], [11..11]; closed. */
async function writeThreeRecords(): Promise<void> {
  const storage = make({ create: true });
  await loadStorage(storage);
  await persistWrite(storage, { hardState: { currentTerm: 2, votedFor: "A", generation: null }, entries: commands(1, 4, 1) });
  await persistWrite(storage, { entries: commands(5, 10, 2) });
  await persistWrite(storage, { entries: commands(11, 11, 2), commitIndex: 9 });
  storage.close();
}

beforeEach(() => {
  failures.length = 0;
});
afterEach(async () => {
  vi.restoreAllMocks();
  for (const storage of opened.splice(0)) storage.close();
  await deleteNodeDatabase(node.topic, node.nodeId);
});

describe("damage", () => {
  const cases: Record<string, (stores: Stores) => void> = {
    "the length of a record": ({ log }) => flip(log, 2, 4),
    "the checksum of a record": ({ log }) => flip(log, 2, 8),
    "the body of a record": ({ log }) => flip(log, 2, 20),
    "the body of the last record": ({ log }) => flip(log, 3, 20),
    "a record that is no bytes": ({ log }) => log.set(2, "text" as unknown as Uint8Array),
    "a missing first record": ({ log }) => log.delete(1),
    "a missing middle record": ({ log }) => log.delete(2),
    "a missing last record": ({ log }) => log.delete(3),
    "the last two records missing": ({ log }) => log.delete(3) && log.delete(2),
    "an empty log": ({ log }) => log.clear(),
    "a record under the key of another": ({ log }) => log.set(2, bytesOf(log, 3)),
    "the last record under a later key": ({ log }) => {
      log.set(4, bytesOf(log, 3));
      log.delete(3);
    },
    "a record twice": ({ log }) => log.set(4, bytesOf(log, 3)),
    "a record under a key that is no number": ({ log }) => log.set("x", bytesOf(log, 3)),
    "the length of the meta record": ({ meta }) => flip(meta, 1, 4),
    "the checksum of the meta record": ({ meta }) => flip(meta, 1, 8),
    "a byte of the meta record": ({ meta }) => flip(meta, 1, 20),
    "a missing meta record": ({ meta }) => meta.clear(),
    "the meta record under another key": ({ meta }) => {
      meta.set(2, bytesOf(meta, 1));
      meta.delete(1);
    },
    "a meta record too many": ({ meta }) => meta.set(2, bytesOf(meta, 1)),
    "nothing at all in the database": ({ meta, log }) => {
      meta.clear();
      log.clear();
    },
  };
  test.each(Object.entries(cases))("%s: the node is given up", async (_name, change) => {
    await writeThreeRecords();
    await tamper(name, change);
    const storage = make();
    await expect(loadStorage(storage)).rejects.toMatchObject({ name: "StorageFailed", kind: "damaged" });
    await expect(persistWrite(storage, { commitIndex: 1 })).rejects.toThrow();
    expect(failures.map(({ kind }) => kind)).toEqual(["damaged"]);
  });

  test.each(["log", "meta"] as const)("an older state of the %s beside newer ones is noticed", async (which) => {
    await writeThreeRecords();
    let older: Stores | null = null;
    await tamper(name, (stores) => {
      older = { ...stores, log: new Map(stores.log), meta: new Map(stores.meta) };
    });
    const storage = make();
    await loadStorage(storage);
    await persistWrite(storage, { hardState: { currentTerm: 3, votedFor: "B", generation: null }, commitIndex: 9 });
    await persistWrite(storage, { truncateFrom: 11, entries: commands(11, 11, 3), commitIndex: 9 });
    storage.close();
    await tamper(name, (stores) => {
      stores[which].clear();
      for (const [key, value] of older?.[which] ?? []) stores[which].set(key, value);
    });
    await expect(loadStorage(make())).rejects.toMatchObject({ kind: "damaged" });
  });

  test("an older state of a record in the middle is noticed", async () => {
    await writeThreeRecords();
    let older = new Uint8Array(0);
    await tamper(name, ({ log }) => {
      older = bytesOf(log, 2).slice();
    });
    const storage = make();
    await loadStorage(storage);
    await persistWrite(storage, { truncateFrom: 5, entries: commands(5, 10, 3) });
    await persistWrite(storage, { entries: commands(11, 12, 3) });
    storage.close();
    await tamper(name, ({ log }) => log.set(4, older));
    await expect(loadStorage(make())).rejects.toMatchObject({ kind: "damaged" });
  });

  test.each(["one record", "everything"])("%s of another node is not taken for its own", async (what) => {
    await writeThreeRecords();
    let foreign: Stores = { meta: new Map(), log: new Map(), snapshot: new Map() };
    await tamper(name, (stores) => {
      foreign = { ...stores, meta: new Map(stores.meta), log: new Map(stores.log) };
    });
    await deleteNodeDatabase(node.topic, node.nodeId);
    const other = nodeDatabaseName("room", "B");
    await deleteDB(other);
    const storage = new IndexedDbStorage({ topic: "room", nodeId: "B", create: true });
    await loadStorage(storage);
    await persistWrite(storage, { entries: commands(1, 4, 1) });
    storage.close();
    await tamper(other, (stores) => {
      if (what === "one record") stores.log.set(1, bytesOf(foreign.log, 1));
      else Object.assign(stores, foreign);
    });
    const again = new IndexedDbStorage({ topic: "room", nodeId: "B", create: false });
    await expect(loadStorage(again)).rejects.toMatchObject({ kind: "damaged" });
    await deleteDB(other);
  });

  test("a database that is gone is damage for a node that has run, and is not made anew", async () => {
    await expect(loadStorage(make({ create: false }))).rejects.toMatchObject({ kind: "damaged" });
    expect((await indexedDB.databases()).map((database) => database.name)).not.toContain(name);
  });
});

describe("another format version", () => {
  test("a newer record, or meta record, is of the future", async () => {
    await writeThreeRecords();
    await tamper(name, ({ log }) => log.set(2, asVersion("record", bytesOf(log, 2), 3)));
    await expect(loadStorage(make())).rejects.toMatchObject({ kind: "future" });
    await tamper(name, ({ meta }) => meta.set(1, asVersion("meta", bytesOf(meta, 1), 3)));
    await expect(loadStorage(make())).rejects.toMatchObject({ kind: "future" });
  });

  test("a newer database is of the future, and stays untouched", async () => {
    await writeThreeRecords();
    (await openDB(name, DATABASE_VERSION + 1)).close();
    await expect(loadStorage(make())).rejects.toMatchObject({ kind: "future" });
  });
});

describe("the disk refuses", () => {
  test("a full quota at the commit fences every later write, though a smaller one would pass", async () => {
    const storage = make({ create: true });
    await loadStorage(storage);
    await persistWrite(storage, { entries: commands(1, 1, 1) });
    refuseNextCommit("QuotaExceededError");
    const second = persistWrite(storage, { entries: commands(2, 2, 1) });
    const third = persistWrite(storage, { entries: commands(3, 3, 1) });
    await expect(second).rejects.toMatchObject({ kind: "full" });
    await expect(third).rejects.toMatchObject({ kind: "full" });
    await expect(persistWrite(storage, { commitIndex: 1 })).rejects.toMatchObject({ kind: "full" });
    expect(failures).toHaveLength(1);
    storage.close();
    expect((await loadStorage(make())).entries).toEqual(commands(1, 1, 1));
  });

  test("a failed request is no acknowledgement, and nothing of the write stays", async () => {
    const storage = make({ create: true });
    await loadStorage(storage);
    vi.spyOn(IDBObjectStore.prototype, "add").mockImplementation(() => {
      throw new DOMException("no room", "QuotaExceededError");
    });
    await expect(persistWrite(storage, { entries: commands(1, 1, 1) })).rejects.toMatchObject({ kind: "full" });
    vi.restoreAllMocks();
    storage.close();
    expect((await loadStorage(make())).entries).toEqual([]);
  });

  test("a database that is deleted under the running node is lost", async () => {
    const storage = make({ create: true });
    await loadStorage(storage);
    await persistWrite(storage, { entries: commands(1, 1, 1) });
    await deleteDB(name);
    await expect.poll(() => failures).toMatchObject([{ kind: "lost" }]);
    expect(failures[0]?.message).toContain("another tab deletes");
    expect((await indexedDB.databases()).map((database) => database.name)).not.toContain(name);
    await expect(persistWrite(storage, { entries: commands(2, 2, 1) })).rejects.toMatchObject({ kind: "lost" });
  });

  test("a connection that the browser closes is made anew, and what was under way is written once", async () => {
    const connections = spyOnConnections();
    const storage = make({ create: true });
    await loadStorage(storage);
    await persistWrite(storage, { entries: commands(1, 2, 1) });
    for (const connection of connections.splice(0)) forceClose(connection);
    await persistWrite(storage, { entries: commands(3, 3, 1) });
    const under = persistWrite(storage, { hardState: { currentTerm: 2, votedFor: null, generation: null } });
    for (const connection of connections.splice(0)) forceClose(connection);
    await under;
    await persistWrite(storage, { entries: commands(4, 4, 2) });
    expect(failures).toEqual([]);
    storage.close();
    const found = await loadStorage(make());
    expect(found.entries).toEqual([...commands(1, 3, 1), ...commands(4, 4, 2)]);
    expect(found.hardState.currentTerm).toBe(2);
  });

  test("a connection that closes after all was written acknowledges the write, and writes it no second time", async () => {
    const storage = make({ create: true });
    await loadStorage(storage);
    const { add } = IDBObjectStore.prototype;
    let added = 0;
    vi.spyOn(IDBObjectStore.prototype, "add").mockImplementation(function (this: IDBObjectStore, value: unknown, key) {
      if (value !== 0) added += 1;
      return add.call(this, value, key);
    });
    // The write completes, and all that is heard of it is that the connection is gone.
    const commit = IDBTransaction.prototype.commit;
    vi.spyOn(IDBTransaction.prototype, "commit").mockImplementationOnce(function (this: IDBTransaction) {
      this.oncomplete = () => this.onabort?.(new Event("abort"));
      return commit.call(this);
    });
    await persistWrite(storage, { entries: commands(1, 2, 1) });
    expect([added, storage.failure]).toEqual([1, null]);
    await persistWrite(storage, { entries: commands(3, 3, 1) });
    storage.close();
    expect((await loadStorage(make())).entries).toEqual(commands(1, 3, 1));
  });

  test("another worker that writes the same log is noticed at the next write, and neither harms the other's", async () => {
    const [robbed, thief] = [make({ create: true }), make()];
    await loadStorage(robbed);
    await persistWrite(robbed, { entries: commands(1, 2, 1) });
    await loadStorage(thief);
    await persistWrite(thief, { hardState: { currentTerm: 5, votedFor: "A", generation: null } });
    await persistWrite(thief, { entries: commands(3, 3, 5) });
    await expect(persistWrite(robbed, { entries: commands(3, 4, 1) })).rejects.toMatchObject({ kind: "lost" });
    expect(failures.map(({ message }) => message)).toEqual(["another worker has written what this node stores"]);
    await persistWrite(thief, { entries: commands(4, 4, 5) });
    thief.close();
    const found = await loadStorage(make());
    expect(found.entries).toEqual([...commands(1, 2, 1), ...commands(3, 4, 5)]);
    expect(found.hardState).toMatchObject({ currentTerm: 5, votedFor: "A" });
  });

  test("a vote of a robbed node is not written over the thief's", async () => {
    const [robbed, thief] = [make({ create: true }), make()];
    await loadStorage(robbed);
    await loadStorage(thief);
    await persistWrite(thief, { hardState: { currentTerm: 5, votedFor: "A", generation: null } });
    const vote = persistWrite(robbed, { hardState: { currentTerm: 4, votedFor: "B", generation: null } });
    await expect(vote).rejects.toMatchObject({ kind: "lost" });
    thief.close();
    expect((await loadStorage(make())).hardState).toMatchObject({ currentTerm: 5, votedFor: "A" });
  });

  test("an upgrade that another connection blocks is given up, with the reason", async () => {
    await deleteDB(name);
    // A program that does not close when it is asked to.
    const old = await openDB(name, 1, { upgrade: (db) => void db.createObjectStore("meta") });
    const storage = make();
    await expect(loadStorage(storage)).rejects.toMatchObject({
      kind: "lost",
      message: expect.stringContaining("close that tab"),
    });
    old.close();
  });
});

describe("a write", () => {
  test("with a hard state is strict in any case; entries as the option says; the commit index alone is relaxed", async () => {
    const seen: (string | undefined)[] = [];
    const transaction = IDBDatabase.prototype.transaction;
    vi.spyOn(IDBDatabase.prototype, "transaction").mockImplementation(function (this: IDBDatabase, stores, mode, options) {
      if (mode === "readwrite") seen.push(options?.durability);
      return transaction.call(this, stores, mode, options);
    });
    for (const durability of ["strict", "relaxed"] as const) {
      const storage = make({ create: true, durability });
      await loadStorage(storage);
      seen.splice(seen.length - 1);
      await persistWrite(storage, { hardState: { currentTerm: 1, votedFor: "A", generation: null }, truncateFrom: 1 });
      await persistWrite(storage, { entries: commands(1, 1, 1) });
      await persistWrite(storage, { truncateFrom: 1 });
      await persistWrite(storage, { commitIndex: 0 });
      storage.close();
    }
    expect(seen).toEqual(["strict", "strict", "strict", "relaxed", "strict", "relaxed", "relaxed", "relaxed"]);
  });

  test("that does not fit the log, or cannot be stored, is our own mistake and is thrown at the call", async () => {
    const storage = make({ create: true });
    await expect(persistWrite(storage, {})).rejects.toThrow("assertion");
    await loadStorage(storage);
    await persistWrite(storage, { entries: commands(1, 3, 1) });
    await expect(persistWrite(storage, { entries: commands(5, 5, 1) })).rejects.toThrow("assertion");
    await expect(persistWrite(storage, { entries: commands(3, 3, 1) })).rejects.toThrow("assertion");
    await expect(persistWrite(storage, { truncateFrom: 0 })).rejects.toThrow("assertion");
    const hardState = { currentTerm: -1, votedFor: null, generation: null };
    await expect(persistWrite(storage, { hardState })).rejects.toThrow("assertion");
    await persistWrite(storage, { entries: commands(4, 4, 1) });
    expect(storage.failure).toBeNull();
  });

  test("is counted in bytes, and so is what a truncation frees", async () => {
    const storage = make({ create: true });
    await loadStorage(storage);
    const pristine = storage.bytes;
    expect(pristine).toBeGreaterThan(0);
    await persistWrite(storage, { entries: [{ kind: "command", index: 1, term: 1, command: new Uint8Array(5000) }] });
    expect(storage.bytes).toBeGreaterThan(pristine + 5000);
    expect(storage.bytes).toBeLessThan(pristine + 5100);
    await persistWrite(storage, { entries: commands(2, 9, 1) });
    await persistWrite(storage, { truncateFrom: 4 });
    const bytes = storage.bytes;
    storage.close();
    const again = make();
    await loadStorage(again);
    expect(again.bytes).toBe(bytes);
    await persistWrite(again, { truncateFrom: 1 });
    // What is left is the truncation itself.
    expect(again.bytes).toBeLessThan(pristine + 30);
  });

  test("many records are read back in chunks", async () => {
    const storage = make({ create: true });
    await loadStorage(storage);
    for (let index = 1; index <= 100; index++) await persistWrite(storage, { entries: commands(index, index, 1) });
    storage.close();
    const calls = vi.spyOn(IDBObjectStore.prototype, "getAll");
    expect((await loadStorage(make())).entries).toEqual(commands(1, 100, 1));
    expect(calls.mock.calls.length).toBeGreaterThan(1);
    for (const [, count] of calls.mock.calls) expect(count).toBeLessThanOrEqual(4096);
  });
});

function spyOnConnections(): IDBDatabase[] {
  const connections: IDBDatabase[] = [];
  const open = indexedDB.open.bind(indexedDB);
  vi.spyOn(indexedDB, "open").mockImplementation((...args) => {
    const request = open(...args);
    request.addEventListener("success", () => connections.push(request.result));
    return request;
  });
  return connections;
}
