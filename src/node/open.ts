/** Opening a node: identity first, then its database, in that order; an identity with a damaged memory is given up, never voted with. */
import { type LogStorage, StorageFailed, type StoredState } from "../driver/interfaces.ts";
import { deriveRoomKeys, parseSecret, type RoomKeys } from "../network/room-keys.ts";
import type { NodeId } from "../raft/types.ts";
import { FaultyStorage } from "../storage/faulty-storage.ts";
import { IndexedDbStorage } from "../storage/indexeddb-storage.ts";
import { deleteNodeDatabase } from "../storage/node-database.ts";
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

/**
 * A new node on a device where another one was set aside begins with what could be read of that one, as if it had been replicated to it: it
 * never voted, so it may. A person who is alone with the document then reads it all, and may continue without the others.
 */
async function beginWithRescued(
  topic: string,
  registry: Registry,
  storage: IndexedDbStorage,
  pristine: StoredState,
  told: string[],
): Promise<StoredState> {
  const rows = (await registry.nodes(topic)).filter(({ isSetAside }) => isSetAside);
  if (rows.length === 0) return pristine;
  // Rarely needed, and then never in a hurry.
  const { salvage } = await import("../storage/salvage.ts");
  const found: StoredState[] = [];
  for (const { id } of rows) {
    const state = await salvage(topic, id);
    if (state !== null) found.push(state);
  }
  const [best] = found.sort(byLog);
  if (best === undefined) return pristine;
  const { snapshot, entries, hardState, commitIndex } = best;
  const from = snapshot?.index ?? 0;
  if (snapshot !== null) await done((end) => storage.saveSnapshot({ snapshot, compactThrough: from, reset: true }, end));
  const rest = entries.filter(({ index }) => index > from);
  await done((end) => storage.persist({ hardState, truncateFrom: null, entries: rest, commitIndex }, end));
  told.push(`It begins with what could be read of the one that was set aside: ${rest.length + from} entries of the log.`);
  const base = { baseTerm: snapshot?.term ?? 0, firstIndex: from + 1 };
  return { hardState, snapshot, ...base, entries: rest, commitIndex };
}

/** The best (last term, last index) first. */
function byLog(a: StoredState, b: StoredState): number {
  const end = ({ entries, snapshot, firstIndex }: StoredState) =>
    [entries.at(-1)?.term ?? snapshot?.term ?? 0, firstIndex + entries.length] as const;
  const [[termA, indexA], [termB, indexB]] = [end(a), end(b)];
  return termB - termA || indexB - indexA;
}

function load(storage: IndexedDbStorage): Promise<StoredState | StorageFailed> {
  return new Promise((resolve) => storage.load(resolve));
}

function done(write: (end: (failure: StorageFailed | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => write((failure) => (failure === null ? resolve() : reject(failure))));
}

function schedule(delayMs: number, fire: () => void): void {
  setTimeout(fire, delayMs);
}

/** The driver loads its storage itself; here that has happened already, to know whether it is sound. */
function withLoaded(storage: IndexedDbStorage, result: StoredState): LogStorage {
  return {
    load: (end) => queueMicrotask(() => end(result)),
    persist: (write, end) => storage.persist(write, end),
    saveSnapshot: (write, end) => storage.saveSnapshot(write, end),
    snapshotMeta: () => storage.snapshotMeta(),
    close: () => storage.close(),
  };
}
