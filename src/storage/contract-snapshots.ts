/** What every LogStorage promises of snapshots (§7): cases of the storage contract. */
import type { StoredState } from "../driver/interfaces.ts";
import type { SnapshotMeta } from "../raft/types.ts";
import {
  type Body,
  commands,
  expectAfter,
  expectStored,
  hardState,
  loadStorage,
  NOTHING,
  PRISTINE,
  performStep,
  persistWrite,
  type Step,
  saveSnapshot,
  show,
  snapshotAt,
} from "./contract-tools.ts";

/** Written as 1 to 4, 5 to 10, 11. */
const batches: readonly Step[] = [
  { hardState, entries: commands(1, 4, 1) },
  { entries: commands(5, 10, 2) },
  { entries: commands(11, 11, 3), commitIndex: 10 },
];
const log = [...commands(1, 4, 1), ...commands(5, 10, 2), ...commands(11, 11, 3)];
const whole: StoredState = { ...PRISTINE, hardState, entries: log, commitIndex: 10 };

/** The log from `firstIndex` on. */
function from(firstIndex: number, baseTerm: number): Pick<StoredState, "firstIndex" | "baseTerm" | "entries"> {
  return { firstIndex, baseTerm, entries: log.filter(({ index }) => index >= firstIndex) };
}

const at8 = snapshotAt(8, 2);

function sameMeta(found: SnapshotMeta | null, expected: SnapshotMeta | null): boolean {
  if (found === null || expected === null) return found === expected;
  const keys = ["index", "term", "configurationIndex", "size", "checksum"] as const;
  if ("data" in found || keys.some((key) => found[key] !== expected[key])) return false;
  return JSON.stringify(found.configuration) === JSON.stringify(expected.configuration);
}

export const snapshotCases: Record<string, Body> = {
  "a snapshot is found beside the log that it does not shorten": (disk) =>
    expectAfter(disk, [...batches, { snapshot: at8 }], { ...whole, snapshot: at8 }),

  "a snapshot of no bytes, and one of several megabytes": async (disk) => {
    const empty = snapshotAt(8, 2, 0);
    await expectAfter(disk, [...batches, { snapshot: empty }], { ...whole, snapshot: empty });
    const large = snapshotAt(9, 2, 4_300_000);
    await expectAfter(disk, [{ snapshot: large }], { ...whole, snapshot: large });
    const exact = snapshotAt(10, 2, 2 * 1024 * 1024);
    await expectAfter(disk, [{ snapshot: exact }], { ...whole, snapshot: exact });
  },

  "a snapshot takes the place of the one before, a larger one too": async (disk) => {
    const large = snapshotAt(8, 2, 2_500_000);
    const small = snapshotAt(10, 2, 3);
    await expectAfter(disk, [...batches, { snapshot: large }, { snapshot: small }], { ...whole, snapshot: small });
  },

  "a snapshot is committed, whatever was known of that": (disk) =>
    expectAfter(disk, [{ entries: log }, { snapshot: at8 }], { ...PRISTINE, entries: log, snapshot: at8, commitIndex: 8 }),

  "compaction between two records": (disk) =>
    expectAfter(disk, [...batches, { snapshot: at8, compactThrough: 4 }], { ...whole, ...from(5, 1), snapshot: at8 }),

  "compaction inside a record": (disk) =>
    expectAfter(disk, [...batches, { snapshot: at8, compactThrough: 7 }], { ...whole, ...from(8, 2), snapshot: at8 }),

  "compaction through the snapshot": (disk) =>
    expectAfter(disk, [...batches, { snapshot: at8, compactThrough: 8 }], { ...whole, ...from(9, 2), snapshot: at8 }),

  "compaction of all of the log, and then it goes on": async (disk) => {
    const at11 = snapshotAt(11, 3);
    const empty = { ...whole, ...from(12, 3), snapshot: at11, commitIndex: 11 };
    await expectAfter(disk, [...batches, { snapshot: at11, compactThrough: 11 }], empty);
    await expectAfter(disk, [{ entries: commands(12, 13, 4), commitIndex: 11 }], { ...empty, entries: commands(12, 13, 4) });
  },

  "compaction twice inside the same record, and a third time behind it": async (disk) => {
    const steps = [{ snapshot: at8, compactThrough: 6 }, { snapshot: at8, compactThrough: 8 }, { snapshot: at8 }];
    await expectAfter(disk, [...batches, ...steps], { ...whole, ...from(9, 2), snapshot: at8 });
    const at11 = snapshotAt(11, 3);
    const expected = { ...whole, ...from(11, 2), snapshot: at11, commitIndex: 11 };
    await expectAfter(disk, [{ snapshot: at11, compactThrough: 10 }], expected);
  },

  "after compaction inside a record the log goes on, truncates inside that record and goes on again": async (disk) => {
    const compacted = { ...whole, ...from(6, 2), snapshot: snapshotAt(6, 2) };
    await expectAfter(disk, [...batches, { snapshot: snapshotAt(6, 2), compactThrough: 5 }], compacted);
    const replaced = [...commands(6, 8, 2), ...commands(9, 12, 5)];
    const write = { truncateFrom: 9, entries: commands(9, 12, 5), commitIndex: 8 };
    await expectAfter(disk, [write, { entries: commands(13, 13, 5), commitIndex: 8 }], {
      ...compacted,
      entries: [...replaced, ...commands(13, 13, 5)],
      commitIndex: 8,
    });
  },

  "truncation down to the base leaves an empty log there, which goes on": async (disk) => {
    const steps = [...batches, { snapshot: at8, compactThrough: 8 }, { truncateFrom: 9, commitIndex: 8 }];
    const empty = { ...whole, ...from(9, 2), entries: [], snapshot: at8, commitIndex: 8 };
    await expectAfter(disk, steps, empty);
    await expectAfter(disk, [{ truncateFrom: 9, entries: commands(9, 9, 6) }], { ...empty, entries: commands(9, 9, 6) });
    const at9 = snapshotAt(9, 6);
    const next = { ...empty, snapshot: at9, firstIndex: 10, baseTerm: 6, commitIndex: 9 };
    await expectAfter(disk, [{ snapshot: at9, compactThrough: 9 }], next);
  },

  "a reset drops all of the log, which begins after the snapshot and goes on": async (disk) => {
    const at40 = snapshotAt(40, 6);
    const empty = { ...PRISTINE, hardState, snapshot: at40, firstIndex: 41, baseTerm: 6, commitIndex: 40 };
    await expectAfter(disk, [...batches, { snapshot: at40, compactThrough: 40, reset: true }], empty);
    await expectAfter(
      disk,
      [
        { entries: commands(41, 42, 6), commitIndex: 41 },
        { truncateFrom: 42, commitIndex: 41 },
      ],
      {
        ...empty,
        entries: commands(41, 41, 6),
        commitIndex: 41,
      },
    );
  },

  "a reset of a log that is longer than the snapshot, and the log goes on in the same life": (disk) => {
    const steps = [...batches, { snapshot: snapshotAt(10, 4), reset: true }, { entries: commands(11, 12, 4), commitIndex: 10 }];
    const log = { entries: commands(11, 12, 4), firstIndex: 11, baseTerm: 4 };
    return expectAfter(disk, steps, { ...whole, ...log, snapshot: snapshotAt(10, 4) });
  },

  "a reset of a pristine node": (disk) => {
    const expected = { ...PRISTINE, snapshot: at8, firstIndex: 9, baseTerm: 2, commitIndex: 8 };
    return expectAfter(disk, [{ snapshot: at8, reset: true }], expected);
  },

  "tells of the snapshot once it is durable, and once it was loaded": async (disk) => {
    const storage = await disk.open();
    if (storage.snapshotMeta() !== null) throw new Error("told before it was loaded");
    await loadStorage(storage);
    for (const step of batches) await performStep(storage, step);
    if (storage.snapshotMeta() !== null) throw new Error("told of none");
    const saved = saveSnapshot(storage, { snapshot: at8 });
    if (storage.snapshotMeta() !== null) throw new Error("told before it was durable");
    await saved;
    if (!sameMeta(storage.snapshotMeta(), at8)) throw new Error("another than the one that was saved");
    storage.close();
    const again = await disk.open();
    await loadStorage(again);
    const found = again.snapshotMeta();
    again.close();
    if (!sameMeta(found, at8)) throw new Error(`found ${JSON.stringify(found)}`);
  },

  "a snapshot waits its turn between writes, and never calls back from inside": async (disk) => {
    const storage = await disk.open();
    await loadStorage(storage);
    const order: string[] = [];
    let inside = true;
    const issue = (what: string, call: (done: () => void) => void) =>
      new Promise<void>((resolve) =>
        call(() => {
          order.push(inside ? `${what} inside` : what);
          resolve();
        }),
      );
    const later = commands(12, 12, 3);
    const all = [
      issue("before", (done) => storage.persist({ ...NOTHING, entries: log, commitIndex: 10 }, done)),
      issue("snapshot", (done) => storage.saveSnapshot({ snapshot: at8, compactThrough: 7, reset: false }, done)),
      issue("after", (done) => storage.persist({ ...NOTHING, entries: later, commitIndex: 11 }, done)),
    ];
    inside = false;
    await Promise.all(all);
    storage.close();
    if (order.join() !== "before,snapshot,after") throw new Error(`order ${order.join()}`);
    const entries = [...from(8, 2).entries, ...later];
    await expectStored(disk, { ...PRISTINE, ...from(8, 2), entries, snapshot: at8, commitIndex: 11 });
  },

  "after close a snapshot is not acknowledged, and all or nothing of it is there": async (disk) => {
    const storage = await disk.open();
    await loadStorage(storage);
    for (const step of batches) await performStep(storage, step);
    await saveSnapshot(storage, { snapshot: snapshotAt(5, 2, 1_200_000), compactThrough: 2 });
    const late: string[] = [];
    storage.saveSnapshot({ snapshot: at8, compactThrough: 6, reset: false }, () => late.push("snapshot"));
    storage.close();
    const again = await disk.open();
    const found = await loadStorage(again);
    await persistWrite(again, { ...NOTHING, commitIndex: 10 });
    again.close();
    const without = { ...whole, ...from(3, 1), snapshot: snapshotAt(5, 2, 1_200_000) };
    const with_ = { ...whole, ...from(7, 2), snapshot: at8 };
    if (late.length > 0) throw new Error("acknowledged after close");
    if (![show(without), show(with_)].includes(show(found))) throw new Error(`half a snapshot: ${show(found)}`);
  },
};
