/** Causes are read from real steps: nodes in virtual time, and what each of them says happened. */
import { expect, test } from "vitest";
import { SharedDocument } from "../document/shared-document.ts";
import { Framer } from "../driver/framing.ts";
import { TestCluster } from "../driver/testing/cluster.ts";
import { logLine } from "./log-lines.ts";
import type { LogLine } from "./protocol.ts";
import { TurningPoints } from "./turning-points.ts";

const names: Readonly<Record<string, string>> = { n1: "Ada", n2: "Bob", n3: "Cyd" };

async function watched() {
  const cluster = new TestCluster();
  const told = new Map<string, string[]>();
  const points = new Map<string, TurningPoints>();
  cluster.onStep = (id, event, update) => {
    const { core } = cluster.host(id).raft;
    if (!core) return;
    const lines = told.get(id) ?? [];
    told.set(id, lines);
    const point =
      points.get(id) ??
      new TurningPoints(
        (other) => names[other] ?? other,
        (_kind, text) => lines.push(text),
      );
    points.set(id, point);
    point.onStep(event, update, core);
  };
  const leader = await cluster.begin(["n1", "n2", "n3"]);
  await cluster.propose(leader, "a");
  await cluster.caughtUp();
  for (const lines of told.values()) lines.length = 0;
  return { cluster, leader, said: (id: string) => told.get(id) ?? [], all: () => [...told.values()].flat() };
}

test("a follower that hears nothing says of whom, and for how long; the voters say whom they voted for", async () => {
  const { cluster, leader, said, all } = await watched();
  const term = leader.raft.metrics().currentTerm + 1;
  cluster.isolate(leader.id);
  await cluster.until(() => (cluster.leaderOrNull() ?? leader) !== leader);
  const next = cluster.leader().id;
  const name = names[leader.id];
  const silent = all().find((line) => line.startsWith(`No heartbeat from ${name} for `));
  expect(silent).toMatch(/ for \d+ ms: asking whether term \d+ could be won\.$/);
  expect(silent).toContain(`term ${term}`);
  expect(Number(/for (\d+) ms/.exec(silent ?? "")?.[1])).toBeGreaterThanOrEqual(500);
  expect(said(next)).toContain(`A majority would vote for this tab: asking for votes in term ${term}.`);
  expect(all()).toContain(`Voted for ${names[next]} in term ${term}.`);
  await cluster.run(3_000);
  expect(said(leader.id)).toContain("This tab leads no longer: no majority answered within 1000 ms (CheckQuorum).");
});

test("a node that is cut off does not say the same again and again", async () => {
  const { cluster, leader, said } = await watched();
  const other = cluster.followers()[0]?.id ?? "";
  cluster.isolate(other);
  await cluster.run(20_000);
  expect(said(other).filter((line) => line.startsWith("No heartbeat from"))).toHaveLength(1);
  expect(said(other).filter((line) => line.startsWith("No leader"))).toHaveLength(0);
  expect(leader.alive).toBe(true);
});

test("an office that is handed over is told as such", async () => {
  const { cluster, leader, said } = await watched();
  const term = leader.raft.metrics().currentTerm + 1;
  await cluster.settle(leader.raft.transferLeadership());
  await cluster.until(() => cluster.leaderOrNull() !== null);
  expect(said(cluster.leader().id)).toContain(`${names[leader.id]} hands over: asking for votes in term ${term}.`);
});

test("an entry's line tells kind, author and size, never content", () => {
  const document = new SharedDocument();
  const framer = new Framer();
  const line = (bytes: Uint8Array): LogLine => logLine({ kind: "command", index: 7, term: 2, command: bytes }, 6, document);
  const edit = document.encode({
    kind: "edit",
    clientId: "client-1",
    serial: 0,
    author: "Ada",
    color: 0,
    at: 0,
    baseVersion: 0,
    updates: [[[0, "x"]]],
    replaces: null,
  });
  expect(line(framer.plain(edit))).toEqual({
    index: 7,
    term: 2,
    kind: "edit",
    author: "Ada",
    bytes: edit.length + 1,
    committed: false,
  });
  expect(line(framer.plain(document.encode({ kind: "set", key: "a", value: 1 })))).toMatchObject({ kind: "set", author: null });
  expect(line(new Uint8Array([9, 9])).kind).toBe("unreadable");
  expect(logLine({ kind: "blank", index: 6, term: 2 }, 6, document)).toMatchObject({ kind: "blank", committed: true, bytes: 0 });
});
