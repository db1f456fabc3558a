/** Commands on their way into the log: appended by the leader, handed on by everybody else. */
import { envelope } from "./envelope.ts";
import { commandBytes, lastIndex } from "./log.ts";
import { appendEntry, type Outbox, refuse } from "./outbox.ts";
import { type Leader, leaderOf, type RaftState } from "./state.ts";
import type { Event, LogIndex, Propose, ProposeResponse, Refusal } from "./types.ts";

export function propose(raft: RaftState, out: Outbox, event: Extract<Event, { kind: "propose" }>): void {
  const leader = leaderOf(raft);
  if (leader === null || (event.ifTerm !== null && event.ifTerm !== raft.hardState.currentTerm)) {
    refuse(raft, out, event.requestId, "notLeader");
  } else if (leader !== raft.id) {
    raft.forwarded.set(event.requestId, leader);
    out.messages.push({ ...envelope(raft, leader), kind: "propose", requestId: event.requestId, commands: event.commands });
  } else {
    const bytes = bytesOf(event.commands);
    const refusal = whyNot(raft, bytes);
    if (refusal) {
      refuse(raft, out, event.requestId, refusal);
      return;
    }
    const index = appendCommands(raft, out, event.commands, bytes);
    out.answers.push({ kind: "proposed", requestId: event.requestId, index, term: raft.hardState.currentTerm });
  }
}

/** The uncommitted tail is bounded: without a quorum a leader does not collect for ever. */
function whyNot(raft: RaftState, bytes: number): Refusal | null {
  if (raft.role.kind !== "leader") return "notLeader";
  if (raft.role.transfer) return "transferring";
  return raft.role.uncommittedBytes + bytes > raft.config.maxUncommittedBytes ? "overloaded" : null;
}

function bytesOf(commands: readonly Uint8Array[]): number {
  let bytes = 0;
  for (const command of commands) bytes += commandBytes(command);
  return bytes;
}

/** All of them, one behind the other. */
function appendCommands(raft: RaftState, out: Outbox, commands: readonly Uint8Array[], bytes: number): LogIndex {
  const firstIndex = lastIndex(raft.log) + 1;
  const term = raft.hardState.currentTerm;
  let index = firstIndex;
  for (const command of commands) appendEntry(raft, out, { kind: "command", index: index++, term, command });
  if (raft.role.kind === "leader") raft.role.uncommittedBytes += bytes;
  return firstIndex;
}

/** How many forwarded requests of each node a leader remembers, to know a duplicated message. */
const rememberedRequests = 1024;

/**
 * A message that arrives twice is taken once: a leader remembers what it was asked in its term, and serves what was sent in its term
 * alone, so a copy can neither be taken again here nor by a later leader.
 */
export function handlePropose(raft: RaftState, out: Outbox, message: Propose): void {
  if (raft.role.kind === "leader" && !remember(raft.role, message)) return;
  const bytes = bytesOf(message.commands);
  const refusal = message.term === raft.hardState.currentTerm ? whyNot(raft, bytes) : "notLeader";
  const firstIndex = refusal ? 0 : appendCommands(raft, out, message.commands, bytes);
  out.messages.push({
    ...envelope(raft, message.from),
    kind: "proposeResponse",
    requestId: message.requestId,
    firstIndex,
    entriesTerm: refusal ? 0 : raft.hardState.currentTerm,
    refusal,
  });
}

export function handleProposeResponse(raft: RaftState, out: Outbox, message: ProposeResponse): void {
  if (raft.forwarded.get(message.requestId) !== message.from) return;
  raft.forwarded.delete(message.requestId);
  if (message.refusal) refuse(raft, out, message.requestId, message.refusal);
  else out.answers.push({ kind: "proposed", requestId: message.requestId, index: message.firstIndex, term: message.entriesTerm });
}

/** `false`: it was asked before. */
function remember(leader: Leader, { from, requestId }: Propose): boolean {
  const known = leader.requestsSeen.get(from) ?? new Set();
  if (known.has(requestId)) return false;
  known.add(requestId);
  if (known.size > rememberedRequests) for (const oldest of [...known].slice(0, rememberedRequests / 2)) known.delete(oldest);
  leader.requestsSeen.set(from, known);
  return true;
}
