/** What is traced can be replayed, step for step, and a trace that was tampered with is known as such. */
import { describe, expect, test } from "vitest";
import { formatState } from "../raft/format.ts";
import type { RaftState } from "../raft/mod.ts";
import type { Event } from "../raft/types.ts";
import { Replay } from "./replay.ts";
import { TestCluster } from "./testing/cluster.ts";
import { TraceRing } from "./trace.ts";
import { BadTrace, readTrace, writeTrace } from "./trace-codec.ts";

const about = { names: { n1: "Ada" }, wallTimeAtZero: 5 };

/** Three nodes with an election, commands, a snapshot and a lost leader; the trace of each. */
async function traced(steps: number) {
  const cluster = new TestCluster({ snapshotEveryEntries: 10, keptEntries: 2 });
  const rings = new Map<string, TraceRing>();
  const events = new Map<string, Event[]>();
  cluster.onStep = (id, event) => {
    const ring = rings.get(id) ?? new TraceRing({ steps, bytes: 1_000_000 });
    rings.set(id, ring);
    const { core } = cluster.host(id).raft;
    if (core) ring.record(event, core);
    events.set(id, [...(events.get(id) ?? []), event]);
  };
  const first = await cluster.begin(["n1", "n2", "n3"]);
  for (let at = 0; at < 25; at++) await cluster.propose(cluster.leader(), `command ${at}`);
  cluster.isolate(first.id);
  await cluster.until(() => cluster.leaderOrNull() !== first && cluster.leaderOrNull() !== null);
  return { cluster, rings, events };
}

function coreOf(cluster: TestCluster, id: string): Readonly<RaftState> {
  const { core } = cluster.host(id).raft;
  if (!core) throw new Error("the node has not started");
  return core;
}

describe("a trace", () => {
  test.each([40, 100_000])(
    "of every node leads to the core as it is, through text and back (a segment each %i steps)",
    async (steps) => {
      const { cluster, rings } = await traced(steps);
      for (const [id, ring] of rings) {
        const segment = ring.segment();
        if (!segment) throw new Error("nothing was traced");
        if (steps === 40) expect(segment.events.length).toBeLessThan(80);
        const file = readTrace(writeTrace(segment, coreOf(cluster, id), about));
        const replay = new Replay(file);
        const { turningPoints, endsAsWritten } = replay.run();
        expect(endsAsWritten).toBe(true);
        expect(file.end).toBe(formatState(coreOf(cluster, id)));
        if (steps > 40) expect(turningPoints.length).toBeGreaterThan(1);
        expect(file.names).toEqual({ n1: "Ada" });
      }
    },
  );

  test("can be stepped through forth and back, and a moment is the same from either side", async () => {
    const { cluster, rings } = await traced(100_000);
    const segment = rings.get("n1")?.segment();
    if (!segment) throw new Error("nothing was traced");
    const replay = new Replay(readTrace(writeTrace(segment, coreOf(cluster, "n1"), about)));
    const forth = Array.from({ length: replay.steps + 1 }, (_, at) => replay.at(at));
    for (const at of [replay.steps, 0, 7, 6, Math.floor(replay.steps / 2), 1]) expect(replay.at(at)).toEqual(forth[at]);
    expect(forth.some(({ asked }) => asked.some((line) => line.includes("commits")))).toBe(true);
    expect(forth[0]?.event).toBe("");
    expect(forth.at(-1)?.state).toBe(formatState(coreOf(cluster, "n1")));
  });

  test("is not changed by later steps of the core", async () => {
    const { cluster, rings } = await traced(100_000);
    const segment = rings.get("n2")?.segment();
    if (!segment) throw new Error("nothing was traced");
    const before = writeTrace(segment, coreOf(cluster, "n2"), about).split("\n")[1];
    await cluster.run(5_000);
    expect(writeTrace(segment, coreOf(cluster, "n2"), about).split("\n")[1]).toBe(before);
  });

  test("that lacks a step ends otherwise than it says", async () => {
    const { cluster, rings } = await traced(100_000);
    const segment = rings.get("n3")?.segment();
    if (!segment) throw new Error("nothing was traced");
    const received = segment.events.findLastIndex((event) => event.kind === "receive");
    const events = segment.events.filter((_, at) => at < received);
    const file = readTrace(writeTrace({ core: segment.core, events }, coreOf(cluster, "n3"), about));
    expect(new Replay(file).run().endsAsWritten).toBe(false);
  });
});

test("what is no trace is refused in words", () => {
  expect(() => readTrace("")).toThrow(BadTrace);
  expect(() => readTrace('{"format":"other"}')).toThrow("This is no trace");
  const head = '{"format":"tabraft-trace-1"}';
  expect(() => readTrace(`${head}\n5\n{"end":""}`)).toThrow("Line 2");
  expect(() => readTrace(`${head}\n{"log":1,"role":1}\n`)).toThrow("not complete");
  expect(() => readTrace(`${head}\n{"log":1,"role":1}\n{"kind":5}\n{"end":""}`)).toThrow("Line 3 of the trace is no event");
  expect(() => readTrace(`${head}\n{"log":1,"role":\n{"end":""}`)).toThrow("Line 2 of the trace cannot be read");
});
