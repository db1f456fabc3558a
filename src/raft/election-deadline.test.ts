/** §5.2: what puts the next campaign off: a leader that is heard, or a vote that is given. Not a later term alone. */
import { describe, expect, test } from "vitest";
import { createConfig, createRaft, deadlineOf, step } from "./mod.ts";
import type { Generation, RequestVote } from "./types.ts";

const generation: Generation = { number: 1, id: "0".repeat(32), parentId: null, forkIndex: 0 };

function voter() {
  const configuration = { voters: ["a", "b", "c"], votersOld: [], learners: [] };
  return createRaft({
    id: "a",
    config: createConfig({ preVote: false }),
    seed: 1,
    now: 0,
    hardState: { currentTerm: 2, votedFor: null, generation },
    snapshot: null,
    firstIndex: 1,
    baseTerm: 0,
    entries: [
      { kind: "configuration", index: 1, term: 1, configuration },
      { kind: "blank", index: 2, term: 2 },
    ],
    commitIndex: 1,
  });
}

function askedFor(term: number, lastLogIndex: number, lastLogTerm: number): RequestVote {
  const envelope = { from: "b", to: "a", term, generation } as const;
  return {
    ...envelope,
    kind: "requestVote",
    preVote: false,
    leadershipTransfer: false,
    leaderGone: false,
    lastLogIndex,
    lastLogTerm,
  };
}

describe("the next campaign", () => {
  test("is not put off by those who cannot win, however often they ask in ever later terms", () => {
    const raft = voter();
    const deadline = deadlineOf(raft);
    for (let term = 3; term < 8; term++) {
      const now = 10 * term;
      const { messages } = step(raft, { kind: "receive", now, message: askedFor(term, 1, 1) });
      expect(messages).toMatchObject([{ kind: "requestVoteResponse", voteGranted: false }]);
      expect(deadlineOf(raft)).toBe(deadline);
    }
    expect(step(raft, { kind: "timeout", now: deadline }).messages).toMatchObject([
      { kind: "requestVote", term: 8 },
      { kind: "requestVote", term: 8 },
    ]);
  });

  test("is put off by a vote that is given", () => {
    const raft = voter();
    const deadline = deadlineOf(raft);
    const { messages } = step(raft, { kind: "receive", now: deadline - 1, message: askedFor(3, 2, 2) });
    expect(messages).toMatchObject([{ kind: "requestVoteResponse", voteGranted: true }]);
    expect(deadlineOf(raft)).toBeGreaterThan(deadline);
  });
});
