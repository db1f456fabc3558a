/** Group commit and the gate, against a storage whose writes end when the test says so. */
import { beforeEach, describe, expect, test } from "vitest";
import { createConfig, createRaft, type RaftState } from "../raft/mod.ts";
import type { Entry, HardState, Message, Snapshot, Update } from "../raft/types.ts";
import { type LogStorage, type LogWrite, StorageFailed } from "./interfaces.ts";
import { WriteQueue } from "./write-queue.ts";

type Done = (failure: StorageFailed | null) => void;

const generation = { number: 1, id: "0".repeat(32), parentId: null, forkIndex: 0 };
const nothing: Update = {
  write: 0,
  hardState: null,
  truncateFrom: null,
  entries: [],
  snapshot: null,
  messages: [],
  restore: null,
  committed: [],
  answers: [],
  deadline: 0,
};

function hardState(currentTerm: number): HardState {
  return { currentTerm, votedFor: null, generation };
}

function entry(index: number, term: number): Entry {
  return { kind: "blank", index, term };
}

function message(to: string): Message {
  return { kind: "timeoutNow", from: "n1", to, term: 1, generation };
}

const written: unknown[] = [];
const told: string[] = [];
let pending: Done[] = [];

const storage: LogStorage = {
  load: () => undefined,
  persist: (write: LogWrite, done: Done) => {
    written.push(write);
    pending.push(done);
  },
  saveSnapshot: (write, done) => {
    written.push({ snapshot: write.snapshot.index });
    pending.push(done);
  },
  snapshotMeta: () => null,
  close: () => undefined,
};

/** A core whose log ends at `index`@`term`; the queue looks at nothing else of it but its commit index. */
function core(index: number, term: number, commitIndex = 0): RaftState {
  const entries = Array.from({ length: index }, (_, at) => entry(at + 1, at + 1 === index ? term : Math.min(1, term)));
  return createRaft({
    id: "n1",
    config: createConfig(),
    seed: 1,
    now: 0,
    hardState: hardState(term),
    snapshot: null,
    firstIndex: 1,
    baseTerm: 0,
    entries,
    commitIndex,
  });
}

function queue(): WriteQueue {
  return new WriteQueue(storage, core(0, 0), {
    onDurable: (write, { index, term }) => told.push(`durable ${write} through ${index}@${term}`),
    onSnapshotDurable: (index, term) => told.push(`snapshot ${index}@${term}`),
    onFailed: ({ kind }) => told.push(`failed ${kind}`),
    send: ({ to }) => told.push(`send ${to}`),
  });
}

/** The write under way ends. */
function finish(failure: StorageFailed | null = null): void {
  pending.shift()?.(failure);
}

beforeEach(() => {
  written.length = 0;
  told.length = 0;
  pending = [];
});

describe("folding", () => {
  test("one write at a time; what is asked for meanwhile is one write", () => {
    const made = queue();
    made.add({ ...nothing, write: 1, entries: [entry(1, 1)] }, core(1, 1));
    made.add({ ...nothing, write: 2, entries: [entry(2, 1)] }, core(2, 1));
    made.add({ ...nothing, write: 3, entries: [entry(3, 1)] }, core(3, 1));
    expect(written.length).toBe(1);
    finish();
    made.flush(0);
    expect(written[1]).toMatchObject({ entries: [{ index: 2 }, { index: 3 }] });
    finish();
    expect(told).toEqual(["durable 1 through 1@1", "durable 3 through 3@1"]);
  });

  test("the smallest truncateFrom wins, and drops what was folded at or behind it", () => {
    const made = queue();
    made.add({ ...nothing, write: 1, hardState: hardState(1) }, core(0, 1));
    made.add({ ...nothing, write: 2, truncateFrom: 5, entries: [entry(5, 2), entry(6, 2), entry(7, 2)] }, core(7, 2));
    made.add({ ...nothing, write: 3, truncateFrom: 6, entries: [entry(6, 3)] }, core(6, 3));
    made.add({ ...nothing, write: 4, truncateFrom: 9 }, core(6, 3));
    finish();
    made.flush(0);
    expect(written[1]).toMatchObject({ truncateFrom: 5, entries: [entry(5, 2), entry(6, 3)] });
    made.add({ ...nothing, write: 5, truncateFrom: 6, entries: [entry(6, 4)] }, core(6, 4));
    made.add({ ...nothing, write: 6, truncateFrom: 3, entries: [entry(3, 5)] }, core(3, 5));
    finish();
    made.flush(0);
    expect(written[2]).toMatchObject({ truncateFrom: 3, entries: [entry(3, 5)] });
  });

  test("the last hard state wins; an update without one does not undo it", () => {
    const made = queue();
    made.add({ ...nothing, write: 1, entries: [entry(1, 1)] }, core(1, 1));
    made.add({ ...nothing, write: 2, hardState: hardState(2) }, core(1, 1));
    made.add({ ...nothing, write: 3, hardState: hardState(3) }, core(1, 1));
    made.add({ ...nothing, write: 4, entries: [entry(2, 3)] }, core(2, 3));
    finish();
    made.flush(0);
    expect(written[1]).toMatchObject({ hardState: { currentTerm: 3 }, entries: [{ index: 2 }] });
  });

  test("the commit index is written along, never beyond the log of that write", () => {
    const made = queue();
    made.add({ ...nothing, write: 1, entries: [entry(1, 1), entry(2, 1)] }, core(2, 1, 1));
    expect(written[0]).toMatchObject({ commitIndex: 1 });
    finish();
    expect(made.storedCommitIndex).toBe(1);
  });

  test("a snapshot waits for the writes before it, and those after it wait for it", () => {
    const made = queue();
    const snapshot: Snapshot = {
      index: 2,
      term: 1,
      configuration: { voters: ["n1"], votersOld: [], learners: [] },
      configurationIndex: 1,
      size: 0,
      checksum: 0,
      data: new Uint8Array(0),
    };
    made.add({ ...nothing, write: 1, entries: [entry(1, 1)] }, core(1, 1));
    made.add({ ...nothing, write: 2, entries: [entry(2, 1)] }, core(2, 1));
    made.add({ ...nothing, snapshot: { snapshot, compactThrough: 2, reset: false } }, core(2, 1));
    made.add({ ...nothing, write: 3, entries: [entry(3, 1)] }, core(3, 1));
    for (let turn = 0; turn < 4; turn++) {
      finish();
      made.flush(0);
    }
    expect(written).toMatchObject([
      { entries: [{ index: 1 }] },
      { entries: [{ index: 2 }] },
      { snapshot: 2 },
      { entries: [{ index: 3 }] },
    ]);
    expect(told).toEqual(["durable 1 through 1@1", "durable 2 through 2@1", "snapshot 2@1", "durable 3 through 3@1"]);
    expect(made.idle).toBe(true);
  });
});

describe("the gate", () => {
  test("a message waits for the hard state of its own update", () => {
    const made = queue();
    made.add({ ...nothing, write: 1, hardState: hardState(1), messages: [message("n2")] }, core(0, 1));
    expect(told).toEqual([]);
    finish();
    expect(told).toEqual(["send n2", "durable 1 through 0@0"]);
  });

  test("a message waits for a hard state of an earlier update, also when it is folded", () => {
    const made = queue();
    made.add({ ...nothing, write: 1, entries: [entry(1, 1)] }, core(1, 1));
    made.add({ ...nothing, write: 2, hardState: hardState(2) }, core(1, 1));
    made.add({ ...nothing, write: 3, entries: [entry(2, 2)] }, core(2, 2));
    made.add({ ...nothing, messages: [message("n2")] }, core(2, 2));
    finish();
    made.flush(0);
    expect(told).toEqual(["durable 1 through 1@1"]);
    finish();
    expect(told).toContain("send n2");
  });

  test("entries of the same update need not be durable: a leader sends while it writes", () => {
    const made = queue();
    made.add({ ...nothing, write: 1, entries: [entry(1, 1)], messages: [message("n2")] }, core(1, 1));
    expect(told).toEqual(["send n2"]);
  });

  test("messages leave in the order of their updates", () => {
    const made = queue();
    made.add({ ...nothing, write: 1, hardState: hardState(1), messages: [message("n2")] }, core(0, 1));
    made.add({ ...nothing, messages: [message("n3")] }, core(0, 1));
    made.add({ ...nothing, write: 2, entries: [entry(1, 1)], messages: [message("n4")] }, core(1, 1));
    finish();
    expect(told.filter((line) => line.startsWith("send"))).toEqual(["send n2", "send n3", "send n4"]);
  });
});

describe("failure", () => {
  test("the first failed write fences every later one, and all that waited to be said", () => {
    const made = queue();
    made.add({ ...nothing, write: 1, hardState: hardState(1), messages: [message("n2")] }, core(0, 1));
    made.add({ ...nothing, write: 2, entries: [entry(1, 1)], messages: [message("n3")] }, core(1, 1));
    finish(new StorageFailed("full", "no space"));
    made.add({ ...nothing, write: 3, entries: [entry(2, 1)], messages: [message("n4")] }, core(2, 1));
    made.flush(0);
    made.storeCommitIndex(1);
    expect(told).toEqual(["failed full"]);
    expect(written.length).toBe(1);
  });
});

describe("the commit index alone", () => {
  test("is stored when nothing else is under way, and only if it is news", () => {
    const made = queue();
    made.add({ ...nothing, write: 1, entries: [entry(1, 1)] }, core(1, 1));
    made.storeCommitIndex(1);
    expect(written.length).toBe(1);
    finish();
    made.storeCommitIndex(1);
    expect(written[1]).toMatchObject({ hardState: null, truncateFrom: null, entries: [], commitIndex: 1 });
    finish();
    made.storeCommitIndex(1);
    expect(written.length).toBe(2);
  });

  test("what is asked for meanwhile is written afterwards", () => {
    const made = queue();
    made.add({ ...nothing, write: 1, entries: [entry(1, 1)] }, core(1, 1));
    finish();
    made.storeCommitIndex(1);
    made.add({ ...nothing, write: 2, entries: [entry(2, 1)] }, core(2, 1, 1));
    expect(written.length).toBe(2);
    finish();
    expect(written[2]).toMatchObject({ entries: [{ index: 2 }] });
  });
});
