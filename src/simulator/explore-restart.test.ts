/** What a new life makes of what the one before left, where the abstract time of the walk does not reach. */
import { expect, test } from "vitest";
import { checkState } from "../raft/laws.ts";
import { createConfig, createRaft, lastIndex, step } from "../raft/mod.ts";
import type { Entry, RequestVote } from "../raft/types.ts";

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
  ...{ lastLogIndex: 1, lastLogTerm: 1 },
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
