/**
 * The four fields that every message begins with. Spread into the rare kinds; the frequent ones name each field, which costs a third as much.
 */
import { assert } from "./assert.ts";
import type { RaftState } from "./state.ts";
import type { Generation, NodeId, Term } from "./types.ts";

export function envelope(
  raft: RaftState,
  to: NodeId,
): { readonly from: NodeId; readonly to: NodeId; readonly term: Term; readonly generation: Generation } {
  return { from: raft.id, to, term: raft.hardState.currentTerm, generation: generationOf(raft) };
}

/** Of a node that takes part. */
export function generationOf(raft: RaftState): Generation {
  const { generation } = raft.hardState;
  assert(generation !== null, "a pristine node speaks to nobody");
  return generation;
}
