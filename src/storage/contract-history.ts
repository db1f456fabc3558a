/** Random writes, snapshots and restarts against a plain list, from fixed seeds: cases of the storage contract. */
import type { LogWrite, StoredState } from "../driver/interfaces.ts";
import type { SnapshotWrite } from "../raft/types.ts";
import {
  type Body,
  commands,
  expectStored,
  loadStorage,
  PRISTINE,
  persistWrite,
  type StorageUnderTest,
  saveSnapshot,
  show,
  snapshotAt,
} from "./contract-tools.ts";

const RANDOM_HISTORIES = 12;
const STEPS_PER_HISTORY = 30;

/** A random integer from 0 to below `limit`. */
type Below = (limit: number) => number;

export function historyCases(): Record<string, Body> {
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
    const snapshot = below(4) === 0 ? randomSnapshot(below, model, step) : null;
    if (snapshot === null) {
      const write = randomWrite(below, model, step);
      await persistWrite(storage, write);
      model = afterWrite(model, write);
    } else {
      await saveSnapshot(storage, snapshot);
      model = afterSnapshot(model, snapshot);
    }
    if (below(4) > 0) continue;
    storage.close();
    storage = await disk.open();
    const found = await loadStorage(storage);
    if (show(found) !== show(model)) throw new Error(`step ${step}: found ${show(found)}\nexpected ${show(model)}`);
  }
  storage.close();
  await expectStored(disk, model);
}

function lastIndexOf({ firstIndex, entries }: StoredState): number {
  return firstIndex + entries.length - 1;
}

function afterWrite(model: StoredState, write: LogWrite): StoredState {
  const kept = model.entries.filter(({ index }) => write.truncateFrom === null || index < write.truncateFrom);
  const hardState = write.hardState ?? model.hardState;
  return { ...model, hardState, entries: [...kept, ...write.entries], commitIndex: write.commitIndex };
}

function afterSnapshot(model: StoredState, { snapshot, compactThrough, reset }: SnapshotWrite): StoredState {
  const { index, term } = snapshot;
  if (reset) return { ...model, snapshot, baseTerm: term, entries: [], firstIndex: index + 1, commitIndex: index };
  return {
    ...model,
    snapshot,
    baseTerm: model.entries.find((entry) => entry.index === compactThrough)?.term ?? model.baseTerm,
    entries: model.entries.filter((entry) => entry.index > compactThrough),
    firstIndex: Math.max(model.firstIndex, compactThrough + 1),
    commitIndex: Math.max(model.commitIndex, index),
  };
}

function randomWrite(below: Below, model: StoredState, term: number): LogWrite {
  const { commitIndex, entries } = model;
  const end = lastIndexOf(model);
  const truncateFrom = entries.length > 0 && below(3) === 0 ? commitIndex + 1 + below(end - commitIndex + 1) : null;
  const last = truncateFrom === null ? end : Math.min(end, truncateFrom - 1);
  const appended = commands(last + 1, last + below(7), term);
  return {
    hardState: below(2) === 0 ? { currentTerm: term, votedFor: below(2) === 0 ? "A" : null, generation: null } : null,
    truncateFrom,
    entries: appended,
    commitIndex: commitIndex + below(last + appended.length - commitIndex + 1),
  };
}

/** Of an entry that is committed; or, rarely, one that takes the place of the log. `null` if there is nothing to take one of. */
function randomSnapshot(below: Below, model: StoredState, term: number): SnapshotWrite | null {
  const snapshotIndex = model.snapshot?.index ?? 0;
  if (below(5) === 0) {
    const index = model.commitIndex + 1 + below(9);
    return { snapshot: snapshotAt(index, term, below(40)), compactThrough: index, reset: true };
  }
  const index = snapshotIndex + 1 + below(model.commitIndex - snapshotIndex);
  const entry = model.entries.find((one) => one.index === index);
  if (entry === undefined || index > model.commitIndex) return null;
  return { snapshot: snapshotAt(index, entry.term, below(40)), compactThrough: below(index + 1), reset: false };
}

/** The same numbers for the same seed, everywhere. */
function makeRandom(seed: number): Below {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}
