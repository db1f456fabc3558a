/** What the paper says of log compaction (§7) and of clients (§8). */
import { describe, expect, test } from "vitest";
import { configurationAt, lastIndex, termAt } from "./log.ts";
import { configurationOf } from "./state.ts";
import { Cluster } from "./testing/cluster.ts";
import { appendEntries, appendEntriesResponse, command, installSnapshot, snapshotAt, stored } from "./testing/messages.ts";
import type { Message, Term, Update } from "./types.ts";

const three = ["n1", "n2", "n3"];

function receive(made: Cluster, message: Message): Update {
  return made.step(message.to, { kind: "receive", message });
}

/** n1 leads term 2; entries 3, 4, 5 are committed everywhere. */
function elected(): Cluster {
  const made = new Cluster({ preVote: false });
  made.addVoters(three);
  made.elect("n1");
  made.propose("n1", "a", "b", "c");
  made.settle();
  return made;
}

function follower(log: readonly Term[], commit = 0): Cluster {
  const made = new Cluster();
  made.add("n2", stored({ term: 9, log, voters: three, commit }));
  return made;
}

describe("§7 taking snapshots", () => {
  test("§7 each server takes its own, of what is committed, and drops the log behind it", () => {
    const made = elected();
    made.snapshot("n2", 4);
    expect(made.core("n2").log).toMatchObject({ baseIndex: 4, baseTerm: 2 });
    expect(made.core("n1").log.baseIndex).toBe(0);
    expect(lastIndex(made.core("n2").log)).toBe(5);
  });

  test("§7 nothing uncommitted is in a snapshot: asking for it is an error of the node's own", () => {
    const made = elected();
    made.cut.add("n1 n2").add("n1 n3");
    made.propose("n1", "uncommitted");
    expect(() => made.snapshot("n1", 6)).toThrow(/committed/);
  });

  test("§7 it names the index and term of the last entry that it replaces, for the consistency check of the entry after it", () => {
    const made = elected();
    made.snapshot("n2", 5);
    expect(made.snapshotOf("n2")).toMatchObject({ index: 5, term: 2 });
    made.propose("n1", "d");
    made.settle();
    expect(made.core("n2").commitIndex).toBe(6);
  });

  test("§7 it holds the configuration in force at its last entry, not a later one", () => {
    const made = elected();
    made.change("n1", three, ["n4"]);
    made.settle();
    made.snapshot("n1", 5);
    expect(made.snapshotOf("n1")?.configuration.learners).toEqual([]);
    expect(configurationOf(made.core("n1")).learners).toEqual(["n4"]);
    made.snapshot("n1", 6);
    expect(made.snapshotOf("n1")).toMatchObject({ configuration: { learners: ["n4"] }, configurationIndex: 6 });
  });

  test("§7 the log goes only once the snapshot is written", () => {
    const made = elected();
    made.node("n2").fastDisk = false;
    made.snapshot("n2", 4);
    expect(made.core("n2").log.baseIndex).toBe(0);
    made.restart("n2");
    expect(made.core("n2").log.baseIndex).toBe(0);
    expect(lastIndex(made.core("n2").log)).toBe(5);
  });

  test("§7 a newer snapshot replaces the one before", () => {
    const made = elected();
    made.snapshot("n2", 3);
    made.snapshot("n2", 5);
    expect(made.node("n2").disk.stored).toMatchObject({ snapshot: { index: 5 }, baseIndex: 5, entries: [] });
    made.restart("n2");
    expect(made.core("n2")).toMatchObject({ commitIndex: 5, log: { baseIndex: 5, baseTerm: 2 } });
  });
});

describe("§7 sending snapshots", () => {
  test("§7 a leader sends one when it has dropped the next entry that a follower needs", () => {
    const made = elected();
    made.cut.add("n1 n3");
    made.propose("n1", "d");
    made.settle();
    made.snapshot("n1", 6);
    made.cut.clear();
    const kinds: string[] = [];
    made.listener = { stepped: () => undefined, sent: ({ kind, to }) => (to === "n3" ? kinds.push(kind) : undefined) };
    made.run(300);
    expect(kinds).toContain("installSnapshot");
    expect(made.core("n3").commitIndex).toBe(6);
  });

  test("§7 a leader sends entries as long as it has them", () => {
    const made = elected();
    made.cut.add("n1 n3");
    made.propose("n1", "d");
    made.settle();
    made.snapshot("n1", 5);
    made.cut.clear();
    const kinds: string[] = [];
    made.listener = { stepped: () => undefined, sent: ({ kind, to }) => (to === "n3" ? kinds.push(kind) : undefined) };
    made.run(300);
    expect(kinds).not.toContain("installSnapshot");
    expect(made.core("n3").commitIndex).toBe(6);
  });
});

describe("§7 Figure 13, receiving snapshots", () => {
  test("§7 Figure 13 rule 1: one of a smaller term is refused, with the larger one", () => {
    const made = follower([1]);
    const update = receive(made, installSnapshot({ from: "n1", to: "n2", term: 8 }, snapshotAt(5, 3, three)));
    expect(update).toMatchObject({ write: 0, snapshot: null, messages: [{ kind: "installSnapshotResponse", term: 9 }] });
  });

  test("§7 Figure 13 rules 2 to 4: chunks are put together at their offsets, and only a whole one is installed", () => {
    const made = follower([1]);
    const snapshot = snapshotAt(5, 3, three, "0123456789");
    const chunk = (from: number, through: number): Message => ({
      ...installSnapshot({ from: "n1", to: "n2", term: 9 }, snapshot),
      offset: from,
      data: snapshot.data.subarray(from, through),
    });
    expect(receive(made, chunk(0, 4)).messages).toMatchObject([{ offset: 4 }]);
    // Out of its turn: not taken, and the answer says what is wanted.
    expect(receive(made, chunk(8, 10)).messages).toMatchObject([{ offset: 4 }]);
    expect(receive(made, chunk(0, 4)).messages).toMatchObject([{ offset: 4 }]);
    expect(receive(made, chunk(4, 8)).restore).toBeNull();
    const { restore } = receive(made, chunk(8, 10));
    expect(String.fromCharCode(...(restore?.data ?? []))).toBe("0123456789");
  });

  test("§7 Figure 13 rule 6: with an entry of that index and term in the log, what follows it stays", () => {
    const made = follower([1, 3, 3, 3]);
    const update = receive(made, installSnapshot({ from: "n1", to: "n2", term: 9 }, snapshotAt(3, 3, three)));
    expect(update.restore).toBeNull();
    expect(update.committed.map(({ index }) => index)).toEqual([1, 2, 3]);
    expect(lastIndex(made.core("n2").log)).toBe(4);
  });

  test.each([
    ["ends before it", [1, 3]],
    ["has another entry there", [1, 2, 2, 2, 2]],
  ])("§7 Figure 13 rules 7 and 8: a log that %s is dropped whole, and the state machine becomes the snapshot", (_, log) => {
    const made = follower(log);
    const update = receive(made, installSnapshot({ from: "n1", to: "n2", term: 9 }, snapshotAt(3, 3, three)));
    expect(update.restore).toMatchObject({ index: 3, term: 3 });
    expect(update.snapshot).toMatchObject({ reset: true });
    expect(lastIndex(made.core("n2").log)).toBe(3);
    expect(termAt(made.core("n2").log, 3)).toBe(3);
  });

  test("§7 Figure 13 rule 8: its configuration is in force", () => {
    const made = follower([1]);
    receive(made, installSnapshot({ from: "n1", to: "n2", term: 9 }, snapshotAt(3, 3, ["n1", "n2", "n7"])));
    expect(configurationAt(made.core("n2").log, 3)).toMatchObject({ index: 1, configuration: { voters: ["n1", "n2", "n7"] } });
  });

  test("§7 one that holds nothing new changes nothing", () => {
    const made = follower([1, 3, 3], 3);
    const update = receive(made, installSnapshot({ from: "n1", to: "n2", term: 9 }, snapshotAt(2, 3, three)));
    expect(update).toMatchObject({ write: 0, snapshot: null, restore: null, committed: [] });
    expect(made.core("n2").commitIndex).toBe(3);
  });

  test("§7 the entry after it is accepted", () => {
    const made = follower([1]);
    receive(made, installSnapshot({ from: "n1", to: "n2", term: 9 }, snapshotAt(3, 3, three)));
    const next = appendEntries({ from: "n1", to: "n2", term: 9, prevLogIndex: 3, prevLogTerm: 3, entries: [command(4, 9)] });
    receive(made, next);
    expect(termAt(made.core("n2").log, 4)).toBe(9);
  });

  test("§7 one whose bytes are damaged is not installed, and is asked for again", () => {
    const made = follower([1]);
    const whole = snapshotAt(3, 3, three);
    const damaged = { ...installSnapshot({ from: "n1", to: "n2", term: 9 }, whole), data: whole.data.map((byte) => byte ^ 1) };
    expect(receive(made, damaged)).toMatchObject({ restore: null, snapshot: null });
    expect(receive(made, installSnapshot({ from: "n1", to: "n2", term: 9 }, whole)).restore).toMatchObject({ index: 3 });
  });
});

describe("§8 clients", () => {
  test("§8 whoever does not lead hands a command to its leader, or says that it knows none", () => {
    const made = elected();
    expect(made.propose("n2", "a").messages).toMatchObject([{ kind: "propose", to: "n1" }]);
    const fresh = new Cluster();
    fresh.addVoters(three);
    expect(fresh.propose("n1", "a").answers).toMatchObject([{ kind: "refused", refusal: "notLeader", leader: null }]);
  });

  test("§8 a leader commits a blank entry at the start of its term", () => {
    const made = elected();
    made.elect("n2");
    const { log, commitIndex } = made.core("n2");
    expect(log.entries.at(-1)).toMatchObject({ kind: "blank", term: 3, index: commitIndex });
  });

  test("§8 a read writes nothing to the log", () => {
    const made = elected();
    const update = made.read("n1");
    expect(update.write).toBe(0);
    made.settle();
    expect(lastIndex(made.core("n1").log)).toBe(5);
  });

  test("§8 before its blank entry is committed a leader answers no read", () => {
    const made = elected();
    made.timeout("n2");
    made.node("n3").now += 500;
    made.deliver(made.take("n2", "n3"));
    made.deliver(made.take("n3", "n2"));
    expect(made.core("n2").role.kind).toBe("leader");
    expect(made.read("n2").answers).toMatchObject([{ kind: "refused", refusal: "notReady" }]);
  });

  test("§8 a read is answered only after a majority has answered a heartbeat that was sent for it", () => {
    const made = elected();
    const asked = made.read("n1");
    expect(asked.answers).toEqual([]);
    expect(asked.messages).toMatchObject([{ kind: "appendEntries" }, { kind: "appendEntries" }]);
    expect(receive(made, appendEntriesResponse({ from: "n2", to: "n1", term: 2, matchIndex: 5, round: 0 })).answers).toEqual([]);
    const { answers } = receive(made, appendEntriesResponse({ from: "n2", to: "n1", term: 2, matchIndex: 5, round: 1 }));
    expect(answers).toMatchObject([{ kind: "readable", index: 5 }]);
  });

  test("§8 a read's index is the commit index of when its round began, not a later one", () => {
    const made = elected();
    made.read("n1");
    made.take();
    made.propose("n1", "later");
    receive(made, appendEntriesResponse({ from: "n3", to: "n1", term: 2, matchIndex: 6, round: 0 }));
    expect(made.core("n1").commitIndex).toBe(6);
    const { answers } = receive(made, appendEntriesResponse({ from: "n2", to: "n1", term: 2, matchIndex: 6, round: 1 }));
    expect(answers).toMatchObject([{ kind: "readable", index: 5 }]);
  });
});
