/** Mistakes that real implementations of Raft have made, in membership, snapshots, reads and transfer. Each test fails if the core makes that mistake. */
import { describe, expect, test } from "vitest";
import { lastIndex, termAt } from "./log.ts";
import { configurationOf } from "./state.ts";
import { Cluster } from "./testing/cluster.ts";
import {
  appendEntries,
  appendEntriesResponse,
  command,
  installSnapshot,
  requestVoteResponse,
  snapshotAt,
} from "./testing/messages.ts";
import { campaigning, elected, five, follower, receive, roleOf, three } from "./testing/scenes.ts";

describe("membership", () => {
  test("a removed server that hears nobody deposes the leader", () => {
    const made = elected(["n1", "n2", "n3", "n4"]);
    made.change("n1", three);
    for (const id of three) made.cut.add(`${id} n4`);
    made.run(4000);
    expect(made.core("n1")).toMatchObject({ role: { kind: "leader" }, hardState: { currentTerm: 2 } });
  });

  test("a removed leader goes on leading", () => {
    const made = elected();
    made.change("n1", ["n2", "n3"]);
    made.settle();
    expect(roleOf(made, "n1")).toBe("follower");
    made.run(5000);
    expect(["n2", "n3"].filter((id) => roleOf(made, id) === "leader").length).toBe(1);
  });

  test("a configuration stays in force after its entry was truncated", () => {
    const made = elected();
    made.cut.add("n1 n2").add("n1 n3");
    made.change("n1", ["n1"]);
    expect(configurationOf(made.core("n1")).voters).toEqual(["n1"]);
    made.elect("n2");
    made.cut.clear();
    made.timeout("n2");
    made.settle();
    expect(configurationOf(made.core("n1"))).toEqual({ voters: three, votersOld: [], learners: [] });
  });

  test("a configuration is lost by a snapshot, or a stale one stays in force beside it", () => {
    const made = follower([1]);
    const stale = {
      kind: "configuration",
      index: 2,
      term: 2,
      configuration: { voters: ["n2"], votersOld: [], learners: [] },
    } as const;
    receive(made, appendEntries({ from: "n1", to: "n2", term: 9, prevLogIndex: 1, prevLogTerm: 1, entries: [stale] }));
    expect(configurationOf(made.core("n2")).voters).toEqual(["n2"]);
    receive(made, installSnapshot({ from: "n1", to: "n2", term: 9 }, snapshotAt(5, 9, five)));
    expect(configurationOf(made.core("n2")).voters).toEqual(five);
    made.restart("n2");
    expect(configurationOf(made.core("n2")).voters).toEqual(five);
  });

  test("an uncommitted configuration is taken into a snapshot", () => {
    const made = elected();
    made.cut.add("n1 n2").add("n1 n3");
    made.change("n1", ["n1", "n2"]);
    made.snapshot("n1", 2);
    expect(made.snapshotOf("n1")?.configuration).toEqual({ voters: three, votersOld: [], learners: [] });
  });

  test("the joint configuration is never left when its leader dies", () => {
    const made = elected(three, ["n4"]);
    made.change("n1", ["n1", "n2", "n3", "n4"]);
    made.deliver(made.take());
    made.crash("n1");
    made.take();
    made.run(5000);
    expect(configurationOf(made.core("n4"))).toEqual({ voters: ["n1", "n2", "n3", "n4"], votersOld: [], learners: [] });
    expect(termAt(made.core("n4").log, made.core("n4").commitIndex)).toBeGreaterThan(2);
  });

  test("two leaders of consecutive terms change disjointly", () => {
    const made = elected(["n1", "n2", "n3", "n4"]);
    made.cut.add("n1 n2").add("n1 n3").add("n1 n4");
    made.change("n1", ["n1", "n2", "n3"]);
    made.cut.add("n2 n1").add("n3 n1").add("n4 n1");
    made.outlastLoyalty();
    made.timeout("n2");
    made.deliver(made.take());
    made.deliver(made.take());
    expect(roleOf(made, "n2")).toBe("leader");
    expect(made.change("n2", ["n2", "n3", "n4"]).answers).toMatchObject([{ refusal: "notReady" }]);
  });
});

describe("snapshots", () => {
  test("a snapshot older than the commit takes it back", () => {
    const made = follower([1, 3, 3, 3], 4);
    const update = receive(made, installSnapshot({ from: "n1", to: "n2", term: 9 }, snapshotAt(2, 3, three)));
    expect(update).toMatchObject({ restore: null, snapshot: null });
    expect(made.core("n2")).toMatchObject({ commitIndex: 4, log: { baseIndex: 0 } });
  });

  test("entries that conflict with an installed snapshot stay behind it", () => {
    const made = follower([1, 2, 2, 2, 2]);
    receive(made, installSnapshot({ from: "n1", to: "n2", term: 9 }, snapshotAt(3, 9, three)));
    expect(lastIndex(made.core("n2").log)).toBe(3);
    made.restart("n2");
    expect(lastIndex(made.core("n2").log)).toBe(3);
  });

  test("an installed snapshot is acknowledged before it is durable", () => {
    const made = follower([1]);
    made.node("n2").fastDisk = false;
    const { messages } = receive(made, installSnapshot({ from: "n1", to: "n2", term: 9 }, snapshotAt(3, 9, three)));
    for (const message of messages) expect(message.kind === "appendEntriesResponse" ? message.matchIndex : 0).toBe(0);
  });

  test("a restarted node knows less to be committed than its snapshot holds", () => {
    const made = elected();
    made.propose("n1", "a");
    made.settle();
    made.snapshot("n2", 3);
    made.node("n2").disk.stored = { ...made.node("n2").disk.stored, commitIndex: 1 };
    made.restart("n2");
    expect(made.core("n2").commitIndex).toBe(3);
  });

  test("a late write is taken for the log behind an installed snapshot", () => {
    const made = follower([1]);
    made.node("n2").fastDisk = false;
    const { write } = receive(
      made,
      appendEntries({ from: "n1", to: "n2", term: 9, prevLogIndex: 1, prevLogTerm: 1, entries: [command(2, 8), command(3, 9)] }),
    );
    receive(made, installSnapshot({ from: "n1", to: "n2", term: 9 }, snapshotAt(5, 9, three)));
    made.step("n2", { kind: "persisted", write, index: 5, term: 9 });
    expect(made.core("n2").log.durableIndex).toBe(0);
  });
});

describe("reads and transfer", () => {
  test("a read is answered without a round of heartbeats", () => {
    const made = elected();
    expect(made.read("n1").answers).toEqual([]);
  });

  test("a read is confirmed by the answer to a heartbeat that was sent before it began", () => {
    const made = elected();
    made.timeout("n1");
    made.take();
    made.read("n1");
    const { answers } = receive(made, appendEntriesResponse({ from: "n2", to: "n1", term: 2, matchIndex: 2, round: 1 }));
    expect(answers).toEqual([]);
  });

  test("a read that was asked again is confirmed by answers to the first attempt", () => {
    const made = elected();
    made.read("n1");
    made.take();
    made.read("n1");
    const { answers } = receive(made, appendEntriesResponse({ from: "n2", to: "n1", term: 2, matchIndex: 2, round: 1 }));
    expect(answers).toMatchObject([{ requestId: 1 }]);
  });

  test("a read is answered before the first commit of the term", () => {
    const made = campaigning(three);
    receive(made, requestVoteResponse({ from: "n2", to: "n1", term: 2 }));
    expect(made.read("n1").answers).toMatchObject([{ kind: "refused", refusal: "notReady" }]);
  });

  test("a learner's or a stranger's answer confirms a read", () => {
    const made = elected(three, ["n4", "n5"]);
    made.read("n1");
    made.take();
    for (const from of ["n4", "n5", "n9"])
      expect(receive(made, appendEntriesResponse({ from, to: "n1", term: 2, matchIndex: 2, round: 1 })).answers).toEqual([]);
  });

  test("a read is answered while leadership is handed over", () => {
    const made = elected();
    made.transfer("n1", "n2");
    expect(made.read("n1").answers).toMatchObject([{ kind: "refused", refusal: "transferring" }]);
  });

  test("a transfer that timed out ends with two leaders", () => {
    const made = elected();
    made.transfer("n1", "n2");
    const late = made.take("n1", "n2");
    made.run(1500);
    expect(made.propose("n1", "a").answers).toMatchObject([{ kind: "proposed" }]);
    made.settle();
    made.deliver(late);
    made.settle();
    expect(three.filter((id) => roleOf(made, id) === "leader").length).toBe(1);
    expect(made.core("n2").commitIndex).toBeGreaterThanOrEqual(3);
  });

  test("a lease outlives a word to campaign that is still under way", () => {
    const made = new Cluster({ leaseReads: true });
    made.addVoters(three);
    // Who has just started promises nothing.
    for (const id of ["n2", "n3"]) made.node(id).now = 500;
    made.elect("n1");
    made.run(100);
    expect(made.read("n1").answers).toMatchObject([{ kind: "readable" }]);
    made.transfer("n1", "n2");
    const late = made.take("n1", "n2");
    made.run(1500);
    // It is heard by everybody again, and leads; yet n2 may be elected at any moment, whoever is loyal.
    expect(made.read("n1").answers).toEqual([]);
    made.settle();
    made.cut.add("n2 n1").add("n3 n1");
    made.deliver(late);
    made.settle();
    expect(roleOf(made, "n2")).toBe("leader");
    expect(made.read("n1").answers).toEqual([]);
  });

  test("a transfer that failed refuses proposals for ever", () => {
    const made = elected();
    made.transfer("n1", "n2");
    made.take("n1", "n2");
    made.run(1500);
    expect(made.propose("n1", "a").answers).toMatchObject([{ kind: "proposed" }]);
  });

  test("a leader whose disk hangs keeps its office by heartbeats", () => {
    const made = elected();
    made.node("n1").fastDisk = false;
    made.propose("n1", "a");
    made.run(1500);
    expect(roleOf(made, "n1")).not.toBe("leader");
  });

  test("the uncommitted tail grows without a bound", () => {
    const made = new Cluster({ maxUncommittedBytes: 1000 });
    made.addVoters(three);
    made.elect("n1");
    made.cut.add("n1 n2").add("n1 n3");
    for (let count = 0; count < 100; count++) made.propose("n1", "x".repeat(100));
    expect(lastIndex(made.core("n1").log)).toBeLessThanOrEqual(13);
  });

  test("a single voter that restarts leads again in the same term", () => {
    const made = new Cluster();
    made.addVoters(["n1"]);
    made.elect("n1");
    made.restart("n1");
    expect(roleOf(made, "n1")).toBe("follower");
    made.timeout("n1");
    expect(made.core("n1")).toMatchObject({ role: { kind: "leader" }, hardState: { currentTerm: 3 } });
  });
});
