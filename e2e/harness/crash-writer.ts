/**
 * Writes to the log in IndexedDB without end, one write after the other, until somebody kills it; what each step writes follows from the seed, the
 * step and what was written before, so that who knows how many steps were acknowledged knows what must be on the disk.
 */
import { StorageFailed, type StoredState } from "../../src/driver/interfaces.ts";
import type { Entry } from "../../src/raft/types.ts";
import { PRISTINE, performStep, type Step, show, snapshotAt } from "../../src/storage/contract-tools.ts";
import { IndexedDbStorage } from "../../src/storage/indexeddb-storage.ts";

const NODE = { topic: "crash", nodeId: "node" };
const SNAPSHOT_EVERY = 12;
const KEPT_ENTRIES_MAX = 60;

export interface Found {
  /** In words, as `show` has it. */
  readonly shown: string;
  readonly failure: string | null;
}

let storage: IndexedDbStorage | null = null;

/** What lies on the disk, at the start of a life. */
export async function open(create: boolean): Promise<Found> {
  storage = new IndexedDbStorage({ ...NODE, create });
  const opened = storage;
  const result = await new Promise<StoredState | StorageFailed>((resolve) => opened.load(resolve));
  if (result instanceof StorageFailed) return { shown: "", failure: `${result.kind}: ${result.message}` };
  return { shown: show(result), failure: null };
}

/** Goes on after `step` steps. `acknowledged` hears of every one that is durable. */
export async function write(seed: number, step: number, acknowledged: (step: number) => void): Promise<never> {
  if (storage === null) throw new Error("not open");
  let model = modelAfter(seed, step);
  for (let next = step + 1; ; next++) {
    const made = stepOf(seed, next, model);
    await performStep(storage, made);
    acknowledged(next);
    model = after(model, made);
  }
}

const known: { seed: number; models: StoredState[] } = { seed: 0, models: [PRISTINE] };

/** What must be on the disk after so many steps. */
export function modelAfter(seed: number, steps: number): StoredState {
  if (known.seed !== seed) Object.assign(known, { seed, models: [PRISTINE] });
  for (let at = known.models.length; at <= steps; at++) {
    const before = known.models[at - 1] ?? PRISTINE;
    known.models.push(after(before, stepOf(seed, at, before)));
  }
  return known.models[steps] ?? PRISTINE;
}

/** Votes, appends of up to some hundred kilobytes, truncations, commit indexes alone, snapshots with compaction. */
function stepOf(seed: number, at: number, model: StoredState): Step {
  const below = randomOf(seed * 1_000_003 + at);
  const { commitIndex, entries, firstIndex, hardState } = model;
  const last = firstIndex + entries.length - 1;
  const committed = entries.find(({ index }) => index === commitIndex);
  if ((at % SNAPSHOT_EVERY === 0 || entries.length > KEPT_ENTRIES_MAX) && committed !== undefined) {
    return { snapshot: snapshotAt(commitIndex, committed.term, below(200_000)), compactThrough: commitIndex - below(3) };
  }
  const currentTerm = hardState.currentTerm + 1;
  if (below(4) === 0) return { hardState: { currentTerm, votedFor: `voter${below(5)}`, generation: null }, commitIndex };
  if (below(8) === 0) return { commitIndex: Math.min(last, commitIndex + below(4)) };
  const truncateFrom = last > commitIndex && below(4) === 0 ? commitIndex + 1 + below(last - commitIndex) : null;
  const from = truncateFrom ?? last + 1;
  const term = Math.max(1, entries.at(-1)?.term ?? 1, hardState.currentTerm);
  const appended = Array.from({ length: 1 + below(6) }, (_, offset): Entry => {
    const index = from + offset;
    return { kind: "command", index, term, command: new Uint8Array(1 + below(below(10) === 0 ? 60_000 : 300)).fill(index + at) };
  });
  const vote = below(4) === 0 ? { hardState: { currentTerm, votedFor: null, generation: null } } : {};
  return { ...vote, truncateFrom, entries: appended, commitIndex: Math.min(commitIndex + below(3), from - 1) };
}

function after(model: StoredState, step: Step): StoredState {
  if ("snapshot" in step) {
    const { snapshot, compactThrough = 0 } = step;
    const dropped = model.entries.findLast(({ index }) => index <= compactThrough);
    return {
      ...model,
      snapshot,
      baseTerm: dropped?.term ?? model.baseTerm,
      firstIndex: Math.max(model.firstIndex, compactThrough + 1),
      entries: model.entries.filter(({ index }) => index > compactThrough),
      commitIndex: Math.max(model.commitIndex, snapshot.index),
    };
  }
  const { hardState, truncateFrom = null, entries = [], commitIndex = 0 } = step;
  const kept = model.entries.filter(({ index }) => truncateFrom === null || index < truncateFrom);
  const floor = model.snapshot?.index ?? 0;
  return {
    ...model,
    hardState: hardState ?? model.hardState,
    entries: [...kept, ...entries],
    commitIndex: Math.max(floor, commitIndex),
  };
}

/** A random integer from 0 to below `limit`. */
function randomOf(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
}
