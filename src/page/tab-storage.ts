/**
 * What this tab remembers of itself: its name and, per room, its last node. Hints and tastes only: an identity lives with its log.
 * A browser that forbids the storage makes them forgotten, no more.
 */

import { NAME_LENGTH_MAX, nameFrom } from "./tab-name.ts";
import type { NodeId } from "./types.ts";

const NAME_KEY = "tabraft.name";
const NODE_KEY = "tabraft.node.";

/** `null` if there is none, or the browser forbids the question. */
export function readItem(storage: () => Storage, key: string): string | null {
  try {
    return storage().getItem(key);
  } catch {
    return null;
  }
}

/** False: the browser forbids it, or has no room. */
export function writeItem(storage: () => Storage, key: string, value: string): boolean {
  try {
    storage().setItem(key, value);
    return true;
  } catch {
    return false;
  }
}

const session = () => sessionStorage;

/** The name from earlier in this tab's life, else a new one. */
export function tabName(): string {
  const kept = readItem(session, NAME_KEY)?.trim();
  if (kept !== undefined && kept !== "" && kept.length <= NAME_LENGTH_MAX) return kept;
  const name = newTabName();
  keepTabName(name);
  return name;
}

export function newTabName(): string {
  const [random = 0] = crypto.getRandomValues(new Uint32Array(1));
  return nameFrom(random);
}

export function keepTabName(name: string): void {
  writeItem(session, NAME_KEY, name);
}

export function nodeHint(secret: string): NodeId | null {
  return readItem(session, NODE_KEY + secret);
}

export function keepNodeHint(secret: string, id: NodeId): void {
  writeItem(session, NODE_KEY + secret, id);
}
