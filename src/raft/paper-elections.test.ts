/** What the paper says of terms and elections: §5.1, §5.2, §5.4.1. */
import { describe, expect, test } from "vitest";
import { lastIndex } from "./log.ts";
import { deadlineOf } from "./state.ts";
import { Cluster } from "./testing/cluster.ts";
import { appendEntries, appendEntriesResponse, command, requestVote, requestVoteResponse, stored } from "./testing/messages.ts";
import type { Message, NodeId, Term } from "./types.ts";

const three = ["n1", "n2", "n3"];

/** The paper's own rules: no PreVote. */
function cluster(voters: readonly NodeId[] = three): Cluster {
  const made = new Cluster({ preVote: false });
  made.addVoters(voters);
  return made;
}

function receive(made: Cluster, message: Message): readonly Message[] {
  return made.step(message.to, { kind: "receive", message }).messages;
}

function leaders(made: Cluster): readonly NodeId[] {
  return [...made.nodes.values()].filter(({ core }) => core.role.kind === "leader").map(({ id }) => id);
}

describe("§5.1 terms", () => {
  test("§5.1 every message carries its sender's current term", () => {
    const made = cluster();
    const sent: Message[] = [];
    const terms: boolean[] = [];
    made.listener = {
      stepped: () => undefined,
      sent: (message) => {
        sent.push(message);
        terms.push(message.term === made.core(message.from).hardState.currentTerm);
      },
    };
    made.elect("n1");
    made.propose("n2", "a");
    made.read("n3");
    made.settle();
    expect(new Set(sent.map(({ kind }) => kind)).size).toBeGreaterThanOrEqual(6);
    expect(terms.every(Boolean)).toBe(true);
  });

  const ofTerm: { readonly [kind: string]: (term: Term) => Message } = {
    "vote request": (term) => requestVote({ from: "n2", to: "n1", term }),
    "vote's answer": (term) => requestVoteResponse({ from: "n2", to: "n1", term, requestedTerm: 2 }),
    "append request": (term) => appendEntries({ from: "n2", to: "n1", term, prevLogIndex: 1, prevLogTerm: 1 }),
    "append's answer": (term) => appendEntriesResponse({ from: "n2", to: "n1", term }),
  };
  test.each(Object.keys(ofTerm))("§5.1 a larger term in a %s is taken over", (kind) => {
    const made = cluster();
    made.timeout("n1");
    const message = ofTerm[kind]?.(9);
    if (message) receive(made, message);
    expect(made.core("n1").hardState.currentTerm).toBe(9);
  });

  test("§5.1 a candidate that learns of a larger term becomes follower at once", () => {
    const made = cluster();
    made.timeout("n1");
    receive(made, requestVoteResponse({ from: "n2", to: "n1", term: 7, requestedTerm: 2, voteGranted: false }));
    expect(made.core("n1").role.kind).toBe("follower");
  });

  test("§5.1 a leader that learns of a larger term becomes follower at once", () => {
    const made = cluster();
    made.elect("n1");
    receive(made, appendEntriesResponse({ from: "n2", to: "n1", term: 7, success: false }));
    expect(made.core("n1").role.kind).toBe("follower");
    expect(made.core("n1").hardState).toMatchObject({ currentTerm: 7, votedFor: null });
  });

  test("§5.1 a vote request of a smaller term is refused, with the larger one", () => {
    const made = cluster();
    made.add("n9", stored({ term: 5, log: [1], voters: three }));
    const [answer] = receive(made, requestVote({ from: "n2", to: "n9", term: 4 }));
    expect(answer).toMatchObject({ kind: "requestVoteResponse", voteGranted: false, term: 5 });
  });

  test("§5.1 entries of a smaller term are refused, with the larger one", () => {
    const made = cluster();
    made.add("n9", stored({ term: 5, log: [1], voters: three }));
    const old = appendEntries({ from: "n2", to: "n9", term: 4, prevLogIndex: 1, prevLogTerm: 1, entries: [command(2, 4)] });
    const [answer] = receive(made, old);
    expect(answer).toMatchObject({ kind: "appendEntriesResponse", success: false, term: 5 });
    expect(lastIndex(made.core("n9").log)).toBe(1);
  });
});

describe("§5.2 leader election", () => {
  test("§5.2 a server begins as follower", () => {
    expect(cluster().core("n1").role.kind).toBe("follower");
  });

  test("§5.2 it stays one as long as it hears its leader", () => {
    const made = cluster();
    made.elect("n1");
    made.run(10_000);
    expect(leaders(made)).toEqual(["n1"]);
    expect(made.core("n2").hardState.currentTerm).toBe(2);
  });

  test("§5.2 a leader's heartbeats are AppendEntries without entries, to everybody, every heartbeatMs", () => {
    const made = cluster();
    made.elect("n1");
    const { now } = made.node("n1");
    const deadline = deadlineOf(made.core("n1"));
    expect(deadline - now).toBeLessThanOrEqual(made.core("n1").config.heartbeatMs);
    const { messages } = made.timeout("n1");
    expect(messages.map(({ to }) => to)).toEqual(["n2", "n3"]);
    for (const message of messages) expect(message).toMatchObject({ kind: "appendEntries", entries: [] });
    expect(deadlineOf(made.core("n1"))).toBe(deadline + 100);
  });

  test("§5.2 over an election timeout of silence it begins an election", () => {
    const made = cluster();
    const deadline = deadlineOf(made.core("n1"));
    made.node("n1").now = deadline - 1;
    made.step("n1", { kind: "timeout" });
    expect(made.core("n1").role.kind).toBe("follower");
    made.node("n1").now = deadline;
    made.step("n1", { kind: "timeout" });
    expect(made.core("n1").role.kind).toBe("candidate");
  });

  test("§5.2 it raises its term, votes for itself and asks all the others at once", () => {
    const made = cluster();
    const update = made.timeout("n1");
    expect(update.hardState).toMatchObject({ currentTerm: 2, votedFor: "n1" });
    expect(update.messages.map(({ to, kind }) => `${kind} ${to}`)).toEqual(["requestVote n2", "requestVote n3"]);
  });

  test("§5.2 it wins with the votes of a majority of the whole cluster, and not with fewer", () => {
    const made = cluster(["n1", "n2", "n3", "n4", "n5"]);
    made.timeout("n1");
    receive(made, requestVoteResponse({ from: "n2", to: "n1", term: 2 }));
    expect(made.core("n1").role.kind).toBe("candidate");
    receive(made, requestVoteResponse({ from: "n3", to: "n1", term: 2 }));
    expect(made.core("n1").role.kind).toBe("leader");
  });

  test("§5.2 votes count for the term that they were asked for alone", () => {
    const made = cluster();
    made.timeout("n1");
    made.timeout("n1");
    receive(made, requestVoteResponse({ from: "n2", to: "n1", term: 3, requestedTerm: 2 }));
    expect(made.core("n1").role.kind).toBe("candidate");
  });

  test("§5.2 a server votes for one candidate a term, the first that asks", () => {
    const made = cluster();
    const answers = ["n2", "n3", "n2"].flatMap((from) => receive(made, requestVote({ from, to: "n1", term: 2 })));
    expect(answers).toMatchObject([{ voteGranted: true }, { voteGranted: false }, { voteGranted: true }]);
  });

  test("§5.2 in the next term it may vote again", () => {
    const made = cluster();
    receive(made, requestVote({ from: "n2", to: "n1", term: 2 }));
    expect(receive(made, requestVote({ from: "n3", to: "n1", term: 3 }))).toMatchObject([{ voteGranted: true }]);
  });

  test("§5.2 at most one candidate wins a term, whatever is delivered in which order", () => {
    for (let seed = 0; seed < 40; seed++) {
      const made = cluster(["n1", "n2", "n3", "n4", "n5"]);
      for (const id of ["n1", "n2", "n3"]) made.timeout(id);
      // A different rotation of what waits each time; Election Safety is a law that is checked at each step.
      for (let turn = seed; made.waiting.length > 0; turn += 7) made.deliver(made.waiting.splice(turn % made.waiting.length, 1));
      expect(leaders(made).length).toBeLessThanOrEqual(1);
    }
  });

  test("§5.2 the winner tells everybody at once", () => {
    const made = cluster();
    made.timeout("n1");
    const messages = receive(made, requestVoteResponse({ from: "n2", to: "n1", term: 2 }));
    expect(messages.map(({ kind, to }) => `${kind} ${to}`)).toEqual(["appendEntries n2", "appendEntries n3"]);
  });

  test.each([2, 3])("§5.2 a candidate of term 2 that hears a leader of term %i follows it", (term) => {
    const made = cluster();
    made.timeout("n1");
    receive(made, appendEntries({ from: "n2", to: "n1", term, prevLogIndex: 1, prevLogTerm: 1 }));
    expect(made.core("n1").role).toMatchObject({ kind: "follower", leader: "n2" });
  });

  test("§5.2 a candidate refuses a leader of a smaller term and stays candidate", () => {
    const made = cluster();
    made.timeout("n1");
    const [answer] = receive(made, appendEntries({ from: "n2", to: "n1", term: 1, prevLogIndex: 1, prevLogTerm: 1 }));
    expect(answer).toMatchObject({ success: false, term: 2 });
    expect(made.core("n1").role.kind).toBe("candidate");
  });

  test("§5.2 a candidate that neither wins nor loses begins another election, of the next term", () => {
    const made = cluster();
    made.timeout("n1");
    made.take();
    const { messages } = made.timeout("n1");
    expect(made.core("n1").hardState.currentTerm).toBe(3);
    expect(messages).toMatchObject([{ term: 3 }, { term: 3 }]);
  });

  test("§5.2 election timeouts are drawn from the whole interval, anew for each campaign", () => {
    const made = cluster();
    const drawn: number[] = [];
    for (let campaign = 0; campaign < 300; campaign++) {
      made.timeout("n1");
      made.take();
      drawn.push(deadlineOf(made.core("n1")) - made.node("n1").now);
    }
    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(500);
    expect(Math.max(...drawn)).toBeLessThanOrEqual(1000);
    expect(Math.min(...drawn)).toBeLessThan(520);
    expect(Math.max(...drawn)).toBeGreaterThan(980);
    expect(new Set(drawn).size).toBeGreaterThan(150);
  });

  test("§5.2 two servers do not draw the same timeouts", () => {
    const made = cluster();
    const deadlines = (id: NodeId): readonly number[] =>
      Array.from({ length: 10 }, () => {
        made.timeout(id);
        return deadlineOf(made.core(id)) - made.node(id).now;
      });
    expect(deadlines("n1")).not.toEqual(deadlines("n2"));
  });

  test("§5.2 granting a vote puts off an election of one's own, refusing it does not (Figure 2, followers)", () => {
    const made = cluster();
    const before = deadlineOf(made.core("n1"));
    made.node("n1").now = before - 1;
    receive(made, requestVote({ from: "n2", to: "n1", term: 2 }));
    const granted = deadlineOf(made.core("n1"));
    expect(granted).toBeGreaterThanOrEqual(before - 1 + 500);
    made.node("n1").now = granted - 1;
    receive(made, requestVote({ from: "n3", to: "n1", term: 2 }));
    expect(deadlineOf(made.core("n1"))).toBe(granted);
  });
});

describe("§5.4.1 election restriction", () => {
  const own = [1, 2, 3, 3];
  const rows: readonly (readonly [string, number, Term, boolean])[] = [
    ["an earlier last term and a longer log", 9, 2, false],
    ["the same last term and a shorter log", 3, 3, false],
    ["the same last term and an equal log", 4, 3, true],
    ["the same last term and a longer log", 5, 3, true],
    ["a later last term and a shorter log", 1, 4, true],
  ];
  test.each(rows)(
    "§5.4.1 with %s a candidate is refused or granted by who is more up-to-date",
    (_, lastLogIndex, lastLogTerm, granted) => {
      const made = new Cluster({ preVote: false });
      made.add("n1", stored({ term: 4, log: own, voters: three }));
      const [answer] = receive(made, requestVote({ from: "n2", to: "n1", term: 5, lastLogIndex, lastLogTerm }));
      expect(answer).toMatchObject({ voteGranted: granted });
      expect(made.core("n1").hardState.votedFor).toBe(granted ? "n2" : null);
    },
  );

  test("§5.4.1 a vote request says where the candidate's log ends", () => {
    const made = new Cluster({ preVote: false });
    made.add("n1", stored({ term: 4, log: own, voters: three }));
    expect(made.timeout("n1").messages[0]).toMatchObject({ lastLogIndex: 4, lastLogTerm: 3 });
  });

  test("§5.4.1 whoever wins has every committed entry", () => {
    const made = cluster(["n1", "n2", "n3", "n4", "n5"]);
    made.elect("n1");
    made.cut.add("n1 n4").add("n1 n5");
    made.propose("n1", "committed");
    made.settle();
    expect(made.core("n1").commitIndex).toBe(3);
    made.crash("n1");
    // n4 and n5, which lack it, cannot win however often they try; Leader Completeness is a law checked at each step.
    for (let round = 0; round < 3; round++)
      for (const id of ["n4", "n5"]) {
        made.tick(499);
        made.timeout(id);
        made.settle();
        expect(["n4", "n5"]).not.toContain(leaders(made)[0]);
      }
  });
});
