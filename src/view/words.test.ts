import { describe, expect, it } from "vitest";
import type { NodeStatus } from "../page/types.ts";
import { colorsOf, nodeLines } from "./node-lines.ts";
import {
  commitPill,
  duration,
  isJoining,
  keptWords,
  leaderWords,
  lostQuorumWords,
  missingVoters,
  nodeName,
  quorumWords,
  roomWords,
  signalingWords,
  titleWords,
  usedWords,
} from "./words.ts";

const peer: NodeStatus["peers"][number] = {
  id: "bbbbbbbbbb",
  name: "Bob",
  connected: true,
  roundTripMs: 4,
  lastContactMs: 90,
  matchIndex: 7,
  role: "follower",
  term: 3,
  commitIndex: 7,
  lastApplied: 7,
  lastLogIndex: 7,
  visible: true,
  sameDevice: false,
};

const status: NodeStatus = {
  otherVersion: null,
  nodeId: "aaaaaaaaaa",
  name: "Ada",
  role: "leader",
  term: 3,
  leader: "aaaaaaaaaa",
  commitIndex: 1234,
  lastApplied: 1234,
  lastLogIndex: 1234,
  firstLogIndex: 1,
  snapshotIndex: 0,
  version: 9,
  unconfirmed: 0,
  voters: ["aaaaaaaaaa", "bbbbbbbbbb", "cccccccccc"],
  learners: [],
  adopted: [],
  autopilot: { on: true, pinned: [], barred: [] },
  peers: [peer],
  quorum: true,
  failureTolerance: 1,
  devices: 2,
  generation: null,
  storage: { persistent: true, durability: "strict", bytes: 1, failure: null },
  faults: [],
  signaling: "connected",
  refused: {},
  leaderContactMs: 0,
};

describe("the commit pill", () => {
  const alone = { ...status, voters: ["aaaaaaaaaa"], devices: 1 };
  const cases: readonly (readonly [string, NodeStatus | null, number, string])[] = [
    ["good", status, 0, "All changes committed (entry 1234)"],
    ["good", { ...status, devices: 1 }, 0, "All changes committed (entry 1234), on 1 device"],
    ["good", alone, 0, "Committed, on 1 device"],
    ["waiting", status, 1, "1 change waiting for a majority"],
    ["waiting", status, 3, "3 changes waiting for a majority"],
    ["waiting", alone, 2, "2 changes being saved"],
    ["waiting", null, 0, "Opening"],
    ["waiting", { ...status, voters: [], commitIndex: 0, quorum: false }, 0, "Joining"],
    ["bad", { ...status, quorum: false }, 3, "No majority: your edits are kept here"],
    [
      "bad",
      { ...status, storage: { ...status.storage, failure: "full" } },
      0,
      "This tab cannot save: your edits are only on the screen",
    ],
  ];
  for (const [tone, given, unconfirmed, text] of cases) {
    it(`says "${text}"`, () => expect(commitPill(given, unconfirmed)).toEqual({ tone, text }));
  }
});

describe("the answers at a glance", () => {
  it("name the leader, and say so if it is this tab, or nobody", () => {
    expect(leaderWords(status)).toBe("Ada, this tab");
    expect(leaderWords({ ...status, leader: peer.id })).toBe("Bob");
    expect(leaderWords({ ...status, leader: null })).toBe("Nobody leads");
    expect(nodeName(status, "cccccccccc")).toBe("cccccc");
  });

  it("say how many voters answer, and how many more can fail", () => {
    expect(quorumWords(status)).toBe("2 of 3 voters, can lose 1");
    expect(quorumWords({ ...status, failureTolerance: 0 })).toBe("2 of 3 voters, can lose none");
    expect(quorumWords({ ...status, voters: ["aaaaaaaaaa"], failureTolerance: 0 })).toBe("1 of 1 voter: this is the only copy");
    expect(quorumWords({ ...status, quorum: false, peers: [] })).toBe("1 of 3 voters: no majority");
    expect(quorumWords({ ...status, voters: [] })).toBe("No voters are known yet");
  });

  it("say what a silent signaling server means for those who are connected, and for others", () => {
    expect(signalingWords("waiting", 1)).toBe("The signaling server does not answer; tabs that are already connected go on.");
    expect(signalingWords("waiting", 0)).toBe("The signaling server does not answer. Trying again.");
  });

  it("take a node for joining only while it knows of no voters", () => {
    expect([isJoining(null), isJoining(status)]).toEqual([true, false]);
    expect(isJoining({ ...status, voters: [], commitIndex: 0 })).toBe(true);
  });
});

describe("the list of nodes", () => {
  it("has this tab first, then the others, then members of which nothing is known", () => {
    const lines = nodeLines(status).map(({ name, isSelf, connected, member }) => [name, isSelf, connected, member]);
    expect(lines).toEqual([
      ["Ada", true, true, "voter"],
      ["Bob", false, true, "voter"],
      ["cccccc", false, false, "voter"],
    ]);
  });

  it("leaves out who is gone and no member any more", () => {
    const gone = { ...peer, id: "dddddddddd", connected: false };
    expect(nodeLines({ ...status, peers: [gone] }).map(({ id }) => id)).not.toContain("dddddddddd");
  });

  it("gives nodes different colours while there are enough, whatever the order that they are met in", () => {
    const ids = Array.from({ length: 8 }, (_, i) => `node-${i}`);
    const colors = colorsOf(ids);
    expect(new Set(colors.values()).size).toBe(8);
    expect(new Map([...colorsOf([...ids].reverse())].sort())).toEqual(new Map([...colors].sort()));
    for (const color of colorsOf([...ids, "one-more"]).values()) expect([0, 1, 2, 3, 4, 5, 6, 7]).toContain(color);
  });
});

it("durations have their unit, and three digits at most", () => {
  expect([null, 0.4, 12.4, 999, 1_250, 61_000].map(duration)).toEqual(["–", "< 1 ms", "12 ms", "999 ms", "1.3 s", "1 min"]);
});

it("documents on this device: title, last use, and whether the browser keeps them", () => {
  expect([titleWords(" "), titleWords("Plans")]).toEqual(["Untitled", "Plans"]);
  const now = Date.UTC(2026, 10, 25);
  const ago = [0, 60_000, 5 * 60_000, 3_600_000, 30 * 3_600_000, 24 * 86_400_000];
  expect(ago.map((ms) => usedWords(now - ms, now))).toEqual([
    "used just now",
    "used 1 minute ago",
    "used 5 minutes ago",
    "used 1 hour ago",
    "used 1 day ago",
    "used 24 days ago",
  ]);
  expect(usedWords(now - 90 * 86_400_000, now)).toMatch(/^used on .*2026/);
  expect([keptWords(null, false), keptWords(true, false), keptWords(false, false), keptWords(false, true)]).toEqual([
    expect.stringContaining("does not say"),
    expect.stringContaining("keeps what is stored here until you delete it"),
    expect.stringContaining("may clear"),
    expect.stringContaining("did not promise"),
  ]);
  expect([roomWords(null, 5), roomWords(1_200_000, 3_400_000_000)]).toEqual(["", "1.2 MB used; there is room for 3.4 GB."]);
});

describe("a lost majority", () => {
  const lost = { ...status, quorum: false, leader: null, failureTolerance: 0 };

  it("names who is missing, says what is possible, and what is kept", () => {
    expect(lostQuorumWords({ ...lost, peers: [{ ...peer, connected: false }] })).toBe(
      `No majority of the 3 voting tabs can be reached. Missing: ${peer.name} and cccccc. You can read and go on writing: your edits are kept here and are committed when enough of the others are back.`,
    );
    expect(lostQuorumWords({ ...lost, voters: ["cccccccccc"] })).toMatch(
      /^The one voting tab cannot be reached. Missing: cccccc. /,
    );
  });

  it("has a word for those that answer but do not follow", () => {
    expect(missingVoters({ ...lost, voters: ["aaaaaaaaaa", peer.id], peers: [peer] })).toBe("the others");
  });
});
