/**
 * What every LogStorage promises, as cases that anybody can run: a test runner, or a page in a real browser. Needs neither.
 * A case that fails throws.
 */
import type { StoredState } from "../driver/interfaces.ts";
import type { Entry, HardState } from "../raft/types.ts";
import { historyCases } from "./contract-history.ts";
import { snapshotCases } from "./contract-snapshots.ts";
import {
  type Body,
  type ContractCase,
  commands,
  expectAfter,
  expectStored,
  hardState,
  loadStorage,
  NOTHING,
  PRISTINE,
  persistWrite,
  type Step,
  type StorageUnderTest,
  show,
} from "./contract-tools.ts";

export {
  type ContractCase,
  commands,
  loadStorage,
  NOTHING,
  persistWrite,
  type StorageUnderTest,
  saveSnapshot,
  snapshotAt,
} from "./contract-tools.ts";

/** `make` gives a fresh disk. */
export function storageContract(make: () => Promise<StorageUnderTest>): ContractCase[] {
  const cases = Object.entries({ ...basicCases, ...truncationCases, ...orderCases, ...snapshotCases, ...historyCases() });
  return cases.map(([name, body]) => ({
    name,
    async run() {
      const disk = await make();
      try {
        await body(disk);
      } finally {
        await disk.dispose();
      }
    },
  }));
}

const everyKind: Entry[] = [
  { kind: "blank", index: 1, term: 1 },
  { kind: "command", index: 2, term: 1, command: Uint8Array.from({ length: 300 }, (_, at) => at & 255) },
  { kind: "command", index: 3, term: 5, command: new Uint8Array(0) },
  { kind: "configuration", index: 4, term: 7, configuration: { voters: ["A", "B"], votersOld: ["A"], learners: ["C"] } },
];

const basicCases: Record<string, Body> = {
  "a pristine node finds term 0, no vote, no generation, no entries": (disk) => expectStored(disk, PRISTINE),

  "finds after a restart all that was acknowledged, of every kind": (disk) =>
    expectAfter(disk, [{ hardState, entries: everyKind, commitIndex: 3 }], {
      ...PRISTINE,
      hardState,
      entries: everyKind,
      commitIndex: 3,
    }),

  "a write without a hard state keeps the one before": (disk) =>
    expectAfter(disk, [{ hardState }, { entries: everyKind }], { ...PRISTINE, hardState, entries: everyKind }),

  "a later hard state replaces the earlier one": async (disk) => {
    const later: HardState = { currentTerm: 8, votedFor: null, generation: null };
    await expectAfter(disk, [{ hardState }, { hardState: later }], { ...PRISTINE, hardState: later });
  },

  "the commit index can be written alone": (disk) =>
    expectAfter(disk, [{ entries: everyKind }, { commitIndex: 4 }], { ...PRISTINE, entries: everyKind, commitIndex: 4 }),

  "a commit index beyond the log is kept as the end of the log": (disk) =>
    expectAfter(disk, [{ entries: everyKind, commitIndex: 9 }], { ...PRISTINE, entries: everyKind, commitIndex: 4 }),

  "takes a batch of 2,000 entries and a command of 300 KB": async (disk) => {
    const entries = [
      ...commands(1, 2000, 1),
      { kind: "command", index: 2001, term: 1, command: new Uint8Array(300_000).fill(7) } as const,
    ];
    await expectAfter(disk, [{ entries }], { ...PRISTINE, entries, commitIndex: 0 });
  },

  "goes on where it stood after each restart": async (disk) => {
    await expectAfter(disk, [{ entries: commands(1, 3, 1) }], { ...PRISTINE, entries: commands(1, 3, 1) });
    await expectAfter(disk, [{ entries: commands(4, 4, 2) }], {
      ...PRISTINE,
      entries: [...commands(1, 3, 1), ...commands(4, 4, 2)],
    });
    const replaced = [...commands(1, 1, 1), ...commands(2, 9, 3)];
    await expectAfter(disk, [{ truncateFrom: 2, entries: commands(2, 9, 3) }], { ...PRISTINE, entries: replaced });
  },
};

const batches: readonly Step[] = [
  { entries: commands(1, 4, 1) },
  { entries: commands(5, 10, 2) },
  { entries: commands(11, 11, 2) },
];

const truncationCases: Record<string, Body> = {
  "truncation inside a batch keeps what stands before it": (disk) =>
    expectAfter(disk, [...batches, { truncateFrom: 8 }], { ...PRISTINE, entries: [...commands(1, 4, 1), ...commands(5, 7, 2)] }),

  "truncation inside a batch and append are one write": (disk) =>
    expectAfter(disk, [...batches, { hardState, truncateFrom: 8, entries: commands(8, 9, 6), commitIndex: 6 }], {
      ...PRISTINE,
      hardState,
      entries: [...commands(1, 4, 1), ...commands(5, 7, 2), ...commands(8, 9, 6)],
      commitIndex: 6,
    }),

  "truncation twice inside the same batch": (disk) =>
    expectAfter(disk, [...batches, { truncateFrom: 9 }, { truncateFrom: 6, entries: commands(6, 6, 4) }], {
      ...PRISTINE,
      entries: [...commands(1, 4, 1), ...commands(5, 5, 2), ...commands(6, 6, 4)],
    }),

  "truncation between two batches": (disk) =>
    expectAfter(disk, [...batches, { truncateFrom: 5, entries: commands(5, 5, 3) }], {
      ...PRISTINE,
      entries: [...commands(1, 4, 1), ...commands(5, 5, 3)],
    }),

  "truncation of everything": (disk) =>
    expectAfter(disk, [...batches, { truncateFrom: 1, entries: commands(1, 2, 3) }], { ...PRISTINE, entries: commands(1, 2, 3) }),

  "truncation of everything and nothing after it": (disk) => expectAfter(disk, [...batches, { truncateFrom: 1 }], PRISTINE),

  "truncation behind the end of the log changes nothing": (disk) =>
    expectAfter(disk, [{ entries: commands(1, 4, 1) }, { truncateFrom: 5, entries: commands(5, 5, 1) }], {
      ...PRISTINE,
      entries: commands(1, 5, 1),
    }),
};

const orderCases: Record<string, Body> = {
  "never calls back from inside the call": async (disk) => {
    const storage = await disk.open();
    let inside = true;
    const early: string[] = [];
    const note = (what: string) => inside && early.push(what);
    const loaded = new Promise<void>((resolve) =>
      storage.load(() => {
        note("load");
        resolve();
      }),
    );
    inside = false;
    await loaded;
    inside = true;
    const persisted = new Promise<void>((resolve) =>
      storage.persist({ ...NOTHING, entries: commands(1, 1, 1) }, () => {
        note("persist");
        resolve();
      }),
    );
    inside = false;
    await persisted;
    storage.close();
    if (early.length > 0) throw new Error(`called back from inside: ${early.join()}`);
  },

  "acknowledges each write once, in the order of issue": async (disk) => {
    const storage = await disk.open();
    await loadStorage(storage);
    const order: number[] = [];
    const all: Promise<void>[] = [];
    for (let index = 1; index <= 10; index++) {
      const truncateFrom = index % 4 === 0 ? index : null;
      all.push(
        persistWrite(storage, { truncateFrom, entries: commands(index, index, index) }).then(() => void order.push(index)),
      );
    }
    await Promise.all(all);
    storage.close();
    if (order.join() !== "1,2,3,4,5,6,7,8,9,10") throw new Error(`order ${order.join()}`);
    await expectStored(disk, {
      ...PRISTINE,
      entries: Array.from({ length: 10 }, (_, at) => commands(at + 1, at + 1, at + 1)).flat(),
    });
  },

  "after close nothing is acknowledged, and all or nothing of the write is there": async (disk) => {
    const storage = await disk.open();
    await loadStorage(storage);
    await persistWrite(storage, { entries: commands(1, 2, 1) });
    const late: string[] = [];
    storage.persist({ ...NOTHING, hardState, truncateFrom: 2, entries: commands(2, 5, 7) }, () => late.push("persist"));
    storage.close();
    const again = await disk.open();
    const found = await loadStorage(again);
    await persistWrite(again, { commitIndex: 1 });
    again.close();
    const without: StoredState = { ...PRISTINE, entries: commands(1, 2, 1) };
    const with_: StoredState = { ...PRISTINE, hardState, entries: [...commands(1, 1, 1), ...commands(2, 5, 7)] };
    if (late.length > 0) throw new Error("acknowledged after close");
    if (![show(without), show(with_)].includes(show(found))) throw new Error(`half a write: ${show(found)}`);
  },
};
