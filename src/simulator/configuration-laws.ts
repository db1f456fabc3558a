/** Laws of changes of the cluster (§6), by counting every possible quorum rather than by the rules that the core uses. */
import type { RaftState } from "../raft/mod.ts";
import type { Configuration, ConfigurationEntry, NodeId } from "../raft/types.ts";
import { law } from "./law.ts";

/** Whether those that `holds` accepts are a majority of each half. */
export function isHeldByQuorum({ voters, votersOld }: Configuration, holds: (id: NodeId) => boolean): boolean {
  return isMajority(voters, holds) && (votersOld.length === 0 || isMajority(votersOld, holds));
}

function isMajority(ids: readonly NodeId[], holds: (id: NodeId) => boolean): boolean {
  let count = 0;
  for (const id of ids) if (holds(id)) count++;
  return count * 2 > ids.length;
}

/** A leader appends a configuration. */
export function checkChange(core: Readonly<RaftState>, entry: ConfigurationEntry): void {
  const { configurations } = core.log;
  const place = configurations.findIndex(({ index }) => index === entry.index);
  const before = configurations[place - 1];
  law(place >= 0, "One change at a time", () => `${core.id} appended a configuration at ${entry.index} and does not use it`);
  if (!before || before.configuration.voters.length === 0) return;
  law(
    before.index <= core.commitIndex,
    "One change at a time",
    () => `${core.id} appended a configuration at ${entry.index} while that at ${before.index} was open`,
  );
  law(
    alwaysMeet(before.configuration, entry.configuration),
    "Quorum overlap",
    () => `of the configurations at ${before.index} and ${entry.index}, quorums need not meet`,
  );
}

/** Whether every quorum of one has a node in common with every quorum of the other: no set and its complement both decide. */
export function alwaysMeet(a: Configuration, b: Configuration): boolean {
  const ids = [...new Set([...a.voters, ...a.votersOld, ...b.voters, ...b.votersOld])];
  for (let set = 0; set < 2 ** ids.length; set++) {
    const isIn = (id: NodeId): boolean => (set & (1 << ids.indexOf(id))) !== 0;
    if (isHeldByQuorum(a, isIn) && isHeldByQuorum(b, (id) => !isIn(id))) return false;
  }
  return true;
}
