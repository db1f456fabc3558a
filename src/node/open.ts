/** Opening a node: identity first, then its database, in that order; an identity with a damaged memory is given up, never voted with. */
import { type LogStorage, StorageFailed, type StoredState } from "../driver/interfaces.ts";
import { deriveRoomKeys, parseSecret, type RoomKeys } from "../network/room-keys.ts";
import type { NodeId } from "../raft/types.ts";
import { FaultyStorage } from "../storage/faulty-storage.ts";
import { IndexedDbStorage } from "../storage/indexeddb-storage.ts";
import { deleteNodeDatabase } from "../storage/node-database.ts";
import { Registry } from "../storage/registry.ts";
import { askAdopter } from "./hand-over.ts";
import { type Identity, takeIdentity } from "./identity.ts";
import type { NodeStop, ToNode } from "./protocol.ts";
import { beginWithRescued } from "./rescue.ts";

export type Open = Extract<ToNode, { kind: "open" }>;

export interface OpenedNode {
  readonly secret: string;
  readonly keys: RoomKeys;
  readonly registry: Registry;
  readonly identity: Identity;
  readonly storage: IndexedDbStorage;
  /** `storage`, with what was loaded already, and with faults that people may ask for. */
  readonly loaded: FaultyStorage;
  /** Identities that were given up on the way, in words. */
  readonly setAside: readonly string[];
}

/** Why a node cannot start, for the person. */
export class CannotOpen extends Error {
  override readonly name = "CannotOpen";
  constructor(readonly stop: NodeStop) {
    super(stop.message);
  }
}

/** Rejects with `CannotOpen`. */
export async function openNode(open: Open, onStorageFailure: (failure: StorageFailed) => void): Promise<OpenedNode> {
  const secret = parseSecret(open.secret);
  if (secret === null)
    throw new CannotOpen({
      code: "badLink",
      message: "This link is not complete. Ask for it again: the part behind # has 22 characters.",
    });
  if (!navigator.locks || !globalThis.indexedDB || !crypto.subtle)
    throw new CannotOpen({
      code: "unsupported",
      message: "This browser lacks Web Locks, IndexedDB or WebCrypto, or the page is not on a secure address.",
    });
  try {
    const keys = await deriveRoomKeys(secret);
    const registry = await Registry.open();
    const found = await takeSoundNode(open, keys, registry, onStorageFailure);
    return { secret, keys, registry, ...found };
  } catch (error) {
    if (error instanceof StorageFailed) throw new CannotOpen({ code: "storage", message: error.message, failure: error.kind });
    throw error;
  }
}

type Found = Pick<OpenedNode, "identity" | "storage" | "loaded" | "setAside">;

async function takeSoundNode(
  open: Open,
  keys: RoomKeys,
  registry: Registry,
  onFailure: (failure: StorageFailed) => void,
): Promise<Found> {
  const setAside: string[] = [];
  /** Written by a later program, which may take them again. */
  const except = new Set<NodeId>();
  const { topic } = keys;
  while (true) {
    const identity = await takeIdentity({
      locks: navigator.locks,
      registry,
      topic,
      hint: open.hint,
      except,
      random: (count) => crypto.getRandomValues(new Uint8Array(count)),
      now: () => Date.now(),
      askAdopter: () => askAdopter(keys.topic, open.hint),
    });
    const { nodeId } = identity;
    // What a node holds that never ran was left half-made.
    if (identity.isNew) await deleteNodeDatabase(topic, nodeId);
    const storage = new IndexedDbStorage({ topic, nodeId, create: identity.isNew, onFailure });
    const result = await load(storage);
    if (!(result instanceof StorageFailed)) {
      const state = identity.isNew ? await beginWithRescued(topic, registry, storage, result, setAside) : result;
      await identity.markRun();
      return { identity, storage, loaded: new FaultyStorage(withLoaded(storage, state), schedule), setAside };
    }
    storage.close();
    if (result.kind === "damaged") await registry.setAside(nodeId);
    else if (result.kind === "future") except.add(nodeId);
    await identity.release();
    if (result.kind !== "damaged" && result.kind !== "future") throw result;
    setAside.push(givenUp(nodeId, result));
  }
}

function givenUp(nodeId: NodeId, { kind, message }: StorageFailed): string {
  const what = `The memory of this tab's node ${nodeId.slice(0, 6)}`;
  return kind === "future"
    ? `${what} was written by a newer version of this page (${message}). It waits for that version; until then this tab is a new node.`
    : `${what} is damaged (${message}). It is set aside and never votes again; this tab is a new node.`;
}

function load(storage: IndexedDbStorage): Promise<StoredState | StorageFailed> {
  return new Promise((resolve) => storage.load(resolve));
}

function schedule(delayMs: number, fire: () => void): void {
  setTimeout(fire, delayMs);
}

/** The driver loads its storage itself; here that has happened already, to know whether it is sound. */
export function withLoaded(storage: IndexedDbStorage, result: StoredState): LogStorage {
  return {
    load: (end) => queueMicrotask(() => end(result)),
    persist: (write, end) => storage.persist(write, end),
    saveSnapshot: (write, end) => storage.saveSnapshot(write, end),
    snapshotMeta: () => storage.snapshotMeta(),
    close: () => storage.close(),
  };
}
