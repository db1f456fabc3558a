/**
 * Rules that the walk cannot see broken: its time is abstract, and its disks do their writes in order and tell what they hold. Two of a new life,
 * and one of what is not durable yet.
 */
import { expect, test } from "vitest";
import { checkState } from "../raft/laws.ts";
import { createConfig, createRaft, lastIndex, step } from "../raft/mod.ts";
import type { AppendEntries, Entry, RequestVote } from "../raft/types.ts";

const generation = { number: 1, id: "0".repeat(32), parentId: null, forkIndex: 0 };
const configuration = { voters: ["n1", "n2", "n3"], votersOld: [], learners: [] };
const entries: readonly Entry[] = [{ kind: "configuration", index: 1, term: 1, configuration }];
const hardState = { currentTerm: 1, votedFor: null, generation };

function restarted(commitIndex: number, leaseReads: boolean, now: number) {
  const stored = { hardState, snapshot: null, firstIndex: 1, baseTerm: 0, entries, commitIndex };
  return createRaft({ id: "n1", config: createConfig({ leaseReads }), seed: 1, now, ...stored });
}

test("a commit index that lies beyond the log is not taken over", () => {
  const core = restarted(7, false, 0);
  expect(core.commitIndex).toBe(lastIndex(core.log));
  expect(() => checkState(core)).not.toThrow();
});

const request: RequestVote = {
  ...{ kind: "requestVote", from: "n2", to: "n1", term: 2, generation, preVote: false, leadershipTransfer: false },
  ...{ leaderGone: false, lastLogIndex: 1, lastLogTerm: 1 },
};

function grantedAfter(leaseReads: boolean, elapsed: number): boolean {
  const core = restarted(0, leaseReads, 1000);
  const { messages } = step(core, { kind: "receive", message: request, now: 1000 + elapsed });
  return messages.some((message) => message.kind === "requestVoteResponse" && message.voteGranted);
}

test("diss. §6.4.1 where leases are in use, who has just started votes for nobody for the shortest election timeout", () => {
  const { electionTimeoutMinMs } = createConfig();
  expect(grantedAfter(true, electionTimeoutMinMs - 1)).toBe(false);
  expect(grantedAfter(true, electionTimeoutMinMs)).toBe(true);
  expect(grantedAfter(false, 0)).toBe(true);
});

test("§7 of what is committed and not durable here yet no snapshot is taken", () => {
  const core = restarted(0, false, 0);
  const entry = { kind: "blank", index: 2, term: 2 } as const;
  const message: AppendEntries = {
    ...{ kind: "appendEntries", from: "n2", to: "n1", term: 2, generation, round: 0 },
    ...{ prevLogIndex: 1, prevLogTerm: 1, entries: [entry], leaderCommit: 2 },
  };
  const { write } = step(core, { kind: "receive", message, now: 1 });
  expect(core.commitIndex).toBe(2);
  const taken = { kind: "snapshotTaken", index: 2, data: new Uint8Array(1) } as const;
  expect(step(core, { ...taken, now: 2 }).snapshot).toBeNull();
  step(core, { kind: "persisted", write, index: 2, term: 2, now: 3 });
  expect(step(core, { ...taken, now: 4 }).snapshot?.snapshot.index).toBe(2);
});
