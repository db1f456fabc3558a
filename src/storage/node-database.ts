/** The database of one node: its name, its stores, how it is opened, brought to the newest format and deleted. */
import { type DBSchema, deleteDB, type IDBPDatabase, type IDBPTransaction, openDB } from "idb";
import { StorageFailed } from "../driver/interfaces.ts";
import type { NodeId } from "../raft/types.ts";
import { rejections, toStorageFailed } from "./failure.ts";
import { META_KEY_1, readFormat1 } from "./format-1.ts";
import { encodeMeta, pristineMeta } from "./meta.ts";

export interface NodeSchema extends DBSchema {
  /** One value, under its number. */
  meta: { key: number; value: Uint8Array };
  /** Records, each under its number. */
  log: { key: number; value: Uint8Array };
  /** The header under `SNAPSHOT_HEADER_KEY`, and the chunks under 1, 2, ... */
  snapshot: { key: number; value: Uint8Array };
}
export type NodeDatabase = IDBPDatabase<NodeSchema>;

export interface NodeDatabaseOptions {
  /** The room, as its public topic. */
  readonly topic: string;
  readonly nodeId: NodeId;
  /**
   * Whether the database may be made. Only for a node that has never run: if the database of one that has is gone, its vote is
   * forgotten, and it must not be taken for pristine (it fails as "damaged").
   */
  readonly create: boolean;
}

export const SNAPSHOT_HEADER_KEY = 0;
/** Rises with the format: a database of a later program cannot be opened at all, and stays untouched. */
export const DATABASE_VERSION = 2;
/** Milliseconds that another connection, told to close, has for it. */
const BLOCKED_MS = 3000;

export function nodeDatabaseName(topic: string, nodeId: NodeId): string {
  return `tabraft-node-${topic}-${nodeId}`;
}

/**
 * Rejects with `StorageFailed`. `onLost` is called at most once, when the browser or another tab takes the open database away. A database of an
 * earlier format is rewritten, in the same transaction or not at all.
 */
export async function openNodeDatabase(options: NodeDatabaseOptions, onLost: (reason: string) => void): Promise<NodeDatabase> {
  let upgradeFailed: StorageFailed | null = null;
  let upgrading: Promise<unknown> = Promise.resolve();
  let tellBlocked = (_failure: StorageFailed): void => undefined;
  const blocked = new Promise<never>((_, reject) => {
    tellBlocked = reject;
  });
  const opening = openDB<NodeSchema>(nodeDatabaseName(options.topic, options.nodeId), DATABASE_VERSION, {
    upgrade(db, oldVersion, _newVersion, transaction) {
      const ended = rejections([transaction.done]);
      upgrading = upgrade(db, oldVersion, transaction, options)
        .catch((error: unknown) => {
          upgradeFailed = toStorageFailed("reading", error);
          transaction.abort();
        })
        .then(() => ended);
    },
    blocked: () => {
      const words = "another tab holds the database of this node open in an earlier format: close that tab";
      setTimeout(() => tellBlocked(new StorageFailed("lost", words)), BLOCKED_MS);
    },
    blocking: () => onLost("another tab deletes or replaces the database of this node"),
    terminated: () => onLost("the browser closed the database of this node"),
  });
  const errors = await rejections([Promise.race([opening, blocked])]);
  if (errors[0] instanceof StorageFailed) {
    // Whenever it may open after all, nobody waits for it any more.
    opening.then((db) => db.close()).catch(() => undefined);
    throw errors[0];
  }
  await upgrading;
  if (upgradeFailed !== null) throw upgradeFailed;
  if (errors.length > 0) throw toStorageFailed("opening", ...errors);
  return opening;
}

type Upgrade = IDBPTransaction<NodeSchema, ("meta" | "log" | "snapshot")[], "versionchange">;

async function upgrade(db: NodeDatabase, from: number, transaction: Upgrade, options: NodeDatabaseOptions): Promise<void> {
  if (from === 0 && !options.create) throw new StorageFailed("damaged", "the database of this node is gone");
  if (from === 0) {
    db.createObjectStore("snapshot");
    // Within the same transaction, so that a database without it is damaged, never new.
    return putAll(db, [], encodeMeta(pristineMeta(options.topic, options.nodeId)), 1);
  }
  const found = await readFormat1(
    (await transaction.objectStore("meta").get(META_KEY_1 as never)) as unknown,
    await transaction.objectStore("log").getAllKeys(),
    await transaction.objectStore("log").getAll(),
    options,
  );
  db.deleteObjectStore("meta");
  db.deleteObjectStore("log");
  return putAll(db, found.records, encodeMeta(found.meta), found.meta.number);
}

/** With counters of keys, which tell later whether something is missing at the end. */
async function putAll(db: NodeDatabase, records: readonly Uint8Array[], meta: Uint8Array, number: number): Promise<void> {
  const log = db.createObjectStore("log", { autoIncrement: true });
  const metas = db.createObjectStore("meta", { autoIncrement: true });
  await Promise.all([...records.map((bytes, at) => log.add(bytes, at + 1)), metas.add(meta, number)]);
}

/** Deletes what a node stored, for good. Resolves once it is gone; one that runs elsewhere loses its storage. */
export async function deleteNodeDatabase(topic: string, nodeId: NodeId): Promise<void> {
  await deleteDB(nodeDatabaseName(topic, nodeId));
}
