/**
 * Which node this tab is. An identity is a Web Lock held by the worker that runs the node, taken before its database is opened, so
 * that no identity ever runs twice. What a tab remembers of its last node is a hint only: a duplicated tab remembers the same.
 */
import type { NodeId } from "../raft/types.ts";
import type { NodeRow, Registry } from "../storage/registry.ts";

/** As much of the browser's LockManager as is needed. */
export interface LocksLike {
  request<T>(
    name: string,
    options: { readonly ifAvailable: boolean },
    callback: (lock: { readonly name: string } | null) => Promise<T>,
  ): Promise<T>;
}

export interface Identity {
  readonly nodeId: NodeId;
  /** It has never run: its database may be made. That of any other node must be there, or its memory is lost. */
  readonly isNew: boolean;
  /** Resolves if the lock was stolen: another worker may run this node now, so stop at once and write nothing more. */
  readonly lost: Promise<void>;
  /** To be awaited once the database was loaded, before anything is written to it: from now on it must exist. */
  markRun(): Promise<void>;
  /** After the database is closed. Resolves once another tab can take the node. */
  release(): Promise<void>;
}

export interface TakeIdentityOptions {
  readonly locks: LocksLike;
  readonly registry: Registry;
  /** The room, as its public topic. */
  readonly topic: string;
  /** The node that this tab ran last in this room, if it knows. */
  readonly hint: NodeId | null;
  /** Nodes that are not to be taken now, though they may be free. */
  readonly except?: ReadonlySet<NodeId>;
  /** So many random bytes, unpredictable. */
  random(count: number): Uint8Array;
  /** Milliseconds since the epoch. */
  now(): number;
  /** A node that another tab of this device ran besides its own, and has let go for this one; `null`: there is none. */
  askAdopter?(): Promise<NodeId | null>;
}

const ID_LENGTH = 22;
const ID_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/** The largest multiple of the alphabet's length in a byte: bytes from here on would favour its beginning. */
const FAIR_BYTES = 248;

/**
 * The hinted node if it lies on this device and is free; else the free voter with the best log; else another free node; else one that another tab
 * has adopted; else a new one, noted in the registry before it is returned. Rejects with `StorageFailed`, or with what the lock manager throws.
 */
export async function takeIdentity(options: TakeIdentityOptions): Promise<Identity> {
  const rows = await options.registry.nodes(options.topic);
  for (const { id } of rows.sort(byPreference(options.hint))) {
    if (options.except?.has(id)) continue;
    const taken = await takeNode(options, id);
    if (taken !== null) return taken;
  }
  const given = rows.length > 0 ? ((await options.askAdopter?.()) ?? null) : null;
  return (given === null ? null : await takeNode(options, given)) ?? makeNode(options);
}

/** Takes this one node of the room; `null` if it is running, set aside, or not of this room and device. */
export async function takeNode(
  { locks, registry, topic }: Pick<TakeIdentityOptions, "locks" | "registry" | "topic">,
  id: NodeId,
): Promise<Identity | null> {
  const held = await holdLock(locks, lockName(topic, id));
  if (held === null) return null;
  // Under the lock, since whoever held it until now may have given the node up.
  const row = await releasingOnError(held, registry.node(id));
  if (row !== null && row.topic === topic && !row.isSetAside && !row.gaveWay) return makeIdentity(registry, held, row);
  await held.release();
  return null;
}

/** Keeps every tab from taking this node, whatever the registry says of it; `null` if it is running. */
export function lockNode(locks: LocksLike, topic: string, id: NodeId): Promise<{ release(): Promise<void> } | null> {
  return holdLock(locks, lockName(topic, id));
}

export function lockName(topic: string, nodeId: NodeId): string {
  return `tabraft:${topic}:${nodeId}`;
}

async function makeNode(options: TakeIdentityOptions): Promise<Identity> {
  const { locks, registry, topic } = options;
  const id = makeId(options.random);
  const held = await holdLock(locks, lockName(topic, id));
  if (held === null) throw new Error(`assertion: the new node id ${id} is taken: the random bytes repeat`);
  const unknown = {
    lastTerm: 0,
    lastIndex: 0,
    isVoter: false,
    hasRun: false,
    isSetAside: false,
    bytes: 0,
    isOnlyCopy: false,
    gaveWay: false,
  };
  const row = { ...unknown, id, topic, lastUse: options.now() };
  await releasingOnError(held, registry.putNode(row));
  return makeIdentity(registry, held, row);
}

function makeIdentity(registry: Registry, { lost, release }: HeldLock, row: NodeRow): Identity {
  const markRun = () => (row.hasRun ? Promise.resolve() : registry.touchNode(row.id, { hasRun: true }));
  return { nodeId: row.id, isNew: !row.hasRun, lost, markRun, release };
}

function byPreference(hint: NodeId | null): (a: NodeRow, b: NodeRow) => number {
  return (a, b) =>
    Number(b.id === hint) - Number(a.id === hint) ||
    Number(b.isVoter) - Number(a.isVoter) ||
    b.lastTerm - a.lastTerm ||
    b.lastIndex - a.lastIndex ||
    b.lastUse - a.lastUse;
}

function makeId(random: (count: number) => Uint8Array): NodeId {
  let id = "";
  while (id.length < ID_LENGTH) {
    for (const byte of random(ID_LENGTH)) {
      if (byte < FAIR_BYTES && id.length < ID_LENGTH) id += ID_ALPHABET.charAt(byte % ID_ALPHABET.length);
    }
  }
  return id;
}

export interface HeldLock {
  readonly lost: Promise<void>;
  release(): Promise<void>;
}

/** `null` if somebody else holds it. */
export function holdLock(locks: LocksLike, name: string): Promise<HeldLock | null> {
  return new Promise((resolve, reject) => {
    let letGo = (): void => undefined;
    const holding = new Promise<void>((end) => {
      letGo = end;
    });
    let tellLost = (): void => undefined;
    const lost = new Promise<void>((tell) => {
      tellLost = tell;
    });
    const ended = locks
      .request(name, { ifAvailable: true }, async (lock) => {
        if (lock === null) return resolve(null);
        resolve({
          lost,
          release() {
            letGo();
            return ended;
          },
        });
        return holding;
      })
      .catch((error: unknown) => {
        // Before the lock is granted this says why not; afterwards, that it was stolen.
        reject(error);
        tellLost();
      });
  });
}

async function releasingOnError<T>(held: HeldLock, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    await held.release();
    throw error;
  }
}
