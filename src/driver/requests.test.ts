/** What a caller meets: each outcome of a proposal or a read, and what it promises. */
import { describe, expect, test } from "vitest";
import { commandsOf, TestCluster, TestSignal } from "./testing/cluster.ts";

const three = ["n1", "n2", "n3"];

describe("propose", () => {
  test("resolves with the response, once it is applied here, from the leader and from a follower", async () => {
    const made = new TestCluster();
    const leader = await made.begin(three);
    let position = 0;
    for (const host of [leader, ...made.followers()]) {
      const { index, term, response } = await made.propose(host, `at ${host.id}`);
      expect(response).toMatchObject({ position: ++position });
      expect(host.raft.metrics().lastApplied).toBeGreaterThanOrEqual(index);
      expect(term).toBe(leader.raft.metrics().currentTerm);
    }
  });

  test("with `committed` it resolves without a response", async () => {
    const made = new TestCluster();
    const leader = await made.begin(three);
    expect(await made.settle(leader.raft.propose("a", { response: "committed" }))).toMatchObject({ response: null });
  });

  test("commands of one turn keep their order, and each has its own response", async () => {
    const made = new TestCluster();
    await made.begin(three);
    const [follower] = made.followers();
    const names = Array.from({ length: 200 }, (_, at) => `c${at}`);
    const outcomes = await made.settle(Promise.all(names.map((name) => follower?.raft.propose(name))));
    expect(outcomes.map((outcome) => outcome?.response?.position)).toEqual(names.map((_, at) => at + 1));
    await made.caughtUp();
    for (const host of made.hosts.values()) expect(commandsOf(host)).toEqual(names);
  });

  test("CommandRejected: the state machine's own no, and nothing is sent", async () => {
    const made = new TestCluster();
    const leader = await made.begin(three);
    const { lastLogIndex } = leader.raft.metrics();
    expect(await made.failure(leader.raft.propose(""))).toMatchObject({ name: "CommandRejected", error: "a command has a name" });
    expect(leader.raft.metrics().lastLogIndex).toBe(lastLogIndex);
  });

  test("TooLarge: names the limit; a command at the limit passes", async () => {
    const made = new TestCluster({ maxCommandBytes: 100 });
    const leader = await made.begin(three);
    expect(await made.failure(leader.raft.propose("x".repeat(101)))).toMatchObject({ name: "TooLarge", bytes: 101, limit: 100 });
    expect(await made.propose(leader, "x".repeat(100))).toMatchObject({ response: { position: 1 } });
  });

  test("Overloaded: more than 10,000 at a time; there is room again when they are done", async () => {
    const made = new TestCluster();
    const leader = await made.begin(three);
    const outcomes: (Error | null)[] = [];
    for (let count = 0; count < 10_001; count++)
      leader.raft.proposeThen("x", { timeoutMs: 60_000 }, (outcome) => outcomes.push(outcome instanceof Error ? outcome : null));
    expect(outcomes).toMatchObject([{ name: "Overloaded" }]);
    await made.until(() => outcomes.length === 10_001);
    expect(outcomes.filter((outcome) => outcome !== null).length).toBe(1);
    expect(await made.propose(leader, "y")).toMatchObject({ response: { position: 10_001 } });
  });

  test("NoQuorum: no leader was found in time, so surely nothing was applied", async () => {
    const made = new TestCluster();
    await made.begin(three);
    made.crash("n1");
    made.crash("n2");
    await made.run(5000);
    const { raft } = made.host("n3");
    expect(await made.failure(raft.propose("never", { timeoutMs: 1000 }))).toMatchObject({ name: "NoQuorum" });
    await made.restart("n1");
    await made.until(() => made.leaderOrNull() !== null);
    await made.run(1000);
    for (const id of ["n1", "n3"]) expect(commandsOf(made.host(id))).not.toContain("never");
  });

  test("Timeout with mayHaveApplied: it stands in a log, nobody knows what becomes of it", async () => {
    const made = new TestCluster({ checkQuorum: false });
    const leader = await made.begin(three);
    await made.propose(leader, "before");
    made.isolate(leader.id);
    expect(await made.failure(leader.raft.propose("doubtful", { timeoutMs: 300 }))).toMatchObject({
      name: "Timeout",
      mayHaveApplied: true,
    });
    made.network.heal();
    await made.run(1000);
    // Here it was applied after all: the word was right to doubt.
    expect(commandsOf(leader)).toEqual(["before", "doubtful"]);
  });

  test("Aborted before it was asked: definitely not applied", async () => {
    const made = new TestCluster();
    const leader = await made.begin(three);
    const pulled = new TestSignal();
    pulled.abort();
    expect(await made.failure(leader.raft.propose("a", { signal: pulled }))).toMatchObject({
      name: "Aborted",
      mayHaveApplied: false,
    });
    await made.run(500);
    expect(commandsOf(leader)).toEqual([]);
  });

  test("Aborted while it waits for a leader: definitely not applied", async () => {
    const made = new TestCluster();
    await made.begin(three);
    made.crash("n1");
    made.crash("n2");
    await made.run(5000);
    const signal = new TestSignal();
    const failed = made.failure(made.host("n3").raft.propose("a", { signal }));
    signal.abort();
    expect(await failed).toMatchObject({ name: "Aborted", mayHaveApplied: false });
    expect(signal.listeners.size).toBe(0);
  });

  test("Aborted after it stands in a log: it may have been applied, and here it is", async () => {
    const made = new TestCluster();
    const leader = await made.begin(three);
    await made.propose(leader, "before");
    const signal = new TestSignal();
    const failed = made.failure(leader.raft.propose("a", { signal }));
    await made.until(() => leader.raft.metrics().lastLogIndex > leader.raft.metrics().commitIndex);
    signal.abort();
    expect(await failed).toMatchObject({ name: "Aborted", mayHaveApplied: true });
    await made.run(500);
    expect(commandsOf(leader)).toEqual(["before", "a"]);
  });

  test("a signal is let go once the outcome is known", async () => {
    const made = new TestCluster();
    const leader = await made.begin(three);
    const signal = new TestSignal();
    await made.settle(leader.raft.propose("a", { signal }));
    expect(signal.listeners.size).toBe(0);
    expect(leader.raft.metrics().pending).toBe(0);
  });
});

describe("ifTerm", () => {
  test("in this term it is applied", async () => {
    const made = new TestCluster();
    const leader = await made.begin(three);
    const { currentTerm } = leader.raft.metrics();
    expect(await made.settle(leader.raft.propose("a", { ifTerm: currentTerm }))).toMatchObject({ term: currentTerm });
  });

  test("in another it is refused with NotLeader and handed back, and is not tried again", async () => {
    const made = new TestCluster();
    const leader = await made.begin(three);
    const { currentTerm } = leader.raft.metrics();
    const error = await made.failure(leader.raft.propose("a", { ifTerm: currentTerm - 1 }));
    expect(error).toMatchObject({ name: "NotLeader", leader: leader.id, command: "a" });
    await made.run(1000);
    expect(commandsOf(leader)).toEqual([]);
  });
});

describe("read", () => {
  test.each([0, 1, 2])("node %i has applied whatever was acknowledged before", async (which) => {
    const made = new TestCluster();
    const leader = await made.begin(three);
    const reader = [leader, ...made.followers()][which] ?? leader;
    const { index } = await made.propose(leader, "a");
    await made.settle(reader.raft.read());
    expect(reader.raft.metrics().lastApplied).toBeGreaterThanOrEqual(index);
    expect(commandsOf(reader)).toEqual(["a"]);
  });

  test("without a quorum it is not answered", async () => {
    const made = new TestCluster();
    const leader = await made.begin(three);
    made.isolate(leader.id);
    const error = await made.failure(leader.raft.read({ timeoutMs: 3000 }));
    expect(["NoQuorum", "Timeout"]).toContain(error.name);
  });

  test("is asked again after its leader is lost", async () => {
    const made = new TestCluster();
    const leader = await made.begin(three);
    const [follower] = made.followers();
    if (!follower) throw new Error("there is a follower");
    made.crash(leader.id);
    const { index } = await made.settle(follower.raft.read());
    expect(index).toBeGreaterThan(2);
  });
});

describe("the cluster's own requests", () => {
  test("a change is refused with its reason", async () => {
    const made = new TestCluster();
    const leader = await made.begin(three);
    const [follower] = made.followers();
    const change = { voters: three, learners: [], expectedConfigIndex: null };
    expect(await made.failure(leader.raft.proposeConfigChange(change))).toMatchObject({
      name: "ConfigChangeRefused",
      reason: "noChange",
    });
    const moved = { voters: ["n1"], learners: [], expectedConfigIndex: 77 };
    expect(await made.failure(leader.raft.proposeConfigChange(moved))).toMatchObject({ reason: "configurationMoved" });
    const none = { voters: [], learners: [], expectedConfigIndex: null };
    expect(await made.failure(leader.raft.proposeConfigChange(none))).toMatchObject({ reason: "noVoters" });
    expect(await made.failure(follower?.raft.proposeConfigChange(change) ?? Promise.resolve())).toMatchObject({
      name: "NotLeader",
      leader: leader.id,
    });
  });

  test("NotPristine: a node with a history starts no cluster", async () => {
    const made = new TestCluster();
    const leader = await made.begin(three);
    const { generation } = leader.raft.metrics();
    if (!generation) throw new Error("it has one");
    expect(await made.failure(leader.raft.initWithConfig({ voters: three, generation }))).toMatchObject({ name: "NotPristine" });
  });

  test("leadership goes where it is sent; who cannot take it is refused", async () => {
    const made = new TestCluster();
    const leader = await made.begin(three);
    const [target] = made.followers();
    await made.settle(leader.raft.transferLeadership(target?.id));
    await made.until(() => made.leaderOrNull() === target);
    expect(await made.failure(leader.raft.transferLeadership())).toMatchObject({ name: "NotLeader" });
    expect(await made.failure(target?.raft.transferLeadership("n9") ?? Promise.resolve())).toMatchObject({
      name: "TransferFailed",
      reason: "noTarget",
    });
  });
});
