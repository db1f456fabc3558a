/** The four fields that every message begins with. */
import { assert } from "./assert.ts";
import type { RaftState } from "./state.ts";
import type { Generation, NodeId, Term } from "./types.ts";

export function envelope(
  raft: RaftState,
  to: NodeId,
): { readonly from: NodeId; readonly to: NodeId; readonly term: Term; readonly generation: Generation } {
  const { currentTerm, generation } = raft.hardState;
  assert(generation !== null, "a pristine node speaks to nobody");
  return { from: raft.id, to, term: currentTerm, generation };
}
