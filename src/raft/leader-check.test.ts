/** Fast failover: what a hint may do, and what it may not. The transcripts show how it goes; here stand the rules. */
import { describe, expect, test } from "vitest";
import { deadlineOf } from "./state.ts";
import { Cluster } from "./testing/cluster.ts";
import { requestVote } from "./testing/messages.ts";

const hint = { kind: "hint", id: "n1", roundTripMs: 5 } as const;

function led(config: ConstructorParameters<typeof Cluster>[0] = {}, learners: readonly string[] = []): Cluster {
  const made = new Cluster(config);
  made.addVoters(["n1", "n2", "n3"], learners);
  made.elect("n1");
  return made;
}

describe("a hint that the leader is gone", () => {
  test("costs a leader that lives one question and one answer, and changes nothing", () => {
    const made = led();
    const before = deadlineOf(made.core("n2"));
    const sent: string[] = [];
    made.listener = { stepped: () => undefined, sent: (message) => sent.push(message.kind) };
    made.step("n2", hint);
    made.step("n2", hint);
    made.settle();
    expect(sent).toEqual(["leaderCheck", "leaderCheckResponse"]);
    expect(made.core("n2").role).toMatchObject({ kind: "follower", leader: "n1", check: null });
    expect(deadlineOf(made.core("n2"))).toBe(before);
    made.run(200);
    expect(made.core("n1").role.kind).toBe("leader");
    expect(made.core("n1").hardState.currentTerm).toBe(2);
  });

  test.each([
    [5, 30],
    [20, 80],
    [null, 100],
  ])("with a round trip of %s ms the leader has %i ms to answer", (roundTripMs, waitMs) => {
    const made = led();
    made.step("n2", { kind: "hint", id: "n1", roundTripMs });
    expect(deadlineOf(made.core("n2")) - made.node("n2").now).toBe(waitMs);
  });

  test.each([
    ["lease reads are on: leases rest on loyalty", { leaseReads: true }],
    ["PreVote is off: a mistaken voter would depose a leader that lives", { preVote: false }],
  ])("is ignored when %s", (_why, config) => {
    const made = new Cluster(config);
    made.addVoters(["n1", "n2", "n3"]);
    made.run(3000);
    const follower = [...made.nodes.values()].find(({ core }) => core.role.kind === "follower" && core.role.leader !== null);
    const { role } = made.core(follower?.id ?? "");
    if (role.kind !== "follower" || role.leader === null) throw new Error("somebody follows");
    expect(made.step(follower?.id ?? "", { ...hint, id: role.leader }).messages).toEqual([]);
    expect(role).toMatchObject({ check: null });
  });

  test("about another than the leader, or to one that does not follow, says nothing", () => {
    const made = led({}, ["n4"]);
    expect(made.step("n2", { ...hint, id: "n3" }).messages).toEqual([]);
    expect(made.step("n1", { ...hint, id: "n2" }).messages).toEqual([]);
    expect(made.step("n4", hint).messages).toEqual([]);
  });

  test("an answer to an earlier check does not pass this one", () => {
    const made = led();
    made.step("n2", hint);
    made.deliver(made.take("n2", "n1"));
    const late = made.take("n1", "n2");
    made.tick(30, ["n2"]);
    made.run(20);
    expect(made.core("n2").role).toMatchObject({ kind: "candidate" });
    made.cut.add("n2 n1");
    made.run(200);
    expect(made.core("n2").role).toMatchObject({ leader: "n1", check: null, leaderGone: false });
    made.step("n2", hint);
    made.deliver(late);
    expect(made.core("n2").role).toMatchObject({ check: { checkId: 2 } });
  });
});

describe("a PreVote of one whose check has failed", () => {
  const asked = requestVote({ from: "n3", to: "n2", term: 3, preVote: true, leaderGone: true });

  test("waits until the leader was asked, and is ignored if it answers", () => {
    const made = led();
    const update = made.step("n2", { kind: "receive", message: asked });
    expect(update.messages.map(({ kind }) => kind)).toEqual(["leaderCheck"]);
    made.deliver(made.take("n2", "n1"));
    made.deliver(made.take("n1", "n2"));
    expect(made.core("n2").role).toMatchObject({ leader: "n1", check: null });
    made.tick(100, ["n2"]);
    expect(made.take("n2", "n3")).toEqual([]);
  });

  test("is granted if it does not", () => {
    const made = led();
    made.step("n2", { kind: "receive", message: asked });
    made.crash("n1");
    made.tick(100, ["n2"]);
    expect(made.take("n2", "n3")).toMatchObject([{ kind: "requestVoteResponse", voteGranted: true }]);
  });

  test("without that mark it is ignored, as ever (diss. §4.2.3)", () => {
    const made = led();
    const { messages } = made.step("n2", { kind: "receive", message: { ...asked, leaderGone: false } });
    expect(messages).toEqual([]);
    expect(made.core("n2").role).toMatchObject({ leader: "n1", check: null });
  });
});

test("the voters that are left do not split the vote: one round of PreVote, one of votes, whoever learns of it first", () => {
  const made = new Cluster();
  made.addVoters(["n1", "n2", "n3", "n4", "n5"]);
  made.elect("n1");
  made.crash("n1");
  for (const id of ["n2", "n3", "n4", "n5"]) made.step(id, hint);
  made.run(100);
  const leaders = [...made.nodes.values()].filter(({ core, down }) => !down && core.role.kind === "leader");
  expect(leaders.map(({ core }) => core.hardState.currentTerm)).toEqual([3]);
});
