/** Mistakes that real implementations of Raft have made, in elections, replication and commitment. Each test fails if the core makes that mistake. */
import { describe, expect, test } from "vitest";
import { lastIndex } from "./log.ts";
import { configurationOf } from "./state.ts";
import { Cluster } from "./testing/cluster.ts";
import { appendEntries, appendEntriesResponse, command, requestVote, requestVoteResponse, stored } from "./testing/messages.ts";
import { campaigning, elected, five, follower, receive, roleOf, three } from "./testing/scenes.ts";

describe("votes", () => {
  test("a vote that arrives twice is counted twice", () => {
    const made = campaigning(five);
    const vote = requestVoteResponse({ from: "n2", to: "n1", term: 2 });
    receive(made, vote);
    receive(made, vote);
    expect(roleOf(made, "n1")).toBe("candidate");
  });

  test("a vote is told before it is durable", () => {
    const made = follower([1]);
    made.add("n3");
    made.node("n2").fastDisk = false;
    receive(made, requestVote({ from: "n3", to: "n2", term: 10 }));
    expect(made.waiting).toEqual([]);
    made.persist("n2");
    expect(made.waiting).toMatchObject([{ voteGranted: true }]);
  });

  test("a candidate counts its own vote before it is durable", () => {
    const made = follower([1]);
    made.node("n2").fastDisk = false;
    receive(made, appendEntries({ from: "n1", to: "n2", term: 9, prevLogIndex: 1, prevLogTerm: 1, entries: [command(2, 9)] }));
    made.timeout("n2");
    receive(made, requestVoteResponse({ from: "n3", to: "n2", term: 10 }));
    // The write of the entry is done, that of the vote is not.
    made.persist("n2", 1);
    expect(roleOf(made, "n2")).toBe("candidate");
    made.persist("n2", 1);
    expect(roleOf(made, "n2")).toBe("leader");
  });

  test("a vote request leaves before the vote for oneself is durable", () => {
    const made = new Cluster({ preVote: false });
    made.addVoters(three);
    made.node("n1").fastDisk = false;
    made.timeout("n1");
    expect(made.waiting).toEqual([]);
  });

  test("stepping down within a term clears the vote", () => {
    const made = campaigning(three);
    receive(made, appendEntries({ from: "n2", to: "n1", term: 2, prevLogIndex: 1, prevLogTerm: 1 }));
    expect(made.core("n1").hardState.votedFor).toBe("n1");
    made.node("n1").now += 5000;
    made.crash("n1");
    made.restart("n1");
    expect(receive(made, requestVote({ from: "n3", to: "n1", term: 2 })).messages).toMatchObject([{ voteGranted: false }]);
  });

  test("a refused vote raises the term of a leader that goes on leading", () => {
    const made = new Cluster({ preVote: false, checkQuorum: false });
    made.addVoters(three);
    made.elect("n1");
    receive(made, requestVote({ from: "n3", to: "n1", term: 5, lastLogIndex: 0, lastLogTerm: 0 }));
    expect(made.core("n1")).toMatchObject({ role: { kind: "follower" }, hardState: { currentTerm: 5, votedFor: null } });
  });

  test("a vote of one who is no voter here is counted", () => {
    const made = campaigning(three, ["n4", "n5"]);
    for (const from of ["n4", "n5", "n9"]) receive(made, requestVoteResponse({ from, to: "n1", term: 2 }));
    expect(roleOf(made, "n1")).toBe("candidate");
  });

  test("a node refuses its vote because it has not heard of its own promotion", () => {
    const made = elected(["n1", "n2"], ["n3"]);
    made.cut.add("n1 n3");
    made.change("n1", three);
    made.settle();
    made.crash("n1");
    made.cut.clear();
    expect(configurationOf(made.core("n3")).learners).toEqual(["n3"]);
    made.elect("n2");
    expect(roleOf(made, "n2")).toBe("leader");
  });

  test("a learner campaigns", () => {
    const made = elected(["n1", "n2"], ["n3"]);
    made.tick(20_000, ["n3"]);
    made.timeout("n3");
    receive(made, {
      kind: "timeoutNow",
      from: "n1",
      to: "n3",
      term: 2,
      generation: requestVote({ from: "", to: "", term: 0 }).generation,
    });
    expect(roleOf(made, "n3")).toBe("follower");
    expect(made.core("n3").hardState.currentTerm).toBe(2);
  });

  test("PreVote raises the term, of the asker or of the asked", () => {
    const made = new Cluster();
    made.addVoters(three);
    for (let round = 0; round < 3; round++) {
      made.timeout("n1");
      made.deliver(made.take("n1"));
      made.take();
    }
    for (const id of three) expect(made.core(id).hardState).toMatchObject({ currentTerm: 1, votedFor: null });
  });

  test("PreVote gives away the vote of the term", () => {
    const made = new Cluster();
    made.addVoters(three);
    receive(made, requestVote({ from: "n2", to: "n1", term: 2, preVote: true }));
    expect(receive(made, requestVote({ from: "n3", to: "n1", term: 1 })).messages).toMatchObject([{ voteGranted: true }]);
  });

  test("a grant of the PreVote counts as a vote", () => {
    const made = campaigning(three);
    receive(made, requestVoteResponse({ from: "n2", to: "n1", term: 2, preVote: true, requestedTerm: 2 }));
    expect(roleOf(made, "n1")).toBe("candidate");
  });

  test("a peer that cannot be reached counts as a grant", () => {
    const made = new Cluster();
    made.addVoters(three);
    made.timeout("n1");
    made.step("n1", { kind: "peer", id: "n2", up: false });
    made.step("n1", { kind: "peer", id: "n3", up: false });
    expect(made.core("n1").hardState.currentTerm).toBe(1);
  });

  test("a refused PreVote of an earlier term leaves the asker behind for ever", () => {
    const made = new Cluster();
    made.add("n1", stored({ term: 3, log: [1, 3], voters: ["n1", "n2"] }));
    made.add("n2", stored({ term: 7, log: [1], voters: ["n1", "n2"] }));
    made.run(5000);
    expect([roleOf(made, "n1"), roleOf(made, "n2")]).toEqual(["leader", "follower"]);
  });

  test("the election timeout is drawn once and for all: split votes never end", () => {
    for (const seedOfOne of ["n1", "n2"]) {
      const made = new Cluster({ preVote: false, electionTimeoutMinMs: 500, electionTimeoutMaxMs: 520 });
      made.addVoters(["n1", "n2"]);
      made.timeout(seedOfOne);
      made.timeout(seedOfOne === "n1" ? "n2" : "n1");
      made.run(60_000);
      expect([...made.nodes.values()].filter(({ core }) => core.role.kind === "leader").length).toBe(1);
    }
  });
});

describe("commit", () => {
  test("an entry of an earlier term is committed by counting", () => {
    const made = new Cluster({ preVote: false });
    for (const id of three) made.add(id, stored({ term: 2, log: [1, 2], voters: three }));
    made.timeout("n1");
    made.take();
    receive(made, requestVoteResponse({ from: "n2", to: "n1", term: 3 }));
    for (const from of ["n2", "n3"]) receive(made, appendEntriesResponse({ from, to: "n1", term: 3, matchIndex: 2 }));
    expect(made.core("n1").commitIndex).toBe(0);
  });

  test("a heartbeat raises commitIndex past what matches", () => {
    const made = follower([1, 2, 2], 1);
    receive(made, appendEntries({ from: "n1", to: "n2", term: 9, prevLogIndex: 1, prevLogTerm: 1, leaderCommit: 3 }));
    expect(made.core("n2").commitIndex).toBe(1);
  });

  test("a follower acknowledges a tail that the message did not verify", () => {
    const made = follower([1, 2, 2]);
    const { messages } = receive(made, appendEntries({ from: "n1", to: "n2", term: 9, prevLogIndex: 1, prevLogTerm: 1 }));
    expect(messages).toMatchObject([{ success: true, matchIndex: 1 }]);
  });

  test("an acknowledgement of an earlier term is counted", () => {
    const made = elected();
    made.elect("n2");
    made.elect("n1");
    made.propose("n1", "a");
    made.take();
    receive(made, appendEntriesResponse({ from: "n2", to: "n1", term: 2, matchIndex: 5 }));
    expect(made.core("n1").commitIndex).toBe(4);
  });

  test("an acknowledgement of one who is no voter here is counted", () => {
    const made = elected(three, ["n4", "n5"]);
    made.propose("n1", "a");
    made.take();
    for (const from of ["n4", "n5", "n9"]) receive(made, appendEntriesResponse({ from, to: "n1", term: 2, matchIndex: 3 }));
    expect(made.core("n1").commitIndex).toBe(2);
  });

  test("a joint majority is taken over the union", () => {
    const made = elected(["n1", "n2", "n3"], ["n4", "n5"]);
    made.change("n1", ["n3", "n4", "n5"]);
    made.take();
    // n1, n4 and n5 are three of five, and one of the three old ones.
    for (const from of ["n4", "n5"]) receive(made, appendEntriesResponse({ from, to: "n1", term: 2, matchIndex: 3 }));
    expect(made.core("n1").commitIndex).toBe(2);
  });

  test("a leader counts its own entry before its disk has it", () => {
    const made = elected();
    made.node("n1").fastDisk = false;
    made.propose("n1", "a");
    made.take();
    receive(made, appendEntriesResponse({ from: "n2", to: "n1", term: 2, matchIndex: 3 }));
    expect(made.core("n1").commitIndex).toBe(2);
    made.persist("n1");
    expect(made.core("n1").commitIndex).toBe(3);
  });

  test("a stale `persisted` after truncation counts for other entries at the same index", () => {
    const made = follower([1]);
    made.node("n2").fastDisk = false;
    const first = receive(
      made,
      appendEntries({ from: "n1", to: "n2", term: 9, prevLogIndex: 1, prevLogTerm: 1, entries: [command(2, 8)] }),
    );
    receive(made, appendEntries({ from: "n3", to: "n2", term: 10, prevLogIndex: 1, prevLogTerm: 1, entries: [command(2, 10)] }));
    const { messages } = made.step("n2", { kind: "persisted", write: first.write, index: 2, term: 8 });
    expect(messages).toEqual([]);
    expect(made.core("n2").log.durableIndex).toBe(1);
  });

  test("a stale `persisted` after truncation counts though index and term are the same again", () => {
    const made = follower([1]);
    made.node("n2").fastDisk = false;
    const first = receive(
      made,
      appendEntries({ from: "n1", to: "n2", term: 9, prevLogIndex: 1, prevLogTerm: 1, entries: [command(2, 8)] }),
    );
    receive(made, appendEntries({ from: "n3", to: "n2", term: 10, prevLogIndex: 1, prevLogTerm: 1, entries: [command(2, 9)] }));
    receive(made, appendEntries({ from: "n1", to: "n2", term: 11, prevLogIndex: 1, prevLogTerm: 1, entries: [command(2, 8)] }));
    // The disk has the first 2@8, but two truncations are still to come: a crash between them loses it.
    made.step("n2", { kind: "persisted", write: first.write, index: 2, term: 8 });
    expect(made.core("n2").log.durableIndex).toBe(1);
  });

  test("a restarted node forgets what it applied and applies it again", () => {
    const made = elected();
    made.propose("n1", "a");
    made.settle();
    made.propose("n1", "b");
    made.settle();
    made.restart("n2");
    const applied: number[] = Array.from({ length: made.node("n2").applied }, (_, at) => at + 1);
    expect(applied.length).toBe(3);
    made.listener = {
      stepped: ({ node, update }) => {
        if (node.id === "n2") applied.push(...update.committed.map(({ index }) => index));
      },
      sent: () => undefined,
    };
    made.run(300);
    expect(applied).toEqual([1, 2, 3, 4]);
  });
});

describe("replication", () => {
  test("matching entries are truncated by an AppendEntries that arrives late", () => {
    const made = follower([1]);
    const first = appendEntries({ from: "n1", to: "n2", term: 9, prevLogIndex: 1, prevLogTerm: 1, entries: [command(2, 9)] });
    receive(made, first);
    receive(made, appendEntries({ from: "n1", to: "n2", term: 9, prevLogIndex: 2, prevLogTerm: 9, entries: [command(3, 9)] }));
    expect(receive(made, first).truncateFrom).toBeNull();
    expect(lastIndex(made.core("n2").log)).toBe(3);
  });

  test("a stale refusal moves nextIndex below what is known to match", () => {
    const made = elected();
    made.propose("n1", "a", "b");
    made.settle();
    receive(
      made,
      appendEntriesResponse({ from: "n2", to: "n1", term: 2, success: false, refusedIndex: 3, hintIndex: 0, hintTerm: 0 }),
    );
    const { role } = made.core("n1");
    expect(role.kind === "leader" && role.progress.get("n2")).toMatchObject({ state: "replicate", matchIndex: 4, nextIndex: 5 });
  });

  test("a hint moves nextIndex below what is known to match", () => {
    const made = elected();
    made.propose("n1", "a", "b");
    made.settle();
    made.propose("n1", "c");
    receive(
      made,
      appendEntriesResponse({ from: "n2", to: "n1", term: 2, success: false, refusedIndex: 5, hintIndex: 0, hintTerm: 0 }),
    );
    const { role } = made.core("n1");
    expect(role.kind === "leader" && role.progress.get("n2")).toMatchObject({ matchIndex: 4, nextIndex: 5 });
  });

  test("a stale acknowledgement takes back what is known to match", () => {
    const made = elected();
    made.propose("n1", "a", "b");
    made.settle();
    receive(made, appendEntriesResponse({ from: "n2", to: "n1", term: 2, matchIndex: 1 }));
    const { role } = made.core("n1");
    expect(role.kind === "leader" && role.progress.get("n2")).toMatchObject({ matchIndex: 4, nextIndex: 5 });
  });

  test("a new leader takes its own last index for everybody's matchIndex", () => {
    const made = campaigning(three);
    receive(made, requestVoteResponse({ from: "n2", to: "n1", term: 2 }));
    receive(made, appendEntriesResponse({ from: "n2", to: "n1", term: 2, matchIndex: 1 }));
    expect(made.core("n1").commitIndex).toBe(0);
  });

  test("a follower with another entry at the base of the leader's log is asked again for ever", () => {
    const made = new Cluster({ preVote: false });
    made.add("n1", stored({ term: 3, log: [1, 3, 3], voters: three, commit: 3 }));
    made.add("n2", stored({ term: 3, log: [1, 3, 3], voters: three, commit: 3 }));
    made.add("n3", stored({ term: 3, log: [1, 2, 2, 2], voters: three }));
    made.snapshot("n1", 3);
    made.elect("n1");
    expect(made.core("n3")).toMatchObject({ commitIndex: 4, log: { baseIndex: 3, baseTerm: 3 } });
  });
});
