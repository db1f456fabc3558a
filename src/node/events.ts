/** What happened, in words for people: the last few hundred events of this node. */
import type { RaftMetrics } from "../driver/metrics.ts";
import type { NodeId } from "../raft/types.ts";
import type { NodeEvent } from "./protocol.ts";

/** Turns two records of a node into the sentences between them. */
export function describeChange(
  before: RaftMetrics,
  after: RaftMetrics,
  nameOf: (id: NodeId) => string,
): readonly Omit<NodeEvent, "at">[] {
  const events: Omit<NodeEvent, "at">[] = [];
  const term = after.currentTerm;
  const tell = (kind: NodeEvent["kind"], text: string): void => {
    events.push({ kind, term, text });
  };
  if (after.currentLeader !== before.currentLeader) {
    if (after.currentLeader === after.id) tell("election", `This tab leads since term ${term}.`);
    else if (after.currentLeader !== null) tell("election", `${nameOf(after.currentLeader)} leads in term ${term}.`);
    // Why is told by `TurningPoints`.
    else if (before.currentLeader !== before.id) tell("election", "There is no leader.");
  }
  if (after.membershipIndex !== before.membershipIndex) {
    const { voters, votersOld, learners } = after.membershipConfig;
    const names = (ids: readonly NodeId[]): string => (ids.length === 0 ? "nobody" : ids.map(nameOf).join(", "));
    const joint = votersOld.length > 0 ? ` (joint with ${names(votersOld)})` : "";
    tell("configuration", `Voters: ${names(voters)}${joint}; learners: ${names(learners)}.`);
  }
  const { refusedSnapshot: refused } = after;
  if (refused && refused.index !== before.refusedSnapshot?.index) {
    const size = `the document's snapshot has ${refused.bytes} bytes`;
    tell("storage", `This tab cannot catch up: ${size}, more than it accepts (maxSnapshotBytes).`);
  }
  return events;
}
