/** Opening a node: identity first, then its database, in that order; an identity with a damaged memory is given up, never voted with. */
import { type LogStorage, StorageFailed, type StoredState } from "../driver/interfaces.ts";
import { deriveRoomKeys, parseSecret, type RoomKeys } from "../network/room-keys.ts";
import { IndexedDbStorage } from "../storage/indexeddb-storage.ts";
import { Registry } from "../storage/registry.ts";
import { type Identity, takeIdentity } from "./identity.ts";
import type { NodeStop, ToNode } from "./protocol.ts";

export type Open = Extract<ToNode, { kind: "open" }>;

export interface OpenedNode {
  readonly secret: string;
  readonly keys: RoomKeys;
  readonly registry: Registry;
  readonly identity: Identity;
  readonly storage: IndexedDbStorage;
  /** `storage`, with what was loaded already. */
  readonly loaded: LogStorage;
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
    if (error instanceof StorageFailed) throw new CannotOpen({ code: "storage", message: error.message });
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
  while (true) {
    const identity = await takeIdentity({
      locks: navigator.locks,
      registry,
      topic: keys.topic,
      hint: open.hint,
      random: (count) => crypto.getRandomValues(new Uint8Array(count)),
      now: () => Date.now(),
    });
    const storage = new IndexedDbStorage({ topic: keys.topic, nodeId: identity.nodeId, create: identity.isNew, onFailure });
    const result = await new Promise<StoredState | StorageFailed>((resolve) => storage.load(resolve));
    if (!(result instanceof StorageFailed)) {
      await identity.markRun();
      return { identity, storage, loaded: withLoaded(storage, result), setAside };
    }
    storage.close();
    if (result.kind !== "damaged") throw result;
    await registry.setAside(identity.nodeId);
    await identity.release();
    setAside.push(
      `The memory of ${identity.nodeId.slice(0, 6)} on this device is damaged (${result.message}). It was set aside; this tab is a new node.`,
    );
  }
}

/** The driver loads its storage itself; here that has happened already, to know whether it is sound. */
function withLoaded(storage: IndexedDbStorage, result: StoredState): LogStorage {
  return {
    load: (done) => queueMicrotask(() => done(result)),
    persist: (write, done) => storage.persist(write, done),
    saveSnapshot: (write, done) => storage.saveSnapshot(write, done),
    snapshotMeta: () => storage.snapshotMeta(),
    close: () => storage.close(),
  };
}
