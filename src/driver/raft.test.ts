/** The life of a node: start, metrics, watching, storage failure, shutdown, restart. */
import { describe, expect, test } from "vitest";
import { StorageFailed } from "./interfaces.ts";
import { commandsOf, TestCluster } from "./testing/cluster.ts";

const three = ["n1", "n2", "n3"];

describe("start", () => {
  test("a pristine node is a learner that campaigns never", async () => {
    const made = new TestCluster();
    const host = made.add("n1");
    expect(host.raft.metricsOrNull()).toBeNull();
    expect(() => host.raft.metrics()).toThrow(/shut down|stopped/);
    await made.start(host);
    await made.run(10_000);
    expect(host.raft.metrics()).toMatchObject({ state: "learner", currentTerm: 0, currentLeader: null, lastLogIndex: 0 });
  });

  test("a cluster of one leads at once", async () => {
    const made = new TestCluster();
    const leader = await made.begin(["n1"]);
    expect(leader.raft.metrics()).toMatchObject({ state: "leader", currentTerm: 2, membershipConfig: { voters: ["n1"] } });
    expect(made.world.now()).toBeLessThan(100);
  });

  test("a damaged disk: it does not start, and says why", async () => {
    const made = new TestCluster();
    const host = made.add("n1");
    host.disk.load = (done) => made.world.soon(() => done(new StorageFailed("damaged", "a record fails its checksum")));
    let failure: Error | null = null;
    host.raft.start((why) => {
      failure = why;
    });
    await made.until(() => failure !== null);
    expect(failure).toMatchObject({ name: "StorageFailed", kind: "damaged" });
    expect(await made.failure(host.raft.propose("a"))).toMatchObject({ name: "Stopped", mayHaveApplied: false });
  });
});

describe("metrics and watching", () => {
  test("onMetrics tells each change of state, term, leader and membership at once, and the rest at its rate", async () => {
    const made = new TestCluster({ metricsRateMs: 1000 });
    const leader = await made.begin(three);
    const [follower] = made.followers();
    if (!follower) throw new Error("there is a follower");
    expect(leader.metrics.map(({ state }) => state)).toContain("leader");
    expect(follower.metrics.some(({ currentLeader }) => currentLeader === leader.id)).toBe(true);
    const before = follower.metrics.length;
    await made.run(10_000);
    expect(follower.metrics.length - before).toBeGreaterThanOrEqual(9);
    expect(follower.metrics.length - before).toBeLessThanOrEqual(11);
    made.crash(leader.id);
    await made.until(() => follower.metrics.at(-1)?.currentLeader !== leader.id);
  });

  test("a listener that was ended hears nothing more", async () => {
    const made = new TestCluster({ metricsRateMs: 100 });
    const leader = await made.begin(["n1"]);
    let heard = 0;
    const end = leader.raft.onMetrics(() => heard++);
    await made.run(350);
    end();
    const before = heard;
    await made.run(1000);
    expect([before, heard]).toEqual([3, 3]);
  });

  test("a leader tells how far each member follows", async () => {
    const made = new TestCluster();
    const leader = await made.begin(three);
    const { index } = await made.propose(leader, "a");
    await made.run(200);
    const { replication, leaderContactMs } = leader.raft.metrics();
    expect(replication.map(({ matchIndex }) => matchIndex)).toEqual([index, index]);
    expect(replication.every(({ lastContactMs }) => lastContactMs <= 110)).toBe(true);
    expect(leaderContactMs).toBe(0);
    expect(made.followers().every(({ raft }) => (raft.metrics().leaderContactMs ?? 1000) <= 110)).toBe(true);
  });

  test("waitFor resolves with the first record that fits, at once if the present one does; it rejects if the node stops", async () => {
    const made = new TestCluster();
    const leader = await made.begin(three);
    expect(await made.settle(leader.raft.waitFor(({ state }) => state === "leader"))).toMatchObject({ id: leader.id });
    const deposed = leader.raft.waitFor(({ state }) => state === "follower");
    await made.settle(leader.raft.transferLeadership());
    expect(await made.settle(deposed)).toMatchObject({ state: "follower" });
    const never = made.failure(leader.raft.waitFor(({ currentTerm }) => currentTerm > 999));
    leader.raft.stop(new Error("enough"));
    expect(await never).toMatchObject({ name: "Stopped" });
  });

  test("subscribe tells what is in the log already, then each applied command, once and in order", async () => {
    const made = new TestCluster();
    const leader = await made.begin(three);
    await made.propose(leader, "a");
    const { index } = await made.propose(leader, "b");
    const heard: string[] = [];
    const end = leader.raft.subscribe(index, (applied) => heard.push(...applied.map(({ command }) => command)));
    expect(heard).toEqual(["b"]);
    await made.propose(leader, "c");
    expect(heard).toEqual(["b", "c"]);
    end();
    await made.propose(leader, "d");
    expect(heard).toEqual(["b", "c"]);
  });

  test("whoever subscribes is told when a snapshot took the place of everything", async () => {
    const made = new TestCluster({ snapshotEveryEntries: 5 });
    const leader = await made.begin(three);
    const [follower] = made.followers();
    if (!follower) throw new Error("there is a follower");
    let restored = 0;
    follower.raft.subscribe(
      1,
      () => undefined,
      () => restored++,
    );
    made.isolate(follower.id);
    for (let count = 0; count < 12; count++) await made.propose(leader, `c${count}`);
    made.network.heal();
    await made.caughtUp();
    expect(restored).toBe(1);
    expect(commandsOf(follower)).toEqual(commandsOf(leader));
  });
});

describe("the commit index", () => {
  test("is stored after a quiet moment, so that a node which starts alone shows what it knew", async () => {
    const made = new TestCluster();
    const leader = await made.begin(three);
    const { index } = await made.propose(leader, "a");
    expect(leader.disk.commitIndex).toBeLessThan(index);
    await made.run(400);
    expect(leader.disk.commitIndex).toBe(index);
    for (const id of three) made.crash(id);
    const back = await made.restart(leader.id);
    expect(commandsOf(back)).toEqual(["a"]);
  });
});

describe("storage failure", () => {
  test("stops the node with a typed reason and a last record; what waits is rejected; the others go on", async () => {
    const made = new TestCluster();
    const leader = await made.begin(three);
    await made.propose(leader, "before");
    leader.disk.fail();
    const error = await made.failure(leader.raft.propose("a"));
    expect(error).toMatchObject({ name: "Stopped", mayHaveApplied: true, cause: { name: "StorageFailed", kind: "full" } });
    expect(leader.metrics.at(-1)?.stopped).toMatchObject({ name: "StorageFailed" });
    const told = leader.metrics.length;
    made.crash(leader.id);
    await made.until(() => made.leaderOrNull() !== null);
    expect(leader.metrics.length).toBe(told);
    expect(await made.propose(made.leader(), "b")).toMatchObject({ response: { position: expect.any(Number) } });
  });

  test("nothing is acknowledged that its disk has not got", async () => {
    const made = new TestCluster();
    const leader = await made.begin(three);
    const [follower] = made.followers();
    if (!follower) throw new Error("there is a follower");
    follower.disk.fail();
    await made.propose(leader, "a");
    await made.run(500);
    const known = leader.raft.metrics().replication.find(({ id }) => id === follower.id);
    expect(known?.matchIndex).toBeLessThan(leader.raft.metrics().commitIndex);
    expect(follower.raft.metrics().stopped).toMatchObject({ name: "StorageFailed" });
  });
});

describe("shutdown", () => {
  test("a leader hands its office over first: no election timeout passes", async () => {
    const made = new TestCluster();
    const leader = await made.begin(three);
    await made.propose(leader, "a");
    const before = made.world.now();
    await made.settle(leader.raft.shutdown());
    leader.alive = false;
    await made.until(() => made.leaderOrNull() !== null);
    expect(made.world.now() - before).toBeLessThan(100);
    expect(leader.metrics.at(-1)?.stopped).toMatchObject({ name: "Stopped" });
    expect(await made.propose(made.leader(), "b")).toMatchObject({ response: { position: 2 } });
  });

  test("alone, or as a follower, it just ends; what is asked afterwards is refused", async () => {
    const made = new TestCluster();
    const leader = await made.begin(["n1"]);
    await made.settle(leader.raft.shutdown());
    expect(await made.failure(leader.raft.propose("a"))).toMatchObject({ name: "Stopped", mayHaveApplied: false });
    expect(await made.failure(leader.raft.read())).toMatchObject({ name: "Stopped" });
    const told = leader.metrics.length;
    await made.run(20_000);
    expect(leader.metrics.length).toBe(told);
  });
});

describe("a majority that is gone for good", () => {
  const generationId = "c".repeat(32);

  test("a person continues without it: what waited is committed in the new generation, and nothing else was lost", async () => {
    const made = new TestCluster();
    const leader = await made.begin(three);
    await made.settle(leader.raft.propose("a"));
    for (const { id } of made.followers()) made.crash(id);
    await made.until(() => leader.raft.metrics().currentLeader === null);
    const before = leader.raft.metrics();
    await made.settle(leader.raft.continueWithoutOthers(generationId));
    await made.settle(leader.raft.propose("b"));
    expect(leader.raft.metrics()).toMatchObject({
      state: "leader",
      generation: { number: 2, id: generationId, parentId: before.generation?.id, forkIndex: before.commitIndex },
      membershipConfig: { voters: [leader.id], votersOld: [], learners: [] },
    });
    expect(leader.raft.metrics().currentTerm).toBeGreaterThan(before.currentTerm);
  });

  test("is not given up while it answers", async () => {
    const made = new TestCluster();
    const leader = await made.begin(three);
    expect(await made.failure(leader.raft.continueWithoutOthers(generationId))).toMatchObject({
      name: "NotContinued",
      reason: "leaderHeard",
    });
  });
});
