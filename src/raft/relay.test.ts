/** A follower relays to a learner: what is committed, in its term, and nothing else follows from it. */
import { describe, expect, test } from "vitest";
import { lastIndex } from "./log.ts";
import type { Cluster } from "./testing/cluster.ts";
import { elected, receive, three } from "./testing/scenes.ts";
import type { Entry, Message, RelayEntries } from "./types.ts";

/** n1 leads term 2; n4 learns and hears n2 alone. */
function scene(): Cluster {
  const made = elected(three, ["n4"]);
  made.run(200);
  for (const id of ["n1", "n3"]) {
    made.cut.add(`${id} n4`);
    made.cut.add(`n4 ${id}`);
  }
  made.step("n4", { kind: "askRelay", to: "n2" });
  made.settle();
  return made;
}

function relayOf(message: Partial<RelayEntries>): RelayEntries {
  const { entries = [], ...rest } = message;
  const base = { from: "n2", to: "n4", term: 2, leader: "n1", prevLogIndex: 2, prevLogTerm: 2 };
  return {
    kind: "relayEntries",
    generation: { number: 1, id: "1".repeat(32), parentId: null, forkIndex: 0 },
    ...base,
    entries,
    ...rest,
  };
}

const blank = (index: number, term: number): Entry => ({ kind: "blank", index, term });

function watch(made: Cluster): Message[] {
  const sent: Message[] = [];
  made.listener = { stepped: () => undefined, sent: (message) => sent.push(message) };
  return sent;
}

describe("a learner that its leader does not reach", () => {
  test("gets everything that is committed, as soon as its relay knows it", () => {
    const made = scene();
    made.propose("n1", "a", "b");
    made.settle();
    made.propose("n1", "c");
    made.settle();
    expect(made.core("n4").commitIndex).toBe(made.core("n2").commitIndex);
    expect(lastIndex(made.core("n4").log)).toBe(made.core("n2").commitIndex);
  });

  test("hears that there is a leader as long as its relay hears it", () => {
    const made = scene();
    made.run(2000);
    const { role, now } = made.core("n4");
    expect(role).toMatchObject({ kind: "follower", leader: "n1" });
    expect(role.kind === "follower" ? now - role.leaderContact : 9999).toBeLessThan(500);
    for (const id of ["n2", "n3"]) {
      made.cut.add(`n1 ${id}`);
      made.cut.add(`${id} n1`);
    }
    const sent = watch(made);
    made.tick(400, ["n2", "n4"]);
    made.settle();
    expect(sent.filter(({ kind, from }) => kind === "relayEntries" && from === "n2")).toEqual([]);
  });

  test("is fed no more when it asks no more", () => {
    const made = scene();
    made.run(6000);
    made.propose("n1", "a");
    made.settle();
    expect(made.core("n2").relayed.size).toBe(0);
    expect(made.core("n4").commitIndex).toBeLessThan(made.core("n2").commitIndex);
    made.step("n4", { kind: "askRelay", to: "n2" });
    made.settle();
    expect(made.core("n4").commitIndex).toBe(made.core("n2").commitIndex);
  });

  test("turns to another relay when the first is gone", () => {
    const made = scene();
    made.crash("n2");
    made.cut.delete("n3 n4");
    made.cut.delete("n4 n3");
    made.propose("n1", "a");
    made.settle();
    made.step("n4", { kind: "askRelay", to: "n3" });
    made.settle();
    expect(made.core("n4").commitIndex).toBe(made.core("n3").commitIndex);
  });
});

describe("a relay", () => {
  test("sends nothing beyond its own commitIndex", () => {
    const made = scene();
    made.cut.add("n2 n1");
    made.cut.add("n3 n1");
    const sent = watch(made);
    made.propose("n1", "a");
    made.settle();
    expect(lastIndex(made.core("n2").log)).toBeGreaterThan(made.core("n2").commitIndex);
    expect(sent.filter((message) => message.kind === "relayEntries" && message.entries.length > 0)).toEqual([]);
    expect(lastIndex(made.core("n4").log)).toBe(made.core("n2").commitIndex);
  });

  test("feeds learners only", () => {
    const made = elected(three, ["n4"]);
    made.run(200);
    const request = {
      kind: "relayRequest",
      from: "n3",
      to: "n2",
      term: 2,
      commitIndex: 0,
      matchIndex: 0,
      restart: true,
    } as const;
    receive(made, { ...request, generation: relayOf({}).generation });
    expect(made.core("n2").relayed.size).toBe(0);
  });

  test("that holds more than it knows to be committed sends what it knows", () => {
    const made = scene();
    made.cut.add("n2 n4");
    made.propose("n1", "a");
    made.settle();
    made.cut.add("n2 n1");
    made.cut.add("n3 n1");
    made.propose("n1", "b");
    made.settle();
    made.cut.delete("n2 n4");
    made.step("n4", { kind: "askRelay", to: "n2" });
    made.settle();
    expect(lastIndex(made.core("n2").log)).toBe(made.core("n2").commitIndex + 1);
    expect(lastIndex(made.core("n4").log)).toBe(made.core("n2").commitIndex);
  });

  test("that has entered a term whose leader it does not know is silent", () => {
    const made = scene();
    made.timeout("n3");
    made.take();
    receive(made, voteRequest(made));
    for (const way of ["n2 n1", "n2 n3", "n1 n2", "n3 n2"]) made.cut.add(way);
    const sent = watch(made);
    made.step("n4", { kind: "askRelay", to: "n2" });
    made.settle();
    expect(made.core("n2").role).toMatchObject({ leader: null });
    expect(sent.filter(({ kind }) => kind === "relayEntries")).toEqual([]);
  });
});

describe("what is relayed", () => {
  test("moves no matchIndex of the leader, and no acknowledgement to the leader counts it", () => {
    const made = scene();
    const sent = watch(made);
    const before = matchOf(made);
    for (const command of ["a", "b"]) {
      made.propose("n1", command);
      made.settle();
    }
    made.run(300);
    expect(made.core("n4").commitIndex).toBe(made.core("n1").commitIndex);
    expect(matchOf(made)).toBe(before);
    for (const message of sent)
      if (message.from === "n4" && message.kind === "appendEntriesResponse") expect(message.matchIndex).toBe(before);
    // Back with its leader it acknowledges what that leader itself has verified.
    made.cut.clear();
    made.run(300);
    expect(matchOf(made)).toBe(lastIndex(made.core("n1").log));
  });

  test("is taken by a learner only, of its own term, behind what it holds", () => {
    const made = scene();
    const { commitIndex } = made.core("n4");
    const after = { prevLogIndex: commitIndex, prevLogTerm: 2, entries: [blank(commitIndex + 1, 2)] };
    receive(made, relayOf({ ...after, term: 1 }));
    expect(made.core("n4").commitIndex).toBe(commitIndex);
    receive(made, relayOf({ ...after, prevLogIndex: commitIndex + 5, entries: [blank(commitIndex + 6, 2)] }));
    expect(made.core("n4").commitIndex).toBe(commitIndex);
    receive(made, relayOf({ ...after, from: "n2", to: "n3" }));
    expect(made.core("n3").commitIndex).toBe(commitIndex);
    receive(made, relayOf({ ...after, leader: "n3" }));
    expect(made.core("n4").commitIndex).toBe(commitIndex);
    receive(made, relayOf(after));
    expect(made.core("n4").commitIndex).toBe(commitIndex + 1);
  });

  test("takes the place of an uncommitted tail that contradicts it", () => {
    const made = scene();
    const { commitIndex } = made.core("n4");
    receive(made, appendOf(commitIndex, [blank(commitIndex + 1, 2), blank(commitIndex + 2, 2)]));
    expect(lastIndex(made.core("n4").log)).toBe(commitIndex + 2);
    // Behind an entry of another term there is nothing to be put.
    const later = { prevLogIndex: commitIndex + 1, prevLogTerm: 3, entries: [blank(commitIndex + 2, 3)] };
    receive(made, relayOf({ term: 3, leader: "n3", ...later }));
    expect(made.core("n4").commitIndex).toBe(commitIndex);
    receive(made, relayOf({ term: 3, leader: "n3", prevLogIndex: commitIndex, entries: [blank(commitIndex + 1, 3)] }));
    expect(made.core("n4").role).toMatchObject({ leader: "n3" });
    expect([made.core("n4").commitIndex, lastIndex(made.core("n4").log)]).toEqual([commitIndex + 1, commitIndex + 1]);
  });
});

function appendOf(prevLogIndex: number, entries: readonly Entry[]): Message {
  const { generation } = relayOf({});
  const base = { generation, from: "n1", to: "n4", term: 2, prevLogTerm: 2, leaderCommit: prevLogIndex, round: 0 };
  return { kind: "appendEntries", ...base, prevLogIndex, entries };
}

/** n3 campaigns in term 3, by the leader's wish. */
function voteRequest(made: Cluster): Message {
  const { log } = made.core("n3");
  const position = { lastLogIndex: lastIndex(log), lastLogTerm: 2, preVote: false, leadershipTransfer: true, leaderGone: false };
  return { kind: "requestVote", generation: relayOf({}).generation, from: "n3", to: "n2", term: 3, ...position };
}

function matchOf(made: Cluster): number | undefined {
  const { role } = made.core("n1");
  return role.kind === "leader" ? role.progress.get("n4")?.matchIndex : undefined;
}
