/** The database of one node: its name, its stores, how it is opened and deleted. */
import { type DBSchema, deleteDB, type IDBPDatabase, openDB } from "idb";
import { StorageFailed } from "../driver/interfaces.ts";
import type { NodeId } from "../raft/types.ts";
import { rejections, toStorageFailed } from "./failure.ts";
import { encodeMeta, pristineMeta } from "./meta.ts";

export interface NodeSchema extends DBSchema {
  /** One value, under `META_KEY`. */
  meta: { key: string; value: Uint8Array };
  /** Records, each under the index of its first entry. */
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

export const META_KEY = "node";
export const SNAPSHOT_HEADER_KEY = 0;
const DATABASE_VERSION = 1;

export function nodeDatabaseName(topic: string, nodeId: NodeId): string {
  return `tabraft-node-${topic}-${nodeId}`;
}

/** Rejects with `StorageFailed`. `onLost` is called at most once, when the browser or another tab takes the open database away. */
export async function openNodeDatabase(options: NodeDatabaseOptions, onLost: (reason: string) => void): Promise<NodeDatabase> {
  let missing = false;
  let upgrading: Promise<unknown[]> = Promise.resolve([]);
  const opening = openDB<NodeSchema>(nodeDatabaseName(options.topic, options.nodeId), DATABASE_VERSION, {
    upgrade(db, oldVersion, _newVersion, transaction) {
      missing = oldVersion === 0 && !options.create;
      if (missing) {
        upgrading = rejections([transaction.done]);
        transaction.abort();
        return;
      }
      db.createObjectStore("log");
      db.createObjectStore("snapshot");
      // Within the same transaction, so that a database without it is damaged, never new.
      const meta = encodeMeta(pristineMeta(options.topic, options.nodeId));
      upgrading = rejections([transaction.done, db.createObjectStore("meta").put(meta, META_KEY)]);
    },
    blocking: () => onLost("another tab deletes or replaces the database of this node"),
    terminated: () => onLost("the browser closed the database of this node"),
  });
  const errors = await rejections([opening]);
  errors.push(...(await upgrading));
  if (missing) throw new StorageFailed("damaged", "the database of this node is gone");
  if (errors.length > 0) throw toStorageFailed("opening", ...errors);
  return opening;
}

/** Deletes what a node stored, for good. Resolves once it is gone; one that runs elsewhere loses its storage. */
export async function deleteNodeDatabase(topic: string, nodeId: NodeId): Promise<void> {
  await deleteDB(nodeDatabaseName(topic, nodeId));
}
