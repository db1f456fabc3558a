/** Leadership transfer (diss. §3.10): bring the target up to date, tell it to campaign at once, give up after an election timeout. */
import { isVoter } from "./configuration.ts";
import { envelope } from "./envelope.ts";
import { lastIndex } from "./log.ts";
import { type Outbox, refuse } from "./outbox.ts";
import { configurationOf, type Leader, type RaftState } from "./state.ts";
import type { NodeId, RequestId } from "./types.ts";

export function transferLeadership(raft: RaftState, out: Outbox, requestId: RequestId, to: NodeId | null): void {
  const { role } = raft;
  if (role.kind !== "leader") return refuse(raft, out, requestId, "notLeader");
  if (role.transfer) return refuse(raft, out, requestId, "transferring");
  const target = to ?? bestFollower(raft, role);
  if (target === null || target === raft.id || !role.progress.has(target) || !isVoter(configurationOf(raft), target))
    return refuse(raft, out, requestId, "noTarget");
  role.transfer = { to: target, requestId, deadline: raft.now + raft.config.electionTimeoutMaxMs, sent: false };
}

/** The voter that was heard lately and follows furthest. */
function bestFollower(raft: RaftState, leader: Leader): NodeId | null {
  let best: NodeId | null = null;
  for (const [id, { matchIndex, lastContact }] of leader.progress) {
    const isFit = isVoter(configurationOf(raft), id) && raft.now - lastContact < raft.config.electionTimeoutMinMs;
    if (isFit && (best === null || matchIndex > (leader.progress.get(best)?.matchIndex ?? 0))) best = id;
  }
  return best;
}

/** As soon as the target has all of the log; nothing is added meanwhile. */
export function sendTimeoutNow(raft: RaftState, out: Outbox): void {
  if (raft.role.kind !== "leader" || !raft.role.transfer || raft.role.transfer.sent) return;
  const { transfer, progress } = raft.role;
  if (progress.get(transfer.to)?.matchIndex !== lastIndex(raft.log)) return;
  transfer.sent = true;
  raft.role.invitedAnother = true;
  out.messages.push({ ...envelope(raft, transfer.to), kind: "timeoutNow" });
}

/** The office is kept, and proposals are taken again; a campaign that comes late deposes this leader in a later term, as any would. */
export function giveUpTransfer(raft: RaftState, out: Outbox, leader: Leader): void {
  if (!leader.transfer || raft.now < leader.transfer.deadline) return;
  refuse(raft, out, leader.transfer.requestId, "transferFailed");
  leader.transfer = null;
}
