/** Which of the rare situations a step of a node was, as far as that step alone tells. */
import { isJoint, type RaftState, termAt } from "../raft/mod.ts";
import type { AppendEntriesResponse, Event, RequestVote, Term, Update } from "../raft/types.ts";
import type { Situations } from "./law.ts";

export function noteStep(situations: Situations, event: Event, update: Update, core: Readonly<RaftState>, maxTerm: Term): void {
  if (update.snapshot && isJoint(update.snapshot.snapshot.configuration)) situations.reach("snapshot of a joint configuration");
  if (event.kind === "receive") {
    const { message } = event;
    if (message.kind === "requestVote") noteVote(situations, message, update, core);
    if (message.kind === "appendEntriesResponse" && !message.success) noteHint(situations, message, core);
    if (message.kind === "timeoutNow" && core.role.kind === "candidate") situations.reach("leadership transferred");
  } else if (event.kind === "read" && core.config.leaseReads) {
    const isDeposed = core.role.kind === "leader" && core.hardState.currentTerm < maxTerm;
    if (isDeposed) situations.reach("read asked of a deposed leader that has leases");
  }
}

function noteVote(situations: Situations, message: RequestVote, update: Update, core: Readonly<RaftState>): void {
  const { hardState, role } = core;
  const answered = update.messages.some((answer) => answer.kind === "requestVoteResponse" && answer.voteGranted);
  if (answered) return;
  const hears = role.kind === "follower" && role.leader !== null;
  if (hears && message.term > hardState.currentTerm) situations.reach("vote refused for loyalty");
  if (!message.preVote && message.term === hardState.currentTerm && hardState.votedFor === null)
    situations.reach("vote refused for the log");
}

function noteHint(situations: Situations, message: AppendEntriesResponse, core: Readonly<RaftState>): void {
  if (core.role.kind !== "leader") return;
  const refused = termAt(core.log, message.refusedIndex);
  const hinted = termAt(core.log, message.hintIndex);
  if (refused !== null && hinted !== null && refused > hinted && message.hintIndex < message.refusedIndex - 1)
    situations.reach("conflict hint skips a term");
}
