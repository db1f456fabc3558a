/** For tests: changes what lies on the disk behind a node's back, and makes the disk refuse. */
import { openDB } from "idb";
import { vi } from "vitest";
import { beginFrame, type FrameKind, sealFrame } from "./frame.ts";

const STORES = ["meta", "log", "snapshot"] as const;
export type Stores = Record<(typeof STORES)[number], Map<IDBValidKey, Uint8Array>>;

/** Changes what is on the disk behind the node's back. */
export async function tamper(database: string, change: (stores: Stores) => void): Promise<void> {
  const db = await openDB(database);
  // The counters of keys stay: nothing that a store loses takes them back.
  const stores: Stores = { meta: new Map(), log: new Map(), snapshot: new Map() };
  for (const store of STORES) {
    for (const key of await db.getAllKeys(store)) stores[store].set(key, await db.get(store, key));
  }
  change(stores);
  for (const store of STORES) {
    await db.clear(store);
    for (const [key, value] of stores[store]) await db.put(store, value, key);
  }
  db.close();
}

export function bytesOf(map: Map<IDBValidKey, Uint8Array>, key: IDBValidKey): Uint8Array {
  const bytes = map.get(key);
  if (bytes === undefined) throw new Error(`nothing under ${String(key)}`);
  return bytes;
}

export function flip(map: Map<IDBValidKey, Uint8Array>, key: IDBValidKey, at: number): void {
  const bytes = bytesOf(map, key).slice();
  bytes[at] = (bytes[at] ?? 0) ^ 0x10;
  map.set(key, bytes);
}

export function asVersion(kind: FrameKind, bytes: Uint8Array, version: number): Uint8Array {
  const writer = beginFrame(kind, 0, version);
  for (const byte of bytes.subarray(12)) writer.u8(byte);
  return sealFrame(writer);
}

/** The next transaction that commits is aborted instead, as browsers do that run out of space then. */
export function refuseNextCommit(errorName: string): void {
  const commit = IDBTransaction.prototype.commit;
  let refused = false;
  vi.spyOn(IDBTransaction.prototype, "commit").mockImplementation(function (this: IDBTransaction) {
    if (refused) return commit.call(this);
    refused = true;
    Object.defineProperty(this, "error", { value: new DOMException("no space left", errorName) });
    this.abort();
  });
}
