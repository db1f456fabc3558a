/** Majorities, single and joint (§6). Every decision of the core that needs "a majority" is made here. */
import type { Configuration, NodeId } from "./types.ts";

export type VoteResult = "won" | "lost" | "pending";

/**
 * The largest value that a majority has reached, of each half when joint. An empty half has reached everything, which makes a
 * configuration that is not joint a special case of one that is; a configuration without voters has reached nothing.
 */
export function quorumValue(configuration: Configuration, reached: (id: NodeId) => number): number {
  if (configuration.voters.length === 0) return Number.NEGATIVE_INFINITY;
  return Math.min(majorityValue(configuration.voters, reached), majorityValue(configuration.votersOld, reached));
}

function majorityValue(voters: readonly NodeId[], reached: (id: NodeId) => number): number {
  if (voters.length === 0) return Number.POSITIVE_INFINITY;
  const needed = Math.floor(voters.length / 2) + 1;
  let largest = Number.NEGATIVE_INFINITY;
  // Voters are few, and this is asked at each step of a leader: counting is cheaper than sorting.
  const values = voters.map(reached);
  for (const value of values) {
    if (value <= largest) continue;
    let count = 0;
    for (const other of values) if (other >= value) count++;
    if (count >= needed) largest = value;
  }
  return largest;
}

/** Only voters of `configuration` count; who has not answered is undefined in `votes`. */
export function voteResult(configuration: Configuration, votes: ReadonlyMap<NodeId, boolean>): VoteResult {
  if (quorumValue(configuration, (id) => (votes.get(id) === true ? 1 : 0)) === 1) return "won";
  return quorumValue(configuration, (id) => (votes.get(id) === false ? 0 : 1)) === 1 ? "pending" : "lost";
}
