import { expect, test } from "vitest";
import { Latency, Measures } from "./measures.ts";
import { prometheusText } from "./prometheus.ts";
import type { NodeStatus } from "./protocol.ts";

const status = {
  nodeId: "n1",
  name: 'A "quoted" \\ name',
  role: "leader",
  term: 4,
  leader: "n1",
  quorum: true,
  voters: ["n1", "n2"],
  failureTolerance: 0,
  commitIndex: 9,
  lastApplied: 9,
  lastLogIndex: 9,
  snapshotIndex: 0,
  storage: { bytes: 100 },
  peers: [{ id: "n2", connected: true, roundTripMs: 12.5 }],
  refused: { badFrame: 2 },
} as unknown as NodeStatus;

test("a second is told by its middle and its slowest hundredth, and the next begins empty", () => {
  const latency = new Latency();
  for (let ms = 1; ms <= 100; ms++) latency.add(ms);
  expect(latency.turn()).toEqual({ p50Ms: 51, p99Ms: 100 });
  expect(latency.turn()).toEqual({ p50Ms: null, p99Ms: null });
  latency.add(7, 10_000);
  expect(latency.turn()).toEqual({ p50Ms: 7, p99Ms: 7 });
  expect(latency.count).toBe(10_100);
});

test("a sample tells what has grown since the one before, and ten minutes are kept", () => {
  const measures = new Measures();
  measures.counts.commits = 5;
  expect(measures.sample(1000, {}).commits).toBe(5);
  measures.counts.commits = 7;
  expect(measures.sample(2000, {}).commits).toBe(2);
  for (let at = 3; at < 1000; at++) measures.sample(at * 1000, {});
  expect(measures.samples.length).toBe(600);
  expect(measures.samples.at(-1)?.at).toBe(999_000);
});

test("the text for Prometheus: every line is a comment or a sample, buckets grow, names are escaped", () => {
  const measures = new Measures();
  measures.commit.add(3);
  measures.commit.add(30_000);
  const text = prometheusText(status, measures);
  for (const line of text.split("\n").slice(0, -1))
    expect(line).toMatch(/^(# (HELP|TYPE) tabraft_\w+ .+|tabraft_\w+\{.*\} -?[\d.e+-]+)$/);
  expect(text).toContain('name="A \\"quoted\\" \\\\ name"');
  expect(text).toContain('tabraft_commit_seconds_bucket{node="n1",le="0.002"} 0');
  expect(text).toContain('tabraft_commit_seconds_bucket{node="n1",le="0.005"} 1');
  expect(text).toContain('tabraft_commit_seconds_bucket{node="n1",le="5"} 1');
  expect(text).toContain('tabraft_commit_seconds_bucket{node="n1",le="+Inf"} 2');
  expect(text).toContain('tabraft_round_trip_seconds{node="n1",peer="n2"} 0.0125');
});
