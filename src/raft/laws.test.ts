/** The laws are worth their name only if a record that breaks one is found: each is broken here once. */
import { describe, expect, test } from "vitest";
import { AssertionFailed } from "./assert.ts";
import { createConfiguration } from "./configuration.ts";
import { LawWatch } from "./law-watch.ts";
import { checkState, checkTransition, summarize } from "./laws.ts";
import type { Leader, RaftState } from "./state.ts";
import { Cluster } from "./testing/cluster.ts";
import { command, snapshotAt } from "./testing/messages.ts";

const three = ["n1", "n2", "n3"];

/** n1 leads term 2 with two commands, the second uncommitted. */
function running(): Cluster {
  const made = new Cluster({ preVote: false });
  made.addVoters(three);
  made.elect("n1");
  made.propose("n1", "a");
  made.settle();
  made.propose("n1", "b");
  return made;
}

function leaderOf(raft: RaftState): Leader {
  if (raft.role.kind !== "leader") throw new Error("it leads");
  return raft.role;
}

type Break = (raft: RaftState) => void;

describe("a state", () => {
  const breaks: { readonly [law: string]: Break } = {
    "the log has no gap": ({ log }) => log.entries.splice(1, 1, command(9, 2)),
    "terms along a log never fall": ({ log }) => log.entries.splice(2, 1, command(3, 1)),
    "no entry is of a term that is still to come": (raft) => {
      raft.hardState = { ...raft.hardState, currentTerm: 1 };
    },
    "nothing beyond the log is committed": (raft) => {
      raft.commitIndex = 9;
    },
    "nothing beyond the log is durable": ({ log }) => {
      log.durableIndex = 9;
    },
    "what was compacted away stands in a snapshot": ({ log }) => {
      log.entries.splice(0, 1);
      log.baseIndex = 1;
    },
    "a snapshot holds nothing but what is committed": (raft) => {
      raft.snapshot = snapshotAt(4, 2, three);
    },
    "a snapshot and the log agree on its last term": (raft) => {
      raft.snapshot = snapshotAt(3, 1, three);
    },
    "only what was written is durable": (raft) => {
      raft.durableWrite = raft.lastWrite + 1;
    },
    "a configuration in the log is on the stack": ({ log }) => {
      log.configurations.length = 1;
    },
    "a configuration on the stack stands in the log": ({ log }) => {
      log.configurations.push({ index: 3, configuration: createConfiguration(three) });
    },
    "members are sorted": ({ log }) => {
      log.configurations[0] = { index: 0, configuration: { voters: ["n2", "n1"], votersOld: [], learners: [] } };
    },
    "nobody is voter and learner at once": ({ log }) => {
      log.configurations[0] = { index: 0, configuration: { voters: ["n1"], votersOld: [], learners: ["n1"] } };
    },
    "whoever has a history has a generation": (raft) => {
      raft.hardState = { ...raft.hardState, generation: null };
    },
    "a leader voted for itself": (raft) => {
      raft.hardState = { ...raft.hardState, votedFor: "n2" };
    },
    "a leader's log ends in its own term": (raft) => {
      raft.hardState = { ...raft.hardState, currentTerm: 3 };
    },
    "a leader feeds every member": (raft) => leaderOf(raft).progress.delete("n2"),
    "matchIndex is below nextIndex": (raft) => {
      for (const progress of leaderOf(raft).progress.values()) progress.nextIndex = progress.matchIndex;
    },
    "nobody matches beyond the leader's log": (raft) => {
      for (const progress of leaderOf(raft).progress.values()) Object.assign(progress, { matchIndex: 9, nextIndex: 10 });
    },
    "the in-flight window counts what was sent": (raft) => {
      for (const progress of leaderOf(raft).progress.values()) progress.inflightBytes++;
    },
    "no round is answered before it began": (raft) => {
      for (const progress of leaderOf(raft).progress.values()) progress.ackedRound = 99;
    },
    "a read sees nothing but what is committed": (raft) => {
      leaderOf(raft).readIndex = 4;
    },
    "a leader has one change open at a time": ({ log }) => {
      for (const index of [5, 6]) {
        const configuration = createConfiguration(["n1", `n${index}`]);
        log.entries.push({ kind: "configuration", index, term: 2, configuration });
        log.configurations.push({ index, configuration });
      }
    },
  };
  test.each(Object.keys(breaks))("%s", (law) => {
    const raft = running().core("n1");
    checkState(raft);
    breaks[law]?.(raft);
    expect(() => checkState(raft)).toThrow(AssertionFailed);
    if (law !== "a leader has one change open at a time") expect(() => checkState(raft)).toThrow(law);
  });

  /** No step replaces what stands in the middle of a log, or of its configurations, without touching what stands behind it. */
  const untouched = [
    "the log has no gap",
    "terms along a log never fall",
    "members are sorted",
    "nobody is voter and learner at once",
  ];
  test.each(Object.keys(breaks).filter((law) => !untouched.includes(law)))("%s: seen by who looks at what changed", (law) => {
    const raft = running().core("n1");
    const watch = new LawWatch(raft);
    watch.stepped();
    breaks[law]?.(raft);
    expect(() => watch.stepped()).toThrow(AssertionFailed);
  });

  test("a record that breaks a law is not watched at all", () => {
    const raft = running().core("n1");
    raft.commitIndex = 9;
    expect(() => new LawWatch(raft)).toThrow("nothing beyond the log is committed");
  });

  test("a candidate votes for itself, and is none any more once its election is decided", () => {
    const made = new Cluster({ preVote: false });
    made.addVoters(three);
    made.timeout("n1");
    const raft = made.core("n1");
    checkState(raft);
    if (raft.role.kind === "candidate") raft.role.votes.set("n2", true);
    expect(() => checkState(raft)).toThrow("a candidate whose election is decided");
    raft.hardState = { ...raft.hardState, votedFor: "n3" };
    expect(() => checkState(raft)).toThrow("a candidate votes for itself");
  });

  test("a learner never campaigns", () => {
    const made = new Cluster({ preVote: false });
    made.addVoters(["n2"], ["n1"]);
    const raft = made.core("n1");
    raft.role = {
      kind: "candidate",
      preVote: true,
      votes: new Map(),
      leadershipTransfer: false,
      ownVoteWrite: 0,
      electionDeadline: 0,
    };
    expect(() => checkState(raft)).toThrow("a learner never campaigns");
  });
});

describe("a transition", () => {
  const breaks: { readonly [law: string]: Break } = {
    "currentTerm never falls": (raft) => {
      raft.hardState = { ...raft.hardState, currentTerm: 1 };
    },
    "a vote is given once a term": (raft) => {
      raft.hardState = { ...raft.hardState, votedFor: "n2" };
    },
    "a node keeps its generation": (raft) => {
      raft.hardState = { ...raft.hardState, generation: { number: 2, id: "2".repeat(32), parentId: null, forkIndex: 0 } };
    },
    "commitIndex never falls": (raft) => {
      raft.commitIndex = 2;
    },
    "what is committed never changes": ({ log }) => log.entries.splice(2, 1, command(3, 1)),
    "a leader only appends": ({ log }) => log.entries.pop(),
    "matchIndex never falls": (raft) => {
      for (const progress of leaderOf(raft).progress.values()) progress.matchIndex = 0;
    },
    "writes are counted upwards": (raft) => {
      raft.durableWrite--;
    },
    "only a candidate becomes leader": (raft) => {
      raft.hardState = { ...raft.hardState, currentTerm: 3 };
    },
  };
  test.each(Object.keys(breaks))("%s", (law) => {
    const raft = running().core("n1");
    const before = summarize(raft);
    checkTransition(before, raft);
    breaks[law]?.(raft);
    expect(() => checkTransition(before, raft)).toThrow(law);
  });

  test.each(Object.keys(breaks))("%s: seen by who looks at what changed", (law) => {
    const raft = running().core("n1");
    const watch = new LawWatch(raft);
    watch.stepped();
    breaks[law]?.(raft);
    expect(() => watch.stepped()).toThrow(AssertionFailed);
  });

  test("what was compacted away does not come back, nor an older snapshot", () => {
    const made = running();
    made.snapshot("n1", 3);
    const raft = made.core("n1");
    const before = summarize(raft);
    raft.snapshot = snapshotAt(2, 2, three);
    expect(() => checkTransition(before, raft)).toThrow("a newer snapshot is not replaced by an older one");
    raft.log.baseIndex = 2;
    expect(() => checkTransition(before, raft)).toThrow("what was compacted away does not come back");
  });
});
