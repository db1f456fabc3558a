import "fake-indexeddb/auto";
import { openDB } from "idb";
import { afterEach, describe, expect, test } from "vitest";
import type { Entry, HardState, Snapshot } from "../raft/types.ts";
import { commands, hardState, loadStorage, persistWrite, saveSnapshot, snapshotAt } from "./contract-tools.ts";
import { writeEntries } from "./entry-record.ts";
import { beginFrame, checksumOf, sealFrame } from "./frame.ts";
import { writeHardState, writeOptional } from "./hard-state-record.ts";
import { IndexedDbStorage } from "./indexeddb-storage.ts";
import { DATABASE_VERSION, deleteNodeDatabase, nodeDatabaseName } from "./node-database.ts";
import { chainSeed } from "./record.ts";
import { encodeSnapshotChunks, encodeSnapshotHeader } from "./snapshot-record.ts";

const node = { topic: "room", nodeId: "A" };
const name = nodeDatabaseName(node.topic, node.nodeId);
const opened: IndexedDbStorage[] = [];

function make(): IndexedDbStorage {
  const storage = new IndexedDbStorage({ ...node, create: false });
  opened.push(storage);
  return storage;
}
afterEach(async () => {
  for (const storage of opened.splice(0)) storage.close();
  await deleteNodeDatabase(node.topic, node.nodeId);
});

interface Old {
  readonly hardState: HardState;
  readonly batches: readonly (readonly Entry[])[];
  readonly commitIndex: number;
  readonly firstIndex: number;
  readonly baseTerm: number;
  readonly firstRecord: number;
  readonly firstChain: number;
  readonly lastIndex: number;
  readonly snapshot: Snapshot | null;
}
const plain: Old = {
  hardState,
  batches: [commands(1, 4, 1), commands(5, 10, 2), commands(11, 11, 3)],
  commitIndex: 9,
  firstIndex: 1,
  baseTerm: 0,
  firstRecord: 1,
  firstChain: chainSeed("room", "A"),
  lastIndex: 11,
  snapshot: null,
};
const at8 = snapshotAt(8, 2, 1_200_000);
/** Compacted through 6, inside a record. */
const compacted: Old = {
  ...plain,
  batches: plain.batches.slice(1),
  firstIndex: 7,
  baseTerm: 2,
  firstRecord: 5,
  firstChain: 0x1234,
  snapshot: at8,
};

function recordOf(chain: number, entries: readonly Entry[]): Uint8Array {
  const writer = beginFrame("record", 64, 1);
  writer.u32(chain);
  writer.varint(entries[0]?.index ?? 0);
  writer.varint(entries.length);
  writeEntries(writer, entries);
  return sealFrame(writer);
}

function metaOf(old: Old, lastChain: number, header: Uint8Array | null): Uint8Array {
  const writer = beginFrame("meta", 64, 1);
  writer.text(node.topic);
  writer.text(node.nodeId);
  writeHardState(writer, old.hardState);
  for (const value of [old.commitIndex, old.firstIndex, old.baseTerm, old.firstRecord]) writer.varint(value);
  writer.u32(old.firstChain);
  writer.varint(old.lastIndex);
  writer.u32(lastChain);
  writeOptional(writer, header, (bytes) => {
    writer.varint(old.snapshot?.index ?? 0);
    writer.u32(checksumOf(bytes));
  });
  return sealFrame(writer);
}

/** As the program of that time left it. `change` may damage it. */
async function writeOld(old: Old, change: (log: Map<number, Uint8Array>) => void = () => undefined): Promise<void> {
  const db = await openDB(name, 1, {
    upgrade(made) {
      for (const store of ["log", "snapshot", "meta"]) made.createObjectStore(store);
    },
  });
  const log = new Map<number, Uint8Array>();
  let chain = old.firstChain;
  for (const batch of old.batches) {
    const bytes = recordOf(chain, batch);
    log.set(batch[0]?.index ?? 0, bytes);
    chain = checksumOf(bytes);
  }
  change(log);
  for (const [key, bytes] of log) await db.put("log", bytes, key);
  // The envelope of a snapshot's values says 1 as well.
  const values = old.snapshot === null ? [] : [encodeSnapshotHeader(old.snapshot), ...encodeSnapshotChunks(old.snapshot.data)];
  const asOld = values.map((bytes) => {
    const kind = bytes[2] === 3 ? "snapshotHeader" : "snapshotChunk";
    const writer = beginFrame(kind, bytes.length, 1);
    writer.raw(bytes.subarray(12));
    return sealFrame(writer);
  });
  for (const [key, bytes] of asOld.entries()) await db.put("snapshot", bytes, key);
  await db.put("meta", metaOf(old, chain, asOld[0] ?? null), "node");
  db.close();
}

describe("a database of format 1", () => {
  test.each([
    ["plain", plain],
    ["compacted inside a record, with a snapshot", compacted],
    ["pristine", { ...plain, batches: [], lastIndex: 0, commitIndex: 0 }],
  ])("%s: is found whole, is written on, and stays so", async (_name, old) => {
    await writeOld(old);
    const { firstIndex, baseTerm, commitIndex, snapshot } = old;
    const entries = old.batches.flat().filter(({ index }) => index >= firstIndex);
    const expected = { hardState, firstIndex, baseTerm, commitIndex, snapshot, entries };
    const storage = make();
    expect(await loadStorage(storage)).toEqual(expected);
    const next = commands(old.lastIndex + 1, old.lastIndex + 2, 8);
    await persistWrite(storage, { entries: next, commitIndex });
    storage.close();
    const db = await openDB(name);
    expect(db.version).toBe(DATABASE_VERSION);
    db.close();
    const again = make();
    expect(await loadStorage(again)).toEqual({ ...expected, entries: [...entries, ...next] });
    await persistWrite(again, { commitIndex: old.lastIndex + 2 });
    await saveSnapshot(again, { snapshot: snapshotAt(old.lastIndex + 1, 8), compactThrough: old.lastIndex + 1 });
    again.close();
    expect((await loadStorage(make())).entries).toEqual(next.slice(1));
  });

  test.each<[string, (log: Map<number, Uint8Array>) => void]>([
    ["a missing record", (log) => log.delete(5)],
    ["a missing last record", (log) => log.delete(11)],
    [
      "a byte",
      (log) =>
        log.set(
          5,
          Uint8Array.from(log.get(5) ?? [], (byte, at) => (at === 20 ? byte ^ 1 : byte)),
        ),
    ],
  ])("with damage (%s) is given up, and left as it was", async (_name, change) => {
    await writeOld(plain, change);
    for (let twice = 0; twice < 2; twice++) await expect(loadStorage(make())).rejects.toMatchObject({ kind: "damaged" });
    const db = await openDB(name);
    expect(db.version).toBe(1);
    expect(await db.count("log")).toBeGreaterThan(1);
    db.close();
  });

  test("a tab that dies while it rewrites leaves the old one", async () => {
    await writeOld(plain);
    const db = await openDB(name, DATABASE_VERSION, {
      upgrade: (upgraded, _from, _to, transaction) => {
        transaction.done.catch(() => undefined);
        upgraded.deleteObjectStore("meta");
        transaction.abort();
      },
    }).catch(() => null);
    expect(db).toBeNull();
    expect((await loadStorage(make())).entries).toEqual(plain.batches.flat());
  });
});

test("a program of format 1 cannot open a database of format 2, which stays as it is", async () => {
  await writeOld(plain);
  const storage = make();
  await loadStorage(storage);
  storage.close();
  await expect(openDB(name, 1)).rejects.toMatchObject({ name: "VersionError" });
  expect((await loadStorage(make())).entries).toEqual(plain.batches.flat());
});
