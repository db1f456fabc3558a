/**
 * Generations: which history of the room a node belongs to. When a majority is gone for good a person may continue without it: from one replica a
 * new generation begins, in which that node alone votes. This is no Raft: what the missing majority had committed and this replica lacks is missing
 * in it. So it has an id of its own, messages of the two never mix, and when they meet one of them yields, by a rule that both ends compute alike.
 */
import { createConfiguration } from "./configuration.ts";
import { lastIndex } from "./log.ts";
import { appendEntry, type Outbox, refuse, setHardState } from "./outbox.ts";
import { becomeFollower } from "./roles.ts";
import { leaderOf, type RaftState } from "./state.ts";
import type { Event, Generation } from "./types.ts";

type ContinueWithoutOthers = Extract<Event, { kind: "continueWithoutOthers" }>;

/** In a term above any that was seen, with a configuration of its own as its first entry. Refused where a majority still answers. */
export function continueWithoutOthers(raft: RaftState, out: Outbox, { requestId, generationId }: ContinueWithoutOthers): void {
  const { generation, currentTerm } = raft.hardState;
  if (leaderOf(raft) !== null) return refuse(raft, out, requestId, "leaderHeard");
  if (generation === null || generation.id === generationId) return refuse(raft, out, requestId, "notReady");
  becomeFollower(raft, out, currentTerm + 1, null);
  setHardState(raft, out, { generation: childOf(generation, generationId, raft.commitIndex) });
  raft.incoming = null;
  const index = lastIndex(raft.log) + 1;
  const configuration = createConfiguration([raft.id]);
  appendEntry(raft, out, { kind: "configuration", index, term: currentTerm + 1, configuration });
  out.answers.push({ kind: "proposed", requestId, index, term: currentTerm + 1 });
  if (raft.role.kind === "follower") raft.role.electionDeadline = raft.now;
}

/** `commitIndex`: through here both histories are surely the same. What lies behind it in this log stays, as history of the child. */
function childOf({ number, id }: Generation, generationId: string, commitIndex: number): Generation {
  return { number: number + 1, id: generationId, parentId: id, forkIndex: commitIndex };
}

/**
 * Which of two generations goes on when they meet: the same one, whichever end asks. `hasQuorum`: a majority of its voters answers now.
 * A parent with a live quorum wins: nothing is gone there; else the higher number; else the larger id. With no quorum on either
 * side, the parent yields too: its person has decided.
 */
export function survivor<G extends Pick<Generation, "number" | "id" | "parentId">>(
  a: { readonly generation: G; readonly hasQuorum: boolean },
  b: { readonly generation: G; readonly hasQuorum: boolean },
): G {
  if (b.generation.parentId === a.generation.id && a.hasQuorum) return a.generation;
  if (a.generation.parentId === b.generation.id && b.hasQuorum) return b.generation;
  if (a.generation.number !== b.generation.number) return a.generation.number > b.generation.number ? a.generation : b.generation;
  return a.generation.id > b.generation.id ? a.generation : b.generation;
}
