/**
 * What this device (one browser profile) knows: its rooms, and the nodes that lie on its disk. Shared by all tabs, so each change is
 * one transaction. Rows that cannot be understood are left out of every answer. All calls reject with `StorageFailed`.
 */
import { type DBSchema, type IDBPDatabase, type IDBPTransaction, openDB } from "idb";
import * as v from "valibot";
import type { NodeId } from "../raft/types.ts";
import { rejections, toStorageFailed } from "./failure.ts";
import { markSchema, type NodeRow, nodeSchema, parseRow, type RoomRow, roomSchema } from "./registry-rows.ts";

export type { NodeRow, RoomRow } from "./registry-rows.ts";

interface RegistrySchema extends DBSchema {
  device: { key: string; value: unknown };
  rooms: { key: string; value: unknown };
  nodes: { key: string; value: unknown; indexes: { topic: string } };
}
type Store = "device" | "rooms" | "nodes";
type Database = IDBPDatabase<RegistrySchema>;
type Transaction = IDBPTransaction<RegistrySchema, Store[], "readwrite">;

export const REGISTRY_NAME = "tabraft-device";
const DATABASE_VERSION = 1;
const MARK_KEY = "mark";

export class Registry {
  readonly #db: Database;
  /** Equal for all tabs of this device, 32 lower-case hexadecimal digits. */
  readonly device: string;

  private constructor(db: Database, device: string) {
    this.#db = db;
    this.device = device;
  }

  static async open(): Promise<Registry> {
    try {
      const db = await openDB<RegistrySchema>(REGISTRY_NAME, DATABASE_VERSION, {
        upgrade(upgraded) {
          upgraded.createObjectStore("device");
          upgraded.createObjectStore("rooms", { keyPath: "topic" });
          upgraded.createObjectStore("nodes", { keyPath: "id" }).createIndex("topic", "topic");
        },
        // A tab with a newer program must not wait for this one. Later calls of this one fail.
        blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(),
      });
      return new Registry(db, await takeMark(db));
    } catch (error) {
      throw toStorageFailed("opening", error);
    }
  }

  close(): void {
    this.#db.close();
  }

  /** Most recently used first. */
  async rooms(): Promise<RoomRow[]> {
    const rows = await this.#read((db) => db.getAll("rooms"));
    return rows.flatMap((row) => parseRow(roomSchema, row)).sort((a, b) => b.lastUse - a.lastUse);
  }

  async room(topic: string): Promise<RoomRow | null> {
    return parseRow(roomSchema, await this.#read((db) => db.get("rooms", topic)))[0] ?? null;
  }

  async putRoom(row: RoomRow): Promise<void> {
    const checked = v.parse(roomSchema, row);
    await this.#write((tx) => tx.objectStore("rooms").put(checked));
  }

  /** Changes a room that is known; nothing otherwise. */
  async touchRoom(topic: string, changes: Partial<Omit<RoomRow, "topic">>): Promise<void> {
    const checked = v.parse(v.partial(roomSchema), changes);
    await this.#write(async (tx) => {
      const store = tx.objectStore("rooms");
      for (const row of parseRow(roomSchema, await store.get(topic))) await store.put({ ...row, ...checked, topic });
    });
  }

  /** Forgets the room and its nodes, and returns those nodes: their databases are left to the caller. */
  forgetRoom(topic: string): Promise<NodeRow[]> {
    return this.#write(async (tx) => {
      await tx.objectStore("rooms").delete(topic);
      const rows = await tx.objectStore("nodes").index("topic").getAll(topic);
      const nodes = rows.flatMap((row) => parseRow(nodeSchema, row));
      for (const { id } of nodes) await tx.objectStore("nodes").delete(id);
      return nodes;
    });
  }

  /** The nodes of a room on this device, with those that are set aside. */
  async nodes(topic: string): Promise<NodeRow[]> {
    const rows = await this.#read((db) => db.getAllFromIndex("nodes", "topic", topic));
    return rows.flatMap((row) => parseRow(nodeSchema, row));
  }

  async node(id: NodeId): Promise<NodeRow | null> {
    return parseRow(nodeSchema, await this.#read((db) => db.get("nodes", id)))[0] ?? null;
  }

  async putNode(row: NodeRow): Promise<void> {
    const checked = v.parse(nodeSchema, row);
    await this.#write((tx) => tx.objectStore("nodes").put(checked));
  }

  /** Changes a node that is known; nothing otherwise. */
  async touchNode(id: NodeId, changes: Partial<Omit<NodeRow, "id" | "topic">>): Promise<void> {
    const checked = v.parse(v.partial(nodeSchema), changes);
    await this.#write(async (tx) => {
      const store = tx.objectStore("nodes");
      for (const row of parseRow(nodeSchema, await store.get(id))) await store.put({ ...row, ...checked, id, topic: row.topic });
    });
  }

  /** This identity is given up: no tab will ever take it again. Its database stays, for rescue. */
  setAside(id: NodeId): Promise<void> {
    return this.touchNode(id, { isSetAside: true });
  }

  async removeNode(id: NodeId): Promise<void> {
    await this.#write((tx) => tx.objectStore("nodes").delete(id));
  }

  async #read<T>(work: (db: Database) => Promise<T>): Promise<T> {
    try {
      return await work(this.#db);
    } catch (error) {
      throw toStorageFailed("reading", error);
    }
  }

  async #write<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    try {
      return await write(this.#db, work);
    } catch (error) {
      throw toStorageFailed("writing", error);
    }
  }
}

/** Resolves once the work, one atomic change, is durable. */
async function write<T>(db: Database, work: (tx: Transaction) => Promise<T>): Promise<T> {
  const tx: Transaction = db.transaction(["device", "rooms", "nodes"], "readwrite", { durability: "strict" });
  const result = work(tx);
  const errors = await rejections([tx.done, result]);
  if (errors.length > 0) throw toStorageFailed("writing", ...errors);
  return result;
}

/** The mark of this device; made by the first tab that asks, even if several ask at once. */
async function takeMark(db: Database): Promise<string> {
  const known = parseRow(markSchema, await db.get("device", MARK_KEY))[0];
  if (known !== undefined) return known;
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const fresh = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return write(db, async (tx) => {
    const other = parseRow(markSchema, await tx.objectStore("device").get(MARK_KEY))[0];
    if (other === undefined) await tx.objectStore("device").put(fresh, MARK_KEY);
    return other ?? fresh;
  });
}
