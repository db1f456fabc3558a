/**
 * The worker's side of the storage bench: writes and recovery of the log in IndexedDB, each beside its floor, the bare put or read of the same
 * bytes in a database of its own.
 */
import { StorageFailed, type StoredState } from "../../driver/interfaces.ts";
import { crc32c } from "../../raft/crc32c.ts";
import type { Entry } from "../../raft/types.ts";
import { type Durability, IndexedDbStorage } from "../../storage/indexeddb-storage.ts";
import { deleteNodeDatabase } from "../../storage/node-database.ts";
import { expose } from "./expose.ts";
import { ENTRY_BYTES, type WritePlan, type WriteTimes } from "./storage-plan.ts";

const TOPIC = "bench";
const NODE = "node";
const FLOOR = "bench-floor";
const STORE = "values";

function randomBytes(count: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(count);
  for (let at = 0; at < count; at += 65_536) crypto.getRandomValues(bytes.subarray(at, Math.min(count, at + 65_536)));
  return bytes;
}

function openFloor(): Promise<IDBDatabase> {
  const request = indexedDB.open(FLOOR, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE);
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function deleteFloor(): Promise<void> {
  const request = indexedDB.deleteDatabase(FLOOR);
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve();
    request.onerror = () => reject(request.error);
  });
}

function putBare(db: IDBDatabase, key: number, bytes: Uint8Array, durability: Durability): Promise<void> {
  return new Promise((resolve, reject) => {
    const transaction = db.transaction(STORE, "readwrite", { durability });
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
    transaction.objectStore(STORE).put(bytes, key);
    transaction.commit();
  });
}

/** A fresh log, loaded. */
async function openLog(durability: Durability): Promise<IndexedDbStorage> {
  await deleteNodeDatabase(TOPIC, NODE);
  const storage = new IndexedDbStorage({ topic: TOPIC, nodeId: NODE, create: true, durability });
  await load(storage);
  return storage;
}

async function load(storage: IndexedDbStorage): Promise<StoredState> {
  const result = await new Promise<StoredState | StorageFailed>((resolve) => storage.load(resolve));
  if (result instanceof StorageFailed) throw result;
  return result;
}

function append(storage: IndexedDbStorage, entries: readonly Entry[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (failure: StorageFailed | null) => (failure === null ? resolve() : reject(failure));
    storage.persist({ hardState: null, truncateFrom: null, entries, commitIndex: 0 }, done);
  });
}

/** So many entries from `first` on, of random bytes that are cut from `pool`. */
function makeEntries(pool: Uint8Array, first: number, count: number): Entry[] {
  return Array.from({ length: count }, (_, at) => {
    const offset = ((first + at) * ENTRY_BYTES) % (pool.length - ENTRY_BYTES);
    return { kind: "command", index: first + at, term: 1, command: pool.slice(offset, offset + ENTRY_BYTES) };
  });
}

/** The two arms in turn, write by write, so that what the machine does besides meets both. The first round only warms up. */
async function measureWrites({ durability, batch, writes, rounds }: WritePlan): Promise<WriteTimes> {
  await deleteFloor();
  const db = await openFloor();
  const storage = await openLog(durability);
  const pool = randomBytes(4 * 1024 * 1024);
  const times = { storage: [] as number[][], floor: [] as number[][] };
  let written = 0;
  const timed = async (kept: number[], write: () => Promise<void>) => {
    const begun = performance.now();
    await write();
    kept.push(performance.now() - begun);
  };
  for (let round = -1; round < rounds; round++) {
    const ours: number[] = [];
    const bare: number[] = [];
    for (let at = 0; at < writes; at++) {
      const entries = makeEntries(pool, written * batch + 1, batch);
      const bytes = randomBytes(batch * ENTRY_BYTES);
      written += 1;
      const arms = [
        () => timed(ours, () => append(storage, entries)),
        () => timed(bare, () => putBare(db, written, bytes, durability)),
      ];
      // Each of them first as often as the other.
      if (at % 2 === 1) arms.reverse();
      for (const arm of arms) await arm();
    }
    if (round < 0) continue;
    times.storage.push(ours);
    times.floor.push(bare);
  }
  storage.close();
  db.close();
  await deleteNodeDatabase(TOPIC, NODE);
  await deleteFloor();
  return times;
}

/** Reads all values of a store, some at a time, as recovery does. Returns how many bytes they are. */
async function readBare(db: IDBDatabase, chunk: number): Promise<number> {
  const store = db.transaction(STORE).objectStore(STORE);
  let bytes = 0;
  for (let range: IDBKeyRange | null = null; ; ) {
    const [keys, values] = await Promise.all([
      ended<IDBValidKey[]>(store.getAllKeys(range, chunk)),
      ended<Uint8Array[]>(store.getAll(range, chunk)),
    ]);
    for (const value of values) bytes += value.length;
    if (values.length < chunk) return bytes;
    range = IDBKeyRange.lowerBound(keys.at(-1), true);
  }
}

function ended<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** Makes a log of so many entries, in writes of `batch`, and beside it bare values of the same bytes. */
async function prepareLog(entries: number, batch: number): Promise<void> {
  await deleteFloor();
  const db = await openFloor();
  const storage = await openLog("relaxed");
  const pool = randomBytes(4 * 1024 * 1024);
  for (let first = 1; first <= entries; first += batch) {
    await append(storage, makeEntries(pool, first, batch));
    await putBare(db, first, randomBytes(batch * ENTRY_BYTES), "relaxed");
  }
  storage.close();
  db.close();
}

/** Makes a node whose log is compacted behind a snapshot of so many bytes, and beside it bare values of the same bytes, of 1 MiB at most. */
async function prepareSnapshot(bytes: number): Promise<void> {
  await deleteFloor();
  const db = await openFloor();
  const storage = await openLog("relaxed");
  await append(storage, makeEntries(randomBytes(65_536), 1, 1000));
  const data = randomBytes(bytes);
  const configuration = { voters: [NODE], votersOld: [], learners: [] };
  const meta = { index: 1000, term: 1, configuration, configurationIndex: 1, size: bytes, checksum: crc32c(data) };
  await new Promise<void>((resolve, reject) => {
    const done = (failure: StorageFailed | null) => (failure === null ? resolve() : reject(failure));
    storage.saveSnapshot({ snapshot: { ...meta, data }, compactThrough: 1000, reset: false }, done);
  });
  for (let at = 0; at < bytes; at += 2 ** 20) await putBare(db, at + 1, data.slice(at, at + 2 ** 20), "relaxed");
  storage.close();
  db.close();
}

/** One opening each, from the opening of the database to the last byte, in milliseconds; `first` says which arm begins. */
async function measureRecovery(first: "storage" | "floor"): Promise<{ readonly storage: number; readonly floor: number }> {
  const arms = {
    storage: async () => {
      const storage = new IndexedDbStorage({ topic: TOPIC, nodeId: NODE, create: false });
      const { entries, snapshot } = await load(storage);
      storage.close();
      return entries.length + (snapshot?.size ?? 0);
    },
    floor: async () => {
      const db = await openFloor();
      const bytes = await readBare(db, 16);
      db.close();
      return bytes;
    },
  };
  const times = { storage: 0, floor: 0 };
  for (const arm of first === "storage" ? (["storage", "floor"] as const) : (["floor", "storage"] as const)) {
    const begun = performance.now();
    if ((await arms[arm]()) === 0) throw new Error("nothing was found");
    times[arm] = performance.now() - begun;
  }
  return times;
}

expose({ measureWrites, prepareLog, prepareSnapshot, measureRecovery });
