/** What the cases of the storage contract are made of. */
import type { LogStorage, LogWrite, StoredState } from "../driver/interfaces.ts";
import { crc32c } from "../raft/crc32c.ts";
import type { Configuration, Entry, HardState, LogIndex, Snapshot, SnapshotWrite, Term } from "../raft/types.ts";

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

export type Body = (disk: StorageUnderTest) => Promise<void>;

export const NOTHING: LogWrite = { hardState: null, truncateFrom: null, entries: [], commitIndex: 0 };
export const PRISTINE: StoredState = {
  hardState: { currentTerm: 0, votedFor: null, generation: null },
  snapshot: null,
  baseTerm: 0,
  entries: [],
  firstIndex: 1,
  commitIndex: 0,
};
export const hardState: HardState = {
  currentTerm: 7,
  votedFor: "node_B-2",
  generation: { number: 2, id: "0123456789abcdef".repeat(2), parentId: "f".repeat(32), forkIndex: 40 },
};
export function loadStorage(storage: LogStorage): Promise<StoredState> {
  return new Promise((resolve, reject) => storage.load((result) => (result instanceof Error ? reject(result) : resolve(result))));
}

export function persistWrite(storage: LogStorage, write: Partial<LogWrite>): Promise<void> {
  const whole = { ...NOTHING, ...write };
  return new Promise((resolve, reject) => storage.persist(whole, (failure) => (failure === null ? resolve() : reject(failure))));
}

/** Keeps all of the log unless told otherwise. */
export function saveSnapshot(
  storage: LogStorage,
  write: Pick<SnapshotWrite, "snapshot"> & Partial<SnapshotWrite>,
): Promise<void> {
  const whole = { compactThrough: 0, reset: false, ...write };
  return new Promise((resolve, reject) =>
    storage.saveSnapshot(whole, (failure) => (failure === null ? resolve() : reject(failure))),
  );
}

/** Of `size` bytes that differ from one index to the next. */
export function snapshotAt(index: LogIndex, term: Term, size = 9): Snapshot {
  const data = new Uint8Array(size);
  for (let at = 0; at < size; at++) data[at] = at * 7 + index;
  const configuration = { voters: ["A", "B"], votersOld: [], learners: ["C"] };
  return { index, term, configuration, configurationIndex: Math.min(index, 4), size, checksum: crc32c(data), data };
}

/** Commands of a few bytes at the given indexes. */
export function commands(from: number, to: number, term: number): Entry[] {
  const entries: Entry[] = [];
  for (let index = from; index <= to; index++) {
    entries.push({ kind: "command", index, term, command: Uint8Array.of(index & 255, (index >> 8) & 255, term) });
  }
  return entries;
}

/** A write or a snapshot. */
export type Step = Partial<LogWrite> | (Pick<SnapshotWrite, "snapshot"> & Partial<SnapshotWrite>);

export function performStep(storage: LogStorage, step: Step): Promise<void> {
  return "snapshot" in step ? saveSnapshot(storage, step) : persistWrite(storage, step);
}

/** Performs the steps, one after the other, and expects the state after a restart. */
export async function expectAfter(disk: StorageUnderTest, steps: readonly Step[], expected: StoredState): Promise<void> {
  const storage = await disk.open();
  await loadStorage(storage);
  for (const step of steps) await performStep(storage, step);
  storage.close();
  await expectStored(disk, expected);
}

export async function expectStored(disk: StorageUnderTest, expected: StoredState): Promise<void> {
  const storage = await disk.open();
  const found = await loadStorage(storage);
  storage.close();
  if (show(found) !== show(expected)) throw new Error(`found ${show(found)}\nexpected ${show(expected)}`);
}

/** One text for equal states, whatever the order of their fields. */
export function show(state: StoredState): string {
  const { currentTerm, votedFor, generation } = state.hardState;
  const g =
    generation === null ? "none" : [generation.number, generation.id, generation.parentId, generation.forkIndex].join("/");
  const log = `from ${state.firstIndex} after term ${state.baseTerm}: ${state.entries.map(showEntry).join(" ")}`;
  const snapshot = state.snapshot === null ? "none" : showSnapshot(state.snapshot);
  return `term ${currentTerm} vote ${votedFor} generation ${g} snapshot ${snapshot} commit ${state.commitIndex} log ${log}`;
}

/** Its checksum tells whether the data are right. */
function showSnapshot({ index, term, configurationIndex, size, checksum, configuration, data }: Snapshot): string {
  const found = `${data.length} bytes ${crc32c(data)}`;
  return `${index}@${term} ${configurationIndex}:${showConfiguration(configuration)} ${size} bytes ${checksum} (${found})`;
}

function showConfiguration({ voters, votersOld, learners }: Configuration): string {
  return `[${voters}|${votersOld}|${learners}]`;
}

function showEntry(entry: Entry): string {
  const place = `${entry.index}@${entry.term}`;
  if (entry.kind === "blank") return `${place}:blank`;
  if (entry.kind === "command") return `${place}:${entry.command.length > 400 ? entry.command.length : entry.command.join(".")}`;
  return `${place}:${showConfiguration(entry.configuration)}`;
}
