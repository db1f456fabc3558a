import "fake-indexeddb/auto";
import { afterEach, describe, expect, test } from "vitest";
import type { Configuration } from "../raft/types.ts";
import { commands, loadStorage, persistWrite, saveSnapshot, snapshotAt } from "./contract-tools.ts";
import { IndexedDbStorage } from "./indexeddb-storage.ts";
import { bytesOf, flip, type Stores, tamper } from "./indexeddb-testing.ts";
import { deleteNodeDatabase, nodeDatabaseName } from "./node-database.ts";
import { salvage } from "./salvage.ts";

const name = nodeDatabaseName("room", "A");
const hardState = { currentTerm: 7, votedFor: "A", generation: null };
const at8 = snapshotAt(8, 2, 500);

afterEach(() => deleteNodeDatabase("room", "A"));

/** Records 1 to 3: [1..4], [5..10], [11..12]; with a snapshot of 8 if asked, compacted so far. */
async function writeNode({ compactThrough }: { readonly compactThrough?: number } = {}): Promise<void> {
  const storage = new IndexedDbStorage({ topic: "room", nodeId: "A", create: true });
  await loadStorage(storage);
  await persistWrite(storage, { hardState, entries: commands(1, 4, 1) });
  await persistWrite(storage, { entries: commands(5, 10, 2), commitIndex: 4 });
  await persistWrite(storage, { entries: commands(11, 12, 2), commitIndex: 10 });
  if (compactThrough !== undefined) await saveSnapshot(storage, { snapshot: at8, compactThrough });
  storage.close();
}

async function salvageAfter(change: (stores: Stores) => void): Promise<unknown> {
  await tamper(name, change);
  const found = await salvage("room", "A");
  return (
    found && { indexes: found.entries.map(({ index }) => index), commit: found.commitIndex, snapshot: found.snapshot?.index }
  );
}
const upTo = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, at) => first + at);

describe("what can be read of a damaged node", () => {
  const damage: Record<string, readonly [(stores: Stores) => void, object | null]> = {
    "nothing is damaged": [() => undefined, { indexes: upTo(12), commit: 10 }],
    "the last record": [({ log }) => flip(log, 3, 20), { indexes: upTo(10), commit: 4 }],
    "a record in the middle": [({ log }) => flip(log, 2, 20), { indexes: upTo(4), commit: 0 }],
    "a missing record in the middle": [({ log }) => log.delete(2), { indexes: upTo(4), commit: 0 }],
    "the first record": [({ log }) => flip(log, 1, 20), null],
    "the meta record": [({ meta }) => flip(meta, 1, 20), { indexes: upTo(12), commit: 10 }],
    "the meta record is missing": [({ meta }) => meta.clear(), { indexes: upTo(12), commit: 10 }],
  };
  test.each(Object.entries(damage))("%s", async (_what, [change, expected]) => {
    await writeNode();
    const found = await salvageAfter(change);
    expect(found).toEqual(expected && { snapshot: undefined, ...expected });
  });

  const behindSnapshot: Record<string, readonly [(stores: Stores) => void, object | null]> = {
    "nothing is damaged": [() => undefined, { indexes: upTo(12, 7), commit: 10, snapshot: 8 }],
    "the last record": [({ log }) => flip(log, 3, 20), { indexes: upTo(10, 7), commit: 10, snapshot: 8 }],
    "all of the log": [({ log }) => log.clear(), { indexes: [], commit: 8, snapshot: 8 }],
    "the snapshot": [({ snapshot }) => flip(snapshot, 1, 40), null],
    "the meta record": [({ meta }) => meta.clear(), { indexes: upTo(12, 9), commit: 10, snapshot: 8 }],
    everything: [
      (stores) => {
        stores.meta.clear();
        flip(stores.snapshot, 0, 20);
        flip(stores.log, 2, 20);
      },
      null,
    ],
  };
  test.each(Object.entries(behindSnapshot))("behind a snapshot: %s", async (_what, [change, expected]) => {
    await writeNode({ compactThrough: 6 });
    expect(await salvageAfter(change)).toEqual(expected);
  });
});

test("what is read is a copy that has given no vote, of no earlier term than the node had seen", async () => {
  await writeNode();
  expect((await salvage("room", "A"))?.hardState).toEqual({ ...hardState, votedFor: null });
  await tamper(name, ({ meta }) => meta.clear());
  expect((await salvage("room", "A"))?.hardState.currentTerm).toBe(7);
});

test("the only voter's log was committed as far as it was written", async () => {
  const storage = new IndexedDbStorage({ topic: "room", nodeId: "A", create: true });
  await loadStorage(storage);
  const configuration: Configuration = { voters: ["A"], votersOld: [], learners: ["B"] };
  await persistWrite(storage, { hardState, entries: [{ kind: "configuration", index: 1, term: 1, configuration }] });
  await persistWrite(storage, { entries: commands(2, 5, 1), commitIndex: 1 });
  await persistWrite(storage, { entries: commands(6, 6, 1), commitIndex: 5 });
  storage.close();
  await tamper(name, ({ log }) => flip(log, 3, 20));
  expect(await salvage("room", "A")).toMatchObject({ commitIndex: 5 });
});

test("a record of another node is not taken, and nothing is changed", async () => {
  await writeNode();
  let before: Uint8Array | null = null;
  await tamper(name, ({ log }) => {
    flip(log, 2, 30);
    before = bytesOf(log, 2);
  });
  await salvage("room", "A");
  await tamper(name, ({ log }) => expect(bytesOf(log, 2)).toEqual(before));
  expect(await salvage("room", "B")).toBeNull();
});
