/**
 * What can still be read of a node whose memory is damaged: the snapshot, if it is sound, and the log up to the first thing that is not.
 * Every entry in it was really written by that node at its place, so it is a copy that a new node, with an id of its own and no vote, may
 * begin with; how the log went on is not known.
 */
import type { IDBPObjectStore } from "idb";
import { StorageFailed, type StoredState } from "../driver/interfaces.ts";
import type { NodeId, Snapshot } from "../raft/types.ts";
import { clampCommitIndex } from "./log-span.ts";
import { decodeMeta, type Meta, pristineMeta } from "./meta.ts";
import { type NodeDatabase, type NodeSchema, openNodeDatabase } from "./node-database.ts";
import { checksumOf, decodeRecord } from "./record.ts";
import { Replay } from "./replay.ts";
import { decodeSnapshotHeader } from "./snapshot-record.ts";
import { askSnapshot, recoverSnapshot } from "./snapshot-recovery.ts";

/** Without a vote. `null`: nothing can be read, or nothing was written. Nothing is changed. For whoever holds the lock of this node. */
export async function salvage(topic: string, nodeId: NodeId): Promise<StoredState | null> {
  let db: NodeDatabase | null = null;
  try {
    db = await openNodeDatabase({ topic, nodeId, create: false }, () => undefined);
    return await readSound(db, topic, nodeId);
  } catch (error) {
    // Whatever the disk says, this was an attempt: the node is given up already.
    if (error instanceof StorageFailed || error instanceof DOMException) return null;
    throw error;
  } finally {
    db?.close();
  }
}

async function readSound(db: NodeDatabase, topic: string, nodeId: NodeId): Promise<StoredState | null> {
  const transaction = db.transaction(["meta", "log", "snapshot"], "readonly");
  const stored = decodeMeta((await transaction.objectStore("meta").getAll()).at(-1));
  const known = stored.ok && stored.value.topic === topic && stored.value.nodeId === nodeId ? stored.value : null;
  const snapshot = await soundSnapshot(transaction.objectStore("snapshot"), known);
  const keys: unknown[] = await transaction.objectStore("log").getAllKeys();
  const values: unknown[] = await transaction.objectStore("log").getAll();
  const meta = known ?? guessMeta(topic, nodeId, snapshot, values[0]);
  // Without what stands before it, a log says nothing.
  if (meta === null || (meta.firstIndex > 1 && snapshot === null)) return null;
  const replay = new Replay(meta);
  for (const [at, key] of keys.entries()) {
    try {
      replay.add(key, values[at]);
    } catch (error) {
      if (error instanceof StorageFailed) break;
      throw error;
    }
  }
  const state = stateOf(meta, snapshot, replay);
  return state && isAlone(state, nodeId) ? { ...state, commitIndex: state.firstIndex + state.entries.length - 1 } : state;
}

/** The only voter: what it had on disk was committed, whether or not it had written that down. */
function isAlone({ entries, snapshot }: StoredState, nodeId: NodeId): boolean {
  const last = entries.findLast((entry) => entry.kind === "configuration");
  const configuration = last?.configuration ?? snapshot?.configuration;
  return configuration?.voters.join() === nodeId && configuration.votersOld.length === 0;
}

function stateOf({ firstIndex, baseTerm }: Meta, snapshot: Snapshot | null, replay: Replay): StoredState | null {
  const { hardState, commitIndex, entries } = replay.soFar();
  const snapshotIndex = snapshot?.index ?? 0;
  const lastIndex = firstIndex + entries.length - 1;
  if (snapshot === null && entries.length === 0) return null;
  const term = Math.max(hardState.currentTerm, snapshot?.term ?? 0, entries.at(-1)?.term ?? 0);
  const common = { hardState: { ...hardState, currentTerm: term, votedFor: null }, snapshot };
  if (lastIndex < snapshotIndex) {
    const base = { firstIndex: snapshotIndex + 1, baseTerm: snapshot?.term ?? 0 };
    return { ...common, ...base, entries: [], commitIndex: snapshotIndex };
  }
  return {
    ...common,
    firstIndex,
    baseTerm,
    entries,
    commitIndex: clampCommitIndex(commitIndex, { firstIndex, lastIndex, snapshotIndex }),
  };
}

type SnapshotStore = IDBPObjectStore<NodeSchema, ("meta" | "log" | "snapshot")[], "snapshot", "readonly">;

async function soundSnapshot(store: SnapshotStore, meta: Meta | null): Promise<Snapshot | null> {
  const beginning = await askSnapshot(store);
  const { header } = beginning;
  const decoded = decodeSnapshotHeader(header);
  if (!decoded.ok || !(header instanceof Uint8Array)) return null;
  const expected = meta === null ? { index: decoded.value.index, checksum: checksumOf(header) } : meta.snapshot;
  try {
    return (await recoverSnapshot(store, beginning, expected)).snapshot;
  } catch (error) {
    if (error instanceof StorageFailed) return null;
    throw error;
  }
}

/** Where the log begins, if the meta record does not say it: with a snapshot, wherever its first record does. */
function guessMeta(topic: string, nodeId: NodeId, snapshot: Snapshot | null, first: unknown): Meta | null {
  const pristine = pristineMeta(topic, nodeId);
  if (snapshot === null) return pristine;
  const record = decodeRecord(first);
  const { index, term } = snapshot;
  const base = { firstIndex: index + 1, baseTerm: term, lastIndex: index, commitIndex: index };
  if (!record.ok) return { ...pristine, ...base, baseIndex: index };
  const { number, chain, entries, truncateFrom } = record.value;
  const firstIndex = entries[0]?.index ?? truncateFrom ?? index + 1;
  if (firstIndex > index + 1) return { ...pristine, ...base, baseIndex: index };
  return { ...pristine, ...base, firstRecord: number, firstChain: chain, baseIndex: firstIndex - 1 };
}
