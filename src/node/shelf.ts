/** The documents on this device: what the registry knows of them, and how one is forgotten. */

import { deleteNodeDatabase } from "../storage/node-database.ts";
import type { NodeRow, Registry, RoomRow } from "../storage/registry.ts";
import { type LocksLike, lockName, lockNode } from "./identity.ts";
import type { ShelfDocument } from "./protocol.ts";

/** As much of the browser's LockManager as is needed. */
export interface ShelfLocks extends LocksLike {
  query(): Promise<{ readonly held?: readonly { readonly name?: string }[] }>;
}

/** Most recently used first. Rejects with `StorageFailed`. */
export async function listDocuments(registry: Registry, locks: ShelfLocks): Promise<ShelfDocument[]> {
  const { held = [] } = await locks.query();
  const names = new Set(held.map(({ name }) => name));
  const rooms = await registry.rooms();
  return Promise.all(rooms.map(async (room) => documentOf(room, await registry.nodes(room.topic), names)));
}

function documentOf(
  { topic, secret, title, lastUse }: RoomRow,
  nodes: readonly NodeRow[],
  held: ReadonlySet<unknown>,
): ShelfDocument {
  const last = nodes.filter(({ isSetAside, gaveWay }) => !isSetAside && !gaveWay).sort((a, b) => b.lastUse - a.lastUse)[0];
  return {
    topic,
    secret,
    title,
    lastUse,
    bytes: nodes.reduce((sum, { bytes }) => sum + bytes, 0),
    isOnlyCopy: last?.isOnlyCopy ?? false,
    isOpen: nodes.some(({ id }) => held.has(lockName(topic, id))),
  };
}

/**
 * Deletes all that this device has of a document, for good, also nodes that were set aside. Returns why not, if a tab has it open: nothing is
 * deleted then. Rejects with `StorageFailed`.
 */
export async function forgetDocument(registry: Registry, locks: LocksLike, topic: string): Promise<string | null> {
  const locked: { release(): Promise<void> }[] = [];
  try {
    for (const { id } of await registry.nodes(topic)) {
      const lock = await lockNode(locks, topic, id);
      if (lock === null) return "The document is open in another tab. Close it there first.";
      locked.push(lock);
    }
    // The registry first: what is left if this tab dies now, no tab takes for a node of its own.
    for (const { id } of await registry.forgetRoom(topic)) await deleteNodeDatabase(topic, id);
    return null;
  } finally {
    for (const { release } of locked) await release();
  }
}
