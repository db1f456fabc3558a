/** The text as it was at an earlier index, played anew from what the node still has. */
import { SharedDocument } from "../document/shared-document.ts";
import { Applier } from "../driver/applier.ts";
import { type RaftState, slice } from "../raft/mod.ts";
import type { LogIndex } from "../raft/types.ts";

/** `null`: what led there was compacted away. */
export function textAt({ snapshot, log, commitIndex }: Readonly<RaftState>, index: LogIndex): string | null {
  if (index > commitIndex || (snapshot?.index ?? 0) > index || log.baseIndex > (snapshot?.index ?? 0)) return null;
  const document = new SharedDocument();
  const applier = new Applier(document);
  if (snapshot) applier.restore(snapshot);
  applier.apply(slice(log, applier.lastApplied + 1, index));
  return document.text;
}
