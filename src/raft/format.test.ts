import { expect, test } from "vitest";
import { formatBytes, formatEvent, formatMessage, formatState, formatUpdate } from "./format.ts";
import { Cluster, testGeneration as generation } from "./testing/cluster.ts";
import { command, snapshotAt } from "./testing/messages.ts";
import type { Message } from "./types.ts";

test.each([
  ["hello world", '"hello world"'],
  ["", '""'],
  ['a "word"', "8 bytes"],
  ["line\n", "5 bytes"],
  ["x".repeat(25), "25 bytes"],
])("%j is shown as %s", (text, expected) => {
  expect(formatBytes(Uint8Array.from(text, (character) => character.charCodeAt(0)))).toBe(expected);
});

test("every kind of message has a line of its own", () => {
  const seen = new Map<string, string>();
  const made = new Cluster();
  made.addVoters(["n1", "n2", "n3"], ["n4"]);
  made.listener = { stepped: () => undefined, sent: (message: Message) => seen.set(message.kind, formatMessage(message)) };
  made.elect("n1");
  made.propose("n2", "a");
  made.settle();
  made.read("n2");
  made.settle();
  made.cut.add("n1 n3");
  made.propose("n1", "b");
  made.settle();
  made.snapshot("n1", 4);
  made.cut.clear();
  made.run(200);
  made.step("n3", { kind: "hint", id: "n1", roundTripMs: 5 });
  made.settle();
  made.step("n4", { kind: "askRelay", to: "n2" });
  made.settle();
  made.transfer("n1", "n2");
  expect([...seen.keys()].sort()).toEqual([
    "appendEntries",
    "appendEntriesResponse",
    "installSnapshot",
    "installSnapshotResponse",
    "leaderCheck",
    "leaderCheckResponse",
    "propose",
    "proposeResponse",
    "readIndex",
    "readIndexResponse",
    "relayEntries",
    "relayRequest",
    "requestVote",
    "requestVoteResponse",
    "timeoutNow",
  ]);
  for (const line of seen.values()) expect(line).toMatch(/^n\d@\d+ → n\d [A-Z][A-Za-z]+/);
});

test("every kind of event has a line", () => {
  const snapshot = snapshotAt(5, 2, ["n1"]);
  expect(
    [
      formatEvent({ kind: "timeout" }),
      formatEvent({ kind: "persisted", write: 3, index: 4, term: 2 }),
      formatEvent({ kind: "propose", requestId: 1, commands: [new Uint8Array([97])], ifTerm: 2 }),
      formatEvent({ kind: "read", requestId: 2 }),
      formatEvent({ kind: "changeConfiguration", requestId: 3, voters: ["n1"], learners: ["n2"], expectedConfigIndex: 7 }),
      formatEvent({ kind: "initialize", requestId: 4, voters: ["n1", "n2"], generation }),
      formatEvent({ kind: "snapshotTaken", index: 5, data: snapshot.data }),
      formatEvent({ kind: "snapshotPersisted", index: 5, term: 2 }),
      formatEvent({ kind: "transferLeadership", requestId: 5, to: null }),
      formatEvent({ kind: "peer", id: "n2", up: false }),
      formatEvent({ kind: "hint", id: "n2", roundTripMs: 5 }),
      formatEvent({ kind: "receive", message: { kind: "timeoutNow", from: "n1", to: "n2", term: 2, generation } }),
    ].join("\n"),
  ).toMatchInlineSnapshot(`
    "timeout
    persisted write 3 through 4@2
    propose #1 "a" ifTerm=2
    read #2
    changeConfiguration #3 voters=n1 learners=n2 expectedConfigIndex=7
    initialize #4 voters=n1,n2 generation=1
    snapshotTaken 5 (8 bytes)
    snapshotPersisted 5@2
    transferLeadership #5 to whoever follows best
    peer n2 down
    hint that n2 is gone (round trip 5)
    receive n1@2 → n2 TimeoutNow"
  `);
});

test("an update is told in the order in which it must be obeyed", () => {
  const snapshot = snapshotAt(5, 2, ["n1"]);
  const lines = formatUpdate("n1", {
    write: 1,
    hardState: { currentTerm: 3, votedFor: null, generation },
    truncateFrom: 4,
    entries: [command(4, 3, "a")],
    snapshot: { snapshot, compactThrough: 5, reset: true },
    messages: [],
    restore: snapshot,
    committed: [command(6, 3, "b")],
    answers: [{ kind: "refused", requestId: 1, refusal: "notLeader", leader: "n2" }],
    deadline: 0,
  });
  expect(lines.join("\n")).toMatchInlineSnapshot(`
    "n1 writes term=3 votedFor=nobody truncates from 4 [4@3 "a"]
    n1 writes snapshot 5@2 voters=n1 (8 bytes), dropping its log
    n1 restores 5@2
    n1 commits [6@3 "b"]
    n1 answers #1 refused: notLeader (leader n2)"
  `);
});

test("a state says what is unusual about it", () => {
  const made = new Cluster({ snapshotChunkBytes: 4 });
  made.addVoters(["n1", "n2"], ["n3"]);
  made.elect("n1");
  made.node("n1").fastDisk = false;
  made.cut.add("n1 n3");
  made.propose("n1", "a");
  expect(formatState(made.core("n1"))).toBe(
    "n1@2 leader last=3@2 durable=2 commit=2@2 voters=n1,n2 learners=n3 n2:2→4 inflight=1 n3:2→4 inflight=1",
  );
});
