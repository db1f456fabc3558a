/** What the paper says of replication, commitment and crashes: §5.3, §5.4.2, §5.5, §5.6 and the rules of Figure 2. */
import { describe, expect, test } from "vitest";
import { createConfig } from "./config.ts";
import { lastIndex, slice, termAt } from "./log.ts";
import { Cluster } from "./testing/cluster.ts";
import { appendEntries, appendEntriesResponse, command, requestVote, stored } from "./testing/messages.ts";
import type { Message, NodeId, Term, Update } from "./types.ts";

const three = ["n1", "n2", "n3"];

function elected(voters: readonly NodeId[] = three): Cluster {
  const made = new Cluster();
  made.addVoters(voters);
  made.elect("n1");
  return made;
}

function receive(made: Cluster, message: Message): Update {
  return made.step(message.to, { kind: "receive", message });
}

function termsOf(made: Cluster, id: NodeId): readonly Term[] {
  return made.core(id).log.entries.map(({ term }) => term);
}

/** A follower of n1, term 9, with a log of these terms. */
function follower(log: readonly Term[], commit = 0): Cluster {
  const made = new Cluster();
  made.add("n2", stored({ term: 9, log, voters: three, commit }));
  return made;
}

describe("§5.3 log replication", () => {
  test("§5.3 a leader appends a command to its log and sends it to all the others at once", () => {
    const made = elected();
    const { entries, messages } = made.propose("n1", "a");
    expect(entries).toMatchObject([{ kind: "command", index: 3, term: 2 }]);
    expect(messages).toMatchObject([
      { to: "n2", kind: "appendEntries", entries: [{ index: 3 }] },
      { to: "n3", kind: "appendEntries", entries: [{ index: 3 }] },
    ]);
  });

  test("§5.3 an entry is committed once a majority has it, and is handed over for apply", () => {
    const made = elected(["n1", "n2", "n3", "n4", "n5"]);
    made.propose("n1", "a");
    made.take();
    expect(receive(made, appendEntriesResponse({ from: "n2", to: "n1", term: 2, matchIndex: 3 })).committed).toEqual([]);
    expect(receive(made, appendEntriesResponse({ from: "n3", to: "n1", term: 2, matchIndex: 3 })).committed).toMatchObject([
      { index: 3, kind: "command" },
    ]);
  });

  test("§5.3 a leader goes on sending to a follower that does not answer, also after the commit", () => {
    const made = elected();
    made.cut.add("n1 n3");
    made.propose("n1", "a");
    made.run(3000);
    expect(made.core("n1").commitIndex).toBe(3);
    made.cut.clear();
    made.run(500);
    expect(termsOf(made, "n3")).toEqual([1, 2, 2]);
  });

  test("§5.3 committing an entry commits all before it, those of earlier leaders too", () => {
    const made = new Cluster();
    for (const id of three) made.add(id, stored({ term: 3, log: [1, 2, 3], voters: three }));
    made.elect("n1");
    expect(made.core("n1").commitIndex).toBe(4);
    expect(made.node("n2").applied).toBe(4);
  });

  test("§5.3 the leader tells the highest index that it knows to be committed in each AppendEntries", () => {
    const made = elected();
    made.propose("n1", "a");
    made.settle();
    for (const message of made.timeout("n1").messages) expect(message).toMatchObject({ leaderCommit: 3 });
  });

  test("§5.3 a follower applies what it learns to be committed, in the order of the log", () => {
    const made = follower([1, 1, 1]);
    const message = appendEntries({ from: "n1", to: "n2", term: 9, prevLogIndex: 3, prevLogTerm: 1, leaderCommit: 2 });
    expect(receive(made, message).committed.map(({ index }) => index)).toEqual([1, 2]);
    expect(receive(made, { ...message, leaderCommit: 3 }).committed.map(({ index }) => index)).toEqual([3]);
  });

  test("§5.3 a leader makes one entry for an index in its term", () => {
    const made = elected();
    const indexes = ["a", "b", "c"].flatMap((text) => made.propose("n1", text).entries.map(({ index }) => index));
    expect(indexes).toEqual([3, 4, 5]);
  });

  test("§5.3 an AppendEntries names the entry right before its own", () => {
    const made = elected();
    made.propose("n1", "a");
    expect(made.propose("n1", "b").messages[0]).toMatchObject({ prevLogIndex: 3, prevLogTerm: 2, entries: [{ index: 4 }] });
  });

  test.each([
    ["it has no entry there", 5, 1],
    ["it has another entry there", 3, 2],
  ])("§5.3 a follower refuses if %s", (_, prevLogIndex, prevLogTerm) => {
    const made = follower([1, 1, 1]);
    const entries = [command(prevLogIndex + 1, 9)];
    const update = receive(made, appendEntries({ from: "n1", to: "n2", term: 9, prevLogIndex, prevLogTerm, entries }));
    expect(update.messages).toMatchObject([{ success: false, refusedIndex: prevLogIndex }]);
    expect(termsOf(made, "n2")).toEqual([1, 1, 1]);
  });

  test("§5.3 conflicting entries are overwritten by the leader's, and all that follow them are removed", () => {
    const made = follower([1, 2, 2, 2]);
    const update = receive(
      made,
      appendEntries({ from: "n1", to: "n2", term: 9, prevLogIndex: 1, prevLogTerm: 1, entries: [command(2, 3)] }),
    );
    expect(update).toMatchObject({ truncateFrom: 2, entries: [{ index: 2, term: 3 }] });
    expect(termsOf(made, "n2")).toEqual([1, 3]);
  });

  test("§5.3 entries that it has already are kept, with what follows them", () => {
    const made = follower([1, 2, 2, 2]);
    const update = receive(
      made,
      appendEntries({ from: "n1", to: "n2", term: 9, prevLogIndex: 1, prevLogTerm: 1, entries: [command(2, 2)] }),
    );
    expect(update).toMatchObject({ truncateFrom: null, entries: [] });
    expect(termsOf(made, "n2")).toEqual([1, 2, 2, 2]);
  });

  test("§5.3 a new leader begins right after its own last entry, for each follower", () => {
    const made = new Cluster();
    for (const id of three) made.add(id, stored({ term: 3, log: [1, 2, 3], voters: three }));
    const sent: Message[] = [];
    made.listener = { stepped: () => undefined, sent: (message) => sent.push(message) };
    made.elect("n1");
    const first = sent.find(({ kind }) => kind === "appendEntries");
    expect(first).toMatchObject({ prevLogIndex: 3, prevLogTerm: 3, entries: [] });
  });

  test("§5.3 after a refusal nextIndex goes back until the logs agree, and no entries travel before", () => {
    const made = new Cluster();
    made.add("n1", stored({ term: 3, log: [1, 1, 3, 3, 3], voters: three }));
    made.add("n2", stored({ term: 3, log: [1, 1, 2, 2], voters: three }));
    made.add("n3", stored({ term: 3, log: [1, 1, 3, 3, 3], voters: three }));
    const withEntries: Message[] = [];
    made.listener = {
      stepped: () => undefined,
      sent: (message) => {
        if (message.kind === "appendEntries" && message.to === "n2" && message.entries.length > 0) withEntries.push(message);
      },
    };
    made.elect("n1");
    expect(withEntries[0]).toMatchObject({ prevLogIndex: 2, prevLogTerm: 1 });
    expect(termsOf(made, "n2")).toEqual([1, 1, 3, 3, 3, 4]);
  });

  test("§5.3 one refusal for each conflicting term, not for each entry", () => {
    const made = new Cluster();
    const shared = Array.from({ length: 30 }, () => 1);
    const many = (term: Term): readonly Term[] => Array.from({ length: 30 }, () => term);
    made.add("n1", stored({ term: 6, log: [...shared, ...many(3), ...many(5)], voters: three }));
    made.add("n2", stored({ term: 6, log: [...shared, ...many(2), ...many(4)], voters: three }));
    made.add("n3", stored({ term: 6, log: [...shared, ...many(3), ...many(5)], voters: three }));
    let refusals = 0;
    made.listener = {
      stepped: () => undefined,
      sent: (message) => {
        if (message.kind === "appendEntriesResponse" && !message.success) refusals++;
      },
    };
    made.elect("n1");
    expect(refusals).toBeLessThanOrEqual(2);
    expect(termsOf(made, "n2")).toEqual(termsOf(made, "n1"));
  });

  test("§5.3 Log Matching: logs that agree on one entry agree on all before it", () => {
    const made = elected(["n1", "n2", "n3", "n4", "n5"]);
    for (let turn = 0; turn < 60; turn++) {
      const leader = [...made.nodes.values()].findLast(({ core }) => core.role.kind === "leader");
      if (leader) made.propose(leader.id, `c${turn}`);
      made.deliver(made.waiting.splice(0, 1 + ((turn * 7) % 5)));
      if (turn % 9 === 0) made.take();
      made.tick(90);
    }
    made.run(3000);
    const [first, ...others] = [...made.nodes.keys()].map((id) => slice(made.core(id).log, 1, 20).map(({ term }) => term));
    for (const other of others) expect(other).toEqual(first);
  });

  test("§5.3 a leader never changes its own log, but at its end", () => {
    const made = elected();
    made.propose("n1", "a");
    made.settle();
    const before = [...made.core("n1").log.entries];
    receive(made, appendEntriesResponse({ from: "n2", to: "n1", term: 2, success: false, refusedIndex: 3, hintIndex: 0 }));
    made.propose("n1", "b");
    made.settle();
    expect(made.core("n1").log.entries.slice(0, before.length)).toEqual(before);
  });
});

describe("§5.4.2 entries of earlier terms", () => {
  test("§5.4.2 they are not committed by counting replicas", () => {
    const made = new Cluster();
    for (const id of three) made.add(id, stored({ term: 2, log: [1, 2, 2], voters: three }));
    made.cut.add("n1 n3");
    made.timeout("n1");
    while (made.core("n1").role.kind !== "leader") made.deliver(made.take());
    made.take();
    // Both others hold all of term 2.
    receive(made, appendEntriesResponse({ from: "n2", to: "n1", term: 3, matchIndex: 3 }));
    receive(made, appendEntriesResponse({ from: "n3", to: "n1", term: 3, matchIndex: 3 }));
    expect(made.core("n1").commitIndex).toBe(0);
    // One of them holds the leader's own entry too: all of it is committed.
    receive(made, appendEntriesResponse({ from: "n2", to: "n1", term: 3, matchIndex: 4 }));
    expect(made.core("n1").commitIndex).toBe(4);
  });

  test("§5.4.2 entries keep their term when a later leader replicates them", () => {
    const made = new Cluster();
    made.add("n1", stored({ term: 5, log: [1, 2, 2], voters: three }));
    made.add("n2", stored({ term: 5, log: [1], voters: three }));
    made.add("n3", stored({ term: 5, log: [1], voters: three }));
    made.elect("n1");
    expect(termsOf(made, "n3")).toEqual([1, 2, 2, 6]);
  });
});

describe("§5.5 crashes", () => {
  test("§5.5 whoever was down gets what it missed when it is back", () => {
    const made = elected();
    made.crash("n3");
    made.propose("n1", "a");
    made.run(500);
    made.restart("n3");
    made.run(500);
    expect(made.core("n3").commitIndex).toBe(3);
  });

  test("§5.5 a repeated AppendEntries changes nothing and is answered alike", () => {
    const made = follower([1, 1]);
    const message = appendEntries({ from: "n1", to: "n2", term: 9, prevLogIndex: 2, prevLogTerm: 1, entries: [command(3, 9)] });
    receive(made, message);
    made.take();
    const again = receive(made, message);
    expect(again).toMatchObject({ write: 0, messages: [{ success: true, matchIndex: 3 }] });
  });

  test("§5.5 a repeated vote request is answered alike", () => {
    const made = follower([1, 1]);
    const [first] = receive(made, requestVote({ from: "n1", to: "n2", term: 10 })).messages;
    const again = receive(made, requestVote({ from: "n1", to: "n2", term: 10 }));
    expect(again.messages).toEqual([first]);
    expect(again.write).toBe(0);
  });
});

describe("§5.6 timing", () => {
  test("§5.6 heartbeats must be well within an election timeout", () => {
    expect(() => createConfig({ heartbeatMs: 300, electionTimeoutMinMs: 500, electionTimeoutMaxMs: 1000 })).toThrow(
      /heartbeatMs/,
    );
  });
});

describe("Figure 2", () => {
  test("§5 Figure 2: nothing that was answered is forgotten in a crash", () => {
    const made = follower([1]);
    made.node("n2").fastDisk = false;
    receive(made, appendEntries({ from: "n1", to: "n2", term: 9, prevLogIndex: 1, prevLogTerm: 1, entries: [command(2, 9)] }));
    expect(made.waiting).toEqual([]);
    made.add("n1", stored({ term: 9, log: [1], voters: three }));
    made.persist("n2");
    expect(made.waiting).toMatchObject([{ success: true, matchIndex: 2 }]);
    made.restart("n2");
    expect(lastIndex(made.core("n2").log)).toBe(2);
  });

  test("§5 Figure 2: commitIndex is the smaller of leaderCommit and the last entry that the message verified", () => {
    const made = follower([1, 1, 2, 2]);
    receive(
      made,
      appendEntries({
        from: "n1",
        to: "n2",
        term: 9,
        prevLogIndex: 1,
        prevLogTerm: 1,
        entries: [command(2, 1)],
        leaderCommit: 4,
      }),
    );
    expect(made.core("n2").commitIndex).toBe(2);
  });

  test("§5 Figure 2: commitIndex never goes back", () => {
    const made = follower([1, 1, 1], 3);
    receive(made, appendEntries({ from: "n1", to: "n2", term: 9, prevLogIndex: 3, prevLogTerm: 1, leaderCommit: 1 }));
    expect(made.core("n2").commitIndex).toBe(3);
  });

  test("§5 Figure 2: a leader commits the highest index that a majority holds, not the highest of all", () => {
    const made = elected(["n1", "n2", "n3", "n4", "n5"]);
    for (const text of ["a", "b", "c", "d"]) made.propose("n1", text);
    made.take();
    [6, 4, 3, 0].forEach((matchIndex, at) => {
      receive(made, appendEntriesResponse({ from: `n${at + 2}`, to: "n1", term: 2, matchIndex }));
    });
    expect(made.core("n1").commitIndex).toBe(4);
    expect(termAt(made.core("n1").log, 4)).toBe(2);
  });
});
