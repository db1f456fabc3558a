/** What the paper says of changes of the cluster: §6, with learners and loyalty as the dissertation has them. */
import { describe, expect, test } from "vitest";
import { members } from "./configuration.ts";
import { configurationInForce } from "./log.ts";
import { configurationOf, roleNameOf } from "./state.ts";
import { Cluster } from "./testing/cluster.ts";
import { appendEntriesResponse, requestVote, requestVoteResponse } from "./testing/messages.ts";
import type { LogIndex, Message, NodeId, Update } from "./types.ts";

function elected(voters: readonly NodeId[], learners: readonly NodeId[] = []): Cluster {
  const made = new Cluster({ preVote: false });
  made.addVoters(voters, learners);
  made.elect("n1");
  return made;
}

function receive(made: Cluster, message: Message): Update {
  return made.step(message.to, { kind: "receive", message });
}

/** n1, leader of term 2, hears that these hold its log through `matchIndex`. */
function hears(made: Cluster, matchIndex: LogIndex, ...from: readonly NodeId[]): void {
  for (const id of from) receive(made, appendEntriesResponse({ from: id, to: "n1", term: 2, matchIndex }));
}

/** From {n1, n2, n3} to {n3, n4, n5}, C_old,new at index 3, nothing delivered. */
function changing(): Cluster {
  const made = elected(["n1", "n2", "n3"], ["n4", "n5"]);
  made.change("n1", ["n3", "n4", "n5"]);
  made.take();
  return made;
}

describe("§6 joint consensus", () => {
  test("§6 a change of voters begins as one entry with both configurations", () => {
    const made = elected(["n1", "n2", "n3"], ["n4"]);
    const { entries } = made.change("n1", ["n1", "n2", "n4"], ["n3"]);
    expect(entries).toMatchObject([
      { configuration: { voters: ["n1", "n2", "n4"], votersOld: ["n1", "n2", "n3"], learners: ["n3"] } },
    ]);
  });

  test("§6 a configuration is in force as soon as it is in the log, committed or not, on the leader and on followers", () => {
    const made = changing();
    expect(configurationInForce(made.core("n1").log).index).toBe(3);
    made.timeout("n1");
    made.deliver(made.take("n1", "n2"));
    made.deliver(made.take("n2", "n1"));
    made.deliver(made.take("n1", "n2"));
    made.deliver(made.take("n2", "n1"));
    made.deliver(made.take("n1", "n2"));
    expect(configurationOf(made.core("n2")).votersOld).toEqual(["n1", "n2", "n3"]);
    expect(made.core("n2").commitIndex).toBe(2);
  });

  test("§6 entries go to the servers of both configurations", () => {
    const made = elected(["n1", "n2"], ["n3"]);
    made.change("n1", ["n1", "n3"]);
    made.take();
    made.settle();
    const { messages } = made.timeout("n1");
    expect(messages.map(({ to }) => to)).toEqual(["n2", "n3"]);
  });

  test.each([
    ["only the old majority", ["n2"], false],
    ["only the new majority", ["n4", "n5"], false],
    ["a majority of the union that is none of the old", ["n4", "n5"], false],
    ["both majorities", ["n3", "n4"], true],
    ["both majorities, apart", ["n2", "n4", "n5"], true],
  ] as const)("§6 with %s an entry is committed: %s -> %s", (_, who, committed) => {
    const made = changing();
    hears(made, 3, ...who);
    expect(made.core("n1").commitIndex).toBe(committed ? 3 : 2);
  });

  test.each([
    ["the old majority alone", ["n2"], false],
    ["the new majority alone", ["n4", "n5"], false],
    ["both", ["n2", "n4"], true],
  ] as const)("§6 an election during the change is won by %s: %s -> %s", (_, who, won) => {
    const made = elected(["n1", "n2", "n3"], ["n4", "n5"]);
    made.change("n1", ["n3", "n4", "n5"]);
    made.deliver(made.take("n1", "n3"));
    made.take();
    made.timeout("n3");
    for (const from of who) receive(made, requestVoteResponse({ from, to: "n3", term: 3 }));
    expect(made.core("n3").role.kind).toBe(won ? "leader" : "candidate");
  });

  test("§6 a server of either configuration may lead", () => {
    for (const id of ["n2", "n4"]) {
      const made = elected(["n1", "n2", "n3"], ["n4", "n5"]);
      made.change("n1", ["n3", "n4", "n5"]);
      made.deliver(made.take());
      made.take();
      made.crash("n1");
      made.outlastLoyalty();
      const led = new Set<NodeId>();
      made.listener = {
        stepped: ({ node }) => (node.core.role.kind === "leader" ? led.add(node.id) : undefined),
        sent: () => undefined,
      };
      made.timeout(id);
      made.settle();
      expect([...led]).toEqual([id]);
    }
  });

  test("§6 C_new is appended once C_old,new is committed, not before", () => {
    const made = changing();
    expect(configurationInForce(made.core("n1").log).index).toBe(3);
    hears(made, 3, "n3", "n4");
    expect(configurationInForce(made.core("n1").log)).toEqual({
      index: 4,
      configuration: { voters: ["n3", "n4", "n5"], votersOld: [], learners: [] },
    });
  });

  test("§6 C_new needs the majority of the new servers alone", () => {
    const made = changing();
    hears(made, 3, "n3", "n4");
    hears(made, 4, "n4");
    expect(made.core("n1").commitIndex).toBe(3);
    hears(made, 4, "n5");
    expect(made.core("n1").commitIndex).toBe(4);
  });

  test("§6 a leader that is not in C_new leads until that is committed, without counting itself, and then steps down", () => {
    const made = changing();
    hears(made, 3, "n3", "n4");
    hears(made, 4, "n4");
    expect(made.core("n1").role.kind).toBe("leader");
    hears(made, 4, "n5");
    expect(roleNameOf(made.core("n1"))).toBe("learner");
  });

  test("§6 who is in no configuration any more is sent nothing, and what it says changes nothing", () => {
    const made = elected(["n1", "n2", "n3"]);
    made.change("n1", ["n1", "n2"]);
    made.settle();
    expect(made.timeout("n1").messages.map(({ to }) => to)).toEqual(["n2"]);
    hears(made, 9, "n3");
    expect(made.core("n1").commitIndex).toBe(4);
  });

  test("§6 one change at a time", () => {
    const made = changing();
    expect(made.change("n1", ["n1", "n2"]).answers).toMatchObject([{ kind: "refused", refusal: "changeOpen" }]);
    hears(made, 3, "n3", "n4");
    expect(made.change("n1", ["n1", "n2"]).answers).toMatchObject([{ kind: "refused", refusal: "changeOpen" }]);
  });
});

describe("§6 new servers", () => {
  test("§6 a new server first receives the log without a vote", () => {
    const made = elected(["n1", "n2"]);
    made.add("n3");
    made.change("n1", ["n1", "n2"], ["n3"]);
    made.settle();
    expect(made.core("n3").commitIndex).toBe(3);
    made.cut.add("n1 n2").add("n2 n1");
    made.propose("n1", "a");
    made.settle();
    expect(made.core("n1").commitIndex).toBe(3);
  });

  test("§6 a learner does not campaign", () => {
    const made = elected(["n1", "n2"], ["n3"]);
    expect(made.timeout("n3").messages).toEqual([]);
    expect(made.core("n3").hardState.currentTerm).toBe(2);
  });
});

describe("§6 removed servers", () => {
  test.each([0, 499])("§6 a vote request %i ms after the leader was heard is ignored, term and all", (after) => {
    const made = elected(["n1", "n2", "n3"]);
    made.node("n2").now += after;
    const update = receive(made, requestVote({ from: "n9", to: "n2", term: 50 }));
    expect(update).toMatchObject({ write: 0, messages: [] });
    expect(made.core("n2").hardState.currentTerm).toBe(2);
  });

  test("§6 after the shortest election timeout it is heard", () => {
    const made = elected(["n1", "n2", "n3"]);
    made.node("n2").now += 500;
    expect(receive(made, requestVote({ from: "n9", to: "n2", term: 50 })).messages).toMatchObject([{ voteGranted: true }]);
  });

  test("§6 a leader itself ignores it too", () => {
    const made = elected(["n1", "n2", "n3"]);
    receive(made, requestVote({ from: "n9", to: "n1", term: 50 }));
    expect(made.core("n1").role.kind).toBe("leader");
  });

  test("§6 a removed server that campaigns for ever disturbs nobody", () => {
    const made = elected(["n1", "n2", "n3", "n4"]);
    made.change("n1", ["n1", "n2", "n3"]);
    for (const id of ["n1", "n2", "n3"]) made.cut.add(`${id} n4`);
    made.run(5000);
    expect(members(configurationOf(made.core("n1")))).toEqual(["n1", "n2", "n3"]);
    expect(made.core("n1").role.kind).toBe("leader");
    expect(made.core("n1").hardState.currentTerm).toBe(2);
    expect(made.core("n4").hardState.currentTerm).toBeGreaterThan(4);
  });
});
