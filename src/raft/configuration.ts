/** §6: who takes part. Pure functions over a Configuration; the core alone decides when one is in force. */
import { assert } from "./assert.ts";
import type { Configuration, NodeId } from "./types.ts";

/** Of a pristine node: nobody, so nobody campaigns. */
export const emptyConfiguration: Configuration = { voters: [], votersOld: [], learners: [] };

/** Sorted, without repeats; a learner that is a voter too is a voter. */
export function createConfiguration(voters: readonly NodeId[], learners: readonly NodeId[] = []): Configuration {
  const sortedVoters = sortUnique(voters);
  return { voters: sortedVoters, votersOld: [], learners: sortUnique(learners).filter((id) => !sortedVoters.includes(id)) };
}

/** C_old,new of §6: decisions need both majorities until it is left. A demoted voter is among `votersOld` and `learners` until then. */
export function jointConfiguration(old: Configuration, next: Configuration): Configuration {
  assert(!isJoint(old) && !isJoint(next), "one configuration change is open at a time (§6)");
  return { voters: next.voters, votersOld: old.voters, learners: next.learners };
}

/** C_new of §6. */
export function leaveJoint(joint: Configuration): Configuration {
  return createConfiguration(joint.voters, joint.learners);
}

export function isJoint(configuration: Configuration): boolean {
  return configuration.votersOld.length > 0;
}

/** A voter of either half. */
export function isVoter(configuration: Configuration, id: NodeId): boolean {
  return configuration.voters.includes(id) || configuration.votersOld.includes(id);
}

/** Receives the log. */
export function isMember(configuration: Configuration, id: NodeId): boolean {
  return isVoter(configuration, id) || configuration.learners.includes(id);
}

/** Everybody who receives the log, sorted. */
export function members(configuration: Configuration): readonly NodeId[] {
  return sortUnique([...configuration.voters, ...configuration.votersOld, ...configuration.learners]);
}

export function sameConfiguration(a: Configuration, b: Configuration): boolean {
  return sameIds(a.voters, b.voters) && sameIds(a.votersOld, b.votersOld) && sameIds(a.learners, b.learners);
}

export function sameIds(a: readonly NodeId[], b: readonly NodeId[]): boolean {
  return a.length === b.length && a.every((id, position) => id === b[position]);
}

function sortUnique(ids: readonly NodeId[]): readonly NodeId[] {
  return [...new Set(ids)].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}
