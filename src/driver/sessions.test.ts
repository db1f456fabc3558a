/** Exactly once (diss. §6.3): a command that stands in the log twice is applied once, whoever asks again and whatever was restored. */
import { describe, expect, test } from "vitest";
import { crc32c, createConfiguration } from "../raft/mod.ts";
import type { Entry, LogIndex, Snapshot } from "../raft/types.ts";
import { HashChain } from "../simulator/machine.ts";
import { Applier, sessionExpired } from "./applier.ts";
import { ByteWriter } from "./bytes.ts";
import { FrameReader } from "./framing.ts";
import { commandsOf, TestCluster } from "./testing/cluster.ts";

const three = ["n1", "n2", "n3"];
const day = 24 * 3600 * 1000;
const encoder = new TextEncoder();

// ---- entries, byte by byte ----

function entry(index: LogIndex, command: Uint8Array): Entry {
  return { kind: "command", index, term: 1, command };
}

function register(index: LogIndex, stamp: number, maxSessions = 100, expiryMs = 7 * day): Entry {
  return entry(index, new ByteWriter().integer(2).integer(stamp).integer(maxSessions).integer(expiryMs).finish());
}

function inSession(index: LogIndex, session: LogIndex, serial: number, stamp: number, text: string, openFrom = 1): Entry {
  const bytes = new ByteWriter()
    .integer(1)
    .integer(session)
    .integer(serial)
    .integer(openFrom)
    .integer(stamp)
    .rest(encoder.encode(text));
  return entry(index, bytes.finish());
}

function replica(): { readonly machine: HashChain; readonly applier: Applier<string, unknown, string> } {
  const machine = new HashChain();
  return { machine, applier: new Applier(machine) };
}

function applied(machine: HashChain): readonly string[] {
  return machine.commands.map(({ command }) => command);
}

function snapshotOf(applier: Applier<string, unknown, string>, index: LogIndex): Snapshot {
  const data = applier.snapshot();
  return {
    index,
    term: 1,
    configuration: createConfiguration(["a"]),
    configurationIndex: 1,
    size: data.length,
    checksum: crc32c(data),
    data,
  };
}

describe("the session table", () => {
  test("a repeated command is answered as before and not applied again, in one batch and in two", () => {
    const { machine, applier } = replica();
    applier.apply([register(1, 0), inSession(2, 1, 1, 0, "a"), inSession(3, 1, 1, 0, "a")]);
    applier.apply([inSession(4, 1, 1, 0, "a")]);
    expect(applied(machine)).toEqual(["a"]);
    expect([3, 4].map((index) => applier.responseAt(index))).toEqual([applier.responseAt(2), applier.responseAt(2)]);
  });

  test("commands overtake one another within a session, and each is applied once", () => {
    const { machine, applier } = replica();
    applier.apply([register(1, 0), inSession(2, 1, 3, 0, "c"), inSession(3, 1, 1, 0, "a"), inSession(4, 1, 2, 0, "b")]);
    applier.apply([inSession(5, 1, 2, 0, "b"), inSession(6, 1, 1, 0, "a"), inSession(7, 1, 3, 0, "c")]);
    expect(applied(machine)).toEqual(["c", "a", "b"]);
  });

  test("a command whose answer was received long ago is refused, not applied again", () => {
    const { machine, applier } = replica();
    applier.apply([register(1, 0), inSession(2, 1, 1, 0, "a"), inSession(3, 1, 2, 0, "b", 2), inSession(4, 1, 1, 0, "a")]);
    expect(applied(machine)).toEqual(["a", "b"]);
    expect(applier.responseAt(4)).toBe(sessionExpired);
  });

  test("what the client still waits for is kept, though later commands were answered", () => {
    const { machine, applier } = replica();
    applier.apply([register(1, 0), inSession(2, 1, 1, 0, "a"), inSession(3, 1, 2, 0, "b"), inSession(4, 1, 3, 0, "c")]);
    applier.apply([inSession(5, 1, 5, 0, "e", 2), inSession(6, 1, 3, 0, "c", 2)]);
    expect(applied(machine)).toEqual(["a", "b", "c", "e"]);
    expect(applier.responseAt(6)).toEqual(applier.responseAt(4));
  });

  test("a command of an unknown session is refused, never taken for a new one", () => {
    const { machine, applier } = replica();
    applier.apply([inSession(1, 77, 1, 0, "a")]);
    expect(applied(machine)).toEqual([]);
    expect(applier.responseAt(1)).toBe(sessionExpired);
  });

  test("a session table missing from the snapshot: what was applied before it is applied again", () => {
    const before = replica();
    before.applier.apply([register(1, 0), inSession(2, 1, 1, 0, "a"), inSession(3, 1, 2, 0, "b")]);
    const after = replica();
    after.applier.restore(snapshotOf(before.applier, 3));
    for (const { applier } of [before, after]) applier.apply([inSession(4, 1, 2, 0, "b"), inSession(5, 1, 3, 0, "c")]);
    expect(applied(after.machine)).toEqual(["a", "b", "c"]);
    expect(after.applier.responseAt(4)).toEqual(before.applier.responseAt(3));
    expect(after.applier.snapshot()).toEqual(before.applier.snapshot());
  });

  test("replicas that applied the same in other batches have equal snapshots", () => {
    const entries = [
      register(1, 5),
      register(2, 6),
      ...Array.from({ length: 60 }, (_, at) => inSession(3 + at, 1 + (at % 2), 1 + (at >> 1), 7 + at, `c${at}`, 1 + (at >> 3))),
    ];
    const images = [1, 7, 100].map((size) => {
      const { applier } = replica();
      for (let at = 0; at < entries.length; at += size) applier.apply(entries.slice(at, at + size));
      return applier.snapshot();
    });
    expect(images[1]).toEqual(images[0]);
    expect(images[2]).toEqual(images[0]);
  });

  test("the least recently used ends when there are too many", () => {
    const { machine, applier } = replica();
    applier.apply([register(1, 0, 2), register(2, 0, 2), inSession(3, 1, 1, 0, "a"), register(4, 0, 2)]);
    applier.apply([inSession(5, 2, 1, 0, "of 2"), inSession(6, 1, 2, 0, "of 1"), inSession(7, 4, 1, 0, "of 4")]);
    expect(applied(machine)).toEqual(["a", "of 1", "of 4"]);
  });

  test("an unused session ends after its time in the log, and one that is used does not", () => {
    const { machine, applier } = replica();
    applier.apply([register(1, 0), register(2, 0)]);
    // Log time follows the stamps by at most a minute an entry.
    let index = 2;
    for (let time = 60_000; time <= 7 * day + 60_000; time += 60_000)
      applier.apply([inSession(++index, 1, index, time, "tick", index)]);
    applier.apply([inSession(++index, 2, 1, 0, "late"), inSession(++index, 1, index, 0, "in use", index)]);
    expect(applied(machine)).not.toContain("late");
    expect(applied(machine)).toContain("in use");
  });

  test("one device with a wrong clock ends nobody's session", () => {
    const { machine, applier } = replica();
    applier.apply([
      register(1, 1000),
      inSession(2, 1, 1, 1000 + 400 * day, "from the future"),
      inSession(3, 1, 2, 1000, "still here"),
    ]);
    expect(applied(machine)).toEqual(["from the future", "still here"]);
  });

  test.each([
    ["nothing", []],
    ["an unknown kind", [9, 1, 2]],
    ["a session command that breaks off", [1, 5]],
    ["an endless integer", [1, 255, 255, 255, 255, 255, 255, 255, 255, 255]],
    ["a registration that allows none", [2, 0, 0, 0]],
  ])("%s is no command, on every replica alike", (_, bytes) => {
    expect(new FrameReader().read(Uint8Array.from(bytes))).toBe("unknown");
    const { machine, applier } = replica();
    applier.apply([entry(1, Uint8Array.from(bytes))]);
    expect(applied(machine)).toEqual([]);
    expect(applier.lastApplied).toBe(1);
  });
});

describe("across the cluster", () => {
  test("a command whose answer is lost with its leader is asked again and applied once", async () => {
    const made = new TestCluster();
    const leader = await made.begin(three);
    const [follower] = made.followers();
    if (!follower) throw new Error("there is a follower");
    await made.propose(follower, "first");
    // It is replicated and committed, but the asker never hears where it stands.
    made.lose = ({ kind }) => kind === "proposeResponse";
    const outcome = made.settle(follower.raft.propose("once"));
    await made.until(() => commandsOf(leader).includes("once"));
    made.crash(leader.id);
    made.lose = () => false;
    expect((await outcome).response).toMatchObject({ position: 2 });
    await made.caughtUp();
    for (const host of [follower, ...made.followers()]) expect(commandsOf(host)).toEqual(["first", "once"]);
  });

  test("a retry that meets a replica which was restored from a snapshot is applied once", async () => {
    const made = new TestCluster({ snapshotEveryEntries: 3 });
    const leader = await made.begin(three);
    const [asker, late] = made.followers();
    if (!asker || !late) throw new Error("there are two followers");
    made.crash(late.id);
    await made.propose(asker, "first");
    made.lose = ({ kind }) => kind === "proposeResponse";
    const outcome = made.settle(asker.raft.propose("once"));
    await made.until(() => commandsOf(leader).includes("once"));
    for (let more = 0; more < 5; more++) await made.propose(leader, `more ${more}`);
    await made.until(() => leader.raft.metrics().snapshotIndex >= 8);
    const back = await made.restart(late.id);
    await made.caughtUp();
    expect(back.raft.metrics().snapshotIndex).toBeGreaterThan(3);
    made.crash(leader.id);
    made.lose = () => false;
    await outcome;
    await made.caughtUp();
    for (const host of [asker, back]) expect(commandsOf(host).filter((command) => command === "once")).toEqual(["once"]);
  });

  test("SessionExpired: other sessions took its place; the next command begins a new one", async () => {
    const made = new TestCluster({ maxSessions: 1 });
    const leader = await made.begin(three);
    const [other] = made.followers();
    if (!other) throw new Error("there is a follower");
    await made.propose(leader, "in the first session");
    await made.propose(other, "in the second");
    const error = await made.failure(leader.raft.propose("in the first again"));
    expect(error).toMatchObject({ name: "SessionExpired", mayHaveApplied: false });
    expect(commandsOf(leader)).toEqual(["in the first session", "in the second"]);
    expect(await made.propose(leader, "in a third")).toMatchObject({ response: { position: 3 } });
  });

  test("a command that changes nothing twice needs no session", async () => {
    const made = new TestCluster();
    const leader = await made.begin(three);
    const before = leader.raft.metrics().lastLogIndex;
    await made.settle(leader.raft.propose("a", { idempotent: true }));
    expect(leader.raft.metrics().lastLogIndex).toBe(before + 1);
  });
});
