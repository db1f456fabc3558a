/**
 * What every LogStorage promises, as cases that anybody can run: a test runner, or a page in a real browser. Needs neither.
 * A case that fails throws.
 */
import type { LogStorage, LogWrite, StoredState } from "../driver/interfaces.ts";
import type { Entry, HardState } from "../raft/types.ts";

/** A disk of its own for each case. */
export interface StorageUnderTest {
  /** Opens the storage of the node, not loaded yet: pristine the first time, later what earlier ones left on the same disk. */
  open(): Promise<LogStorage>;
  /** Removes what the case left behind. */
  dispose(): Promise<void>;
}

export interface ContractCase {
  readonly name: string;
  run(): Promise<void>;
}

export const NOTHING: LogWrite = { hardState: null, truncateFrom: null, entries: [], commitIndex: 0 };
const PRISTINE: StoredState = { hardState: { currentTerm: 0, votedFor: null, generation: null }, entries: [], commitIndex: 0 };
const RANDOM_HISTORIES = 8;
const STEPS_PER_HISTORY = 25;

/** `make` gives a fresh disk. */
export function storageContract(make: () => Promise<StorageUnderTest>): ContractCase[] {
  const cases = Object.entries({ ...basicCases, ...truncationCases, ...orderCases, ...historyCases() });
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

export function loadStorage(storage: LogStorage): Promise<StoredState> {
  return new Promise((resolve, reject) => storage.load((result) => (result instanceof Error ? reject(result) : resolve(result))));
}

export function persistWrite(storage: LogStorage, write: Partial<LogWrite>): Promise<void> {
  const whole = { ...NOTHING, ...write };
  return new Promise((resolve, reject) => storage.persist(whole, (failure) => (failure === null ? resolve() : reject(failure))));
}

/** Commands of a few bytes at the given indexes. */
export function commands(from: number, to: number, term: number): Entry[] {
  const entries: Entry[] = [];
  for (let index = from; index <= to; index++) {
    entries.push({ kind: "command", index, term, command: Uint8Array.of(index & 255, (index >> 8) & 255, term) });
  }
  return entries;
}

type Body = (disk: StorageUnderTest) => Promise<void>;

/** Performs the writes, one after the other, and expects the state, both of them before and after a restart. */
async function expectAfter(disk: StorageUnderTest, writes: readonly Partial<LogWrite>[], expected: StoredState): Promise<void> {
  const storage = await disk.open();
  await loadStorage(storage);
  for (const write of writes) await persistWrite(storage, write);
  storage.close();
  await expectStored(disk, expected);
}

async function expectStored(disk: StorageUnderTest, expected: StoredState): Promise<void> {
  const storage = await disk.open();
  const found = await loadStorage(storage);
  storage.close();
  if (show(found) !== show(expected)) throw new Error(`found ${show(found)}\nexpected ${show(expected)}`);
}

const hardState: HardState = {
  currentTerm: 7,
  votedFor: "node_B-2",
  generation: { number: 2, id: "0123456789abcdef".repeat(2), parentId: "f".repeat(32), forkIndex: 40 },
};
const everyKind: Entry[] = [
  { kind: "blank", index: 1, term: 1 },
  { kind: "command", index: 2, term: 1, command: Uint8Array.from({ length: 300 }, (_, at) => at & 255) },
  { kind: "command", index: 3, term: 5, command: new Uint8Array(0) },
  { kind: "configuration", index: 4, term: 7, configuration: { voters: ["A", "B"], votersOld: ["A"], learners: ["C"] } },
];

const basicCases: Record<string, Body> = {
  "a pristine node finds term 0, no vote, no generation, no entries": (disk) => expectStored(disk, PRISTINE),

  "finds after a restart all that was acknowledged, of every kind": (disk) =>
    expectAfter(disk, [{ hardState, entries: everyKind, commitIndex: 3 }], { hardState, entries: everyKind, commitIndex: 3 }),

  "a write without a hard state keeps the one before": (disk) =>
    expectAfter(disk, [{ hardState }, { entries: everyKind }], { hardState, entries: everyKind, commitIndex: 0 }),

  "a later hard state replaces the earlier one": async (disk) => {
    const later: HardState = { currentTerm: 8, votedFor: null, generation: null };
    await expectAfter(disk, [{ hardState }, { hardState: later }], { hardState: later, entries: [], commitIndex: 0 });
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

const batches: readonly Partial<LogWrite>[] = [
  { entries: commands(1, 4, 1) },
  { entries: commands(5, 10, 2) },
  { entries: commands(11, 11, 2) },
];

const truncationCases: Record<string, Body> = {
  "truncation inside a batch keeps what stands before it": (disk) =>
    expectAfter(disk, [...batches, { truncateFrom: 8 }], { ...PRISTINE, entries: [...commands(1, 4, 1), ...commands(5, 7, 2)] }),

  "truncation inside a batch and append are one write": (disk) =>
    expectAfter(disk, [...batches, { hardState, truncateFrom: 8, entries: commands(8, 9, 6), commitIndex: 6 }], {
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
    const with_: StoredState = { hardState, entries: [...commands(1, 1, 1), ...commands(2, 5, 7)], commitIndex: 0 };
    if (late.length > 0) throw new Error("acknowledged after close");
    if (![show(without), show(with_)].includes(show(found))) throw new Error(`half a write: ${show(found)}`);
  },
};

/** Random writes and restarts against a plain list, from fixed seeds. */
function historyCases(): Record<string, Body> {
  const cases: Record<string, Body> = {};
  for (let seed = 1; seed <= RANDOM_HISTORIES; seed++) cases[`a random history, seed ${seed}`] = (disk) => runHistory(disk, seed);
  return cases;
}

async function runHistory(disk: StorageUnderTest, seed: number): Promise<void> {
  const below = makeRandom(seed);
  let model: StoredState = PRISTINE;
  let storage = await disk.open();
  await loadStorage(storage);
  for (let step = 1; step <= STEPS_PER_HISTORY; step++) {
    const write = randomWrite(below, model, step);
    await persistWrite(storage, write);
    const kept = model.entries.filter(({ index }) => write.truncateFrom === null || index < write.truncateFrom);
    model = {
      hardState: write.hardState ?? model.hardState,
      entries: [...kept, ...write.entries],
      commitIndex: write.commitIndex,
    };
    if (below(4) > 0) continue;
    storage.close();
    storage = await disk.open();
    const found = await loadStorage(storage);
    if (show(found) !== show(model)) throw new Error(`step ${step}: found ${show(found)}\nexpected ${show(model)}`);
  }
  storage.close();
  await expectStored(disk, model);
}

function randomWrite(below: (limit: number) => number, { entries, commitIndex }: StoredState, term: number): LogWrite {
  const truncateFrom = below(3) === 0 ? commitIndex + 1 + below(entries.length - commitIndex + 1) : null;
  const last = truncateFrom === null ? entries.length : Math.min(entries.length, truncateFrom - 1);
  const appended = commands(last + 1, last + below(7), term);
  return {
    hardState: below(2) === 0 ? { currentTerm: term, votedFor: below(2) === 0 ? "A" : null, generation: null } : null,
    truncateFrom,
    entries: appended,
    commitIndex: commitIndex + below(last + appended.length - commitIndex + 1),
  };
}

/** The same numbers for the same seed, everywhere. */
function makeRandom(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

/** One text for equal states, whatever the order of their fields. */
function show(state: StoredState): string {
  const { currentTerm, votedFor, generation } = state.hardState;
  const g =
    generation === null ? "none" : [generation.number, generation.id, generation.parentId, generation.forkIndex].join("/");
  return `term ${currentTerm} vote ${votedFor} generation ${g} commit ${state.commitIndex} log ${state.entries.map(showEntry).join(" ")}`;
}

function showEntry(entry: Entry): string {
  const place = `${entry.index}@${entry.term}`;
  if (entry.kind === "blank") return `${place}:blank`;
  if (entry.kind === "command") return `${place}:${entry.command.length > 400 ? entry.command.length : entry.command.join(".")}`;
  const { voters, votersOld, learners } = entry.configuration;
  return `${place}:[${voters}|${votersOld}|${learners}]`;
}
