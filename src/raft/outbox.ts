/** Collects what one step asks for, in the order of `Update`; passed from function to function, never stored. */
import { append, truncateFrom } from "./log.ts";
import { deadlineOf, leaderOf, type RaftState } from "./state.ts";
import type {
  Answer,
  Entry,
  HardState,
  LogIndex,
  Message,
  Millis,
  Refusal,
  RequestId,
  Snapshot,
  SnapshotWrite,
  Update,
  WriteId,
} from "./types.ts";

/** An update in the making. */
export interface Outbox extends Update {
  write: WriteId;
  hardState: HardState | null;
  truncateFrom: LogIndex | null;
  entries: Entry[];
  snapshot: SnapshotWrite | null;
  messages: Message[];
  restore: Snapshot | null;
  committed: readonly Entry[];
  answers: Answer[];
  deadline: Millis;
}

export function createOutbox(): Outbox {
  return {
    write: 0,
    hardState: null,
    truncateFrom: null,
    entries: [],
    snapshot: null,
    messages: [],
    restore: null,
    committed: nothing,
    answers: [],
    deadline: Number.POSITIVE_INFINITY,
  };
}

const nothing: readonly Entry[] = [];

export function setHardState(raft: RaftState, out: Outbox, change: Partial<HardState>): void {
  raft.hardState = { ...raft.hardState, ...change };
  out.hardState = raft.hardState;
}

export function appendEntry(raft: RaftState, out: Outbox, entry: Entry): void {
  append(raft.log, entry);
  out.entries.push(entry);
}

/** At the end of the log, where the first of them belongs. */
export function appendEntries(raft: RaftState, out: Outbox, entries: readonly Entry[]): void {
  for (const entry of entries) append(raft.log, entry);
  out.entries = out.entries.length === 0 ? entries.slice() : [...out.entries, ...entries];
}

/** What this same step appended beyond is not asked of the disk at all. */
export function truncateLog(raft: RaftState, out: Outbox, from: LogIndex): void {
  truncateFrom(raft.log, from);
  out.truncateFrom = Math.min(out.truncateFrom ?? from, from);
  out.entries = out.entries.filter((entry) => entry.index < from);
}

export function refuse(raft: RaftState, out: Outbox, requestId: RequestId, refusal: Refusal): void {
  out.answers.push({ kind: "refused", requestId, refusal, leader: leaderOf(raft) });
}

/** Names the write, if there is one, and says when to come back. */
export function finishUpdate(raft: RaftState, out: Outbox): Update {
  if (out.hardState !== null || out.truncateFrom !== null || out.entries.length > 0) {
    if (raft.durableWrite === raft.lastWrite) raft.writePendingSince = raft.now;
    raft.lastWrite++;
    if (out.truncateFrom !== null) raft.log.truncatedByWrite = raft.lastWrite;
    out.write = raft.lastWrite;
  }
  out.deadline = deadlineOf(raft);
  return out;
}
