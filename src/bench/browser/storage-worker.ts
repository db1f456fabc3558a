/**
 * The worker's side of the storage bench: writes and recovery of the log in IndexedDB, each beside its floor, the bare put or read of the same
 * bytes in a database of its own.
 */
import { StorageFailed, type StoredState } from "../../driver/interfaces.ts";
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

expose({ measureWrites });
