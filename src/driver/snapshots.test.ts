/** Snapshots through the driver: when they are taken, starting from one, and a transfer that is cut in the middle. */
import { describe, expect, test } from "vitest";
import type { Message } from "../raft/types.ts";
import { commandsOf, type Host, TestCluster } from "./testing/cluster.ts";

const three = ["n1", "n2", "n3"];

async function proposeMany(made: TestCluster, host: Host, count: number, bytes = 4): Promise<void> {
  for (let at = 0; at < count; at++) await made.propose(host, `${at}`.padStart(bytes, "x"));
}

describe("the policy", () => {
  test("every so many entries, on each node by itself, and the log goes but for what is kept", async () => {
    const made = new TestCluster({ snapshotEveryEntries: 10, keptEntries: 4 });
    const leader = await made.begin(three);
    await proposeMany(made, leader, 40);
    await made.caughtUp();
    await made.run(200);
    for (const { raft } of made.hosts.values()) {
      const { snapshotIndex, lastApplied, firstLogIndex } = raft.metrics();
      expect(lastApplied - snapshotIndex).toBeLessThan(10);
      expect(firstLogIndex).toBe(snapshotIndex - 4 + 1);
    }
  });

  test("every so many bytes", async () => {
    const made = new TestCluster({ snapshotEveryBytes: 1000 });
    const leader = await made.begin(["n1"]);
    await proposeMany(made, leader, 5, 100);
    expect(leader.raft.metrics().snapshotIndex).toBe(0);
    await proposeMany(made, leader, 10, 100);
    await made.run(100);
    expect(leader.raft.metrics().snapshotIndex).toBeGreaterThan(0);
  });

  test("never", async () => {
    const made = new TestCluster({ snapshotEveryEntries: 0, snapshotEveryBytes: 0 });
    const leader = await made.begin(["n1"]);
    await proposeMany(made, leader, 100, 100);
    expect(leader.raft.metrics()).toMatchObject({ snapshotIndex: 0, firstLogIndex: 1 });
  });
});

describe("restart", () => {
  test("a node begins with its snapshot, then what follows in its log", async () => {
    const made = new TestCluster({ snapshotEveryEntries: 10 });
    const leader = await made.begin(three);
    await proposeMany(made, leader, 25);
    await made.run(500);
    const before = commandsOf(leader);
    for (const id of three) made.crash(id);
    const back = await made.restart("n1");
    expect(back.raft.metrics().snapshotIndex).toBeGreaterThan(10);
    expect(commandsOf(back)).toEqual(before);
    await made.restart("n2");
    await made.until(() => made.leaderOrNull() !== null);
    expect(await made.propose(back, "after")).toMatchObject({ response: { position: 26 } });
  });
});

describe("an install that is cut in the middle", () => {
  /** A follower that was away while the others went on for so long that it needs their snapshot. */
  async function lagging(): Promise<{ readonly made: TestCluster; readonly leader: Host; readonly late: Host }> {
    const made = new TestCluster({ snapshotEveryEntries: 30, snapshotChunkBytes: 1024, maxInflightBytes: 8 * 1024 });
    const leader = await made.begin(three);
    const [late] = made.followers();
    if (!late) throw new Error("there is a follower");
    made.isolate(late.id);
    await proposeMany(made, leader, 60, 2000);
    return { made, leader, late };
  }

  function bytesOf(message: Message, to: Host): number {
    return message.kind === "installSnapshot" && message.to === to.id ? message.data.byteLength : 0;
  }

  test.each([1, 3])(
    "goes on where it stopped, cut %i times on the way to the middle: under 60 % of the bytes are sent again after one cut",
    async (cuts) => {
      const { made, leader, late } = await lagging();
      let sent = 0;
      let size = 0;
      made.lose = (message) => {
        sent += bytesOf(message, late);
        if (message.kind === "installSnapshot" && message.to === late.id) size = message.snapshot.size;
        return false;
      };
      made.network.heal();
      for (let cut = 1; cut <= cuts; cut++) {
        // In the middle, or at equal distances up to there.
        await made.until(() => size > 0 && sent >= (size / 2) * (cut / cuts));
        made.isolate(late.id);
        await made.run(400);
        if (cut < cuts) made.network.heal();
      }
      expect(size).toBeGreaterThan(40_000);
      sent = 0;
      made.network.heal();
      await made.until(() => late.raft.metrics().snapshotIndex > 0);
      expect(sent).toBeLessThan((cuts === 1 ? 0.6 : 0.85) * size);
      expect(sent).toBeGreaterThan(0.3 * size);
      await made.caughtUp();
      expect(commandsOf(late)).toEqual(commandsOf(leader));
    },
  );

  test("is not taken for the end of the leader: heartbeats pass between the chunks", async () => {
    const { made, leader, late } = await lagging();
    const { currentTerm } = leader.raft.metrics();
    made.network.heal();
    await made.caughtUp();
    expect(made.leader()).toBe(leader);
    expect(leader.raft.metrics().currentTerm).toBe(currentTerm);
    expect(late.raft.metrics().snapshotIndex).toBeGreaterThan(0);
  });
});

test("a snapshot beyond maxSnapshotBytes is refused where everybody can see it, and counted", async () => {
  const made = new TestCluster({ snapshotEveryEntries: 10, maxSnapshotBytes: 64 });
  const leader = await made.begin(three);
  const [follower] = made.followers();
  made.isolate(follower?.id ?? "");
  await proposeMany(made, leader, 40, 50);
  await made.until(() => leader.raft.metrics().firstLogIndex > 20);
  made.network.heal();
  await made.until(() => (follower?.raft.metrics().refusedSnapshot?.refusals ?? 0) >= 3);
  const refused = follower?.raft.metrics().refusedSnapshot;
  expect(refused?.bytes).toBeGreaterThan(64);
  expect(follower?.metrics.some(({ refusedSnapshot }) => refusedSnapshot?.refusals === 1)).toBe(true);
  expect(follower?.raft.metrics().stopped).toBeNull();
  expect(leader.raft.metrics().refusedSnapshot).toBeNull();
});
