/** Collects what one step asks for, in the order of `Update`; passed from function to function, never stored. */
import { append, truncateFrom } from "./log.ts";
import { deadlineOf, leaderOf, type RaftState } from "./state.ts";
import type {
  Answer,
  Entry,
  HardState,
  LogIndex,
  Message,
  Refusal,
  RequestId,
  Snapshot,
  SnapshotWrite,
  Update,
} from "./types.ts";

export interface Outbox {
  hardStateChanged: boolean;
  truncateFrom: LogIndex | null;
  entries: Entry[];
  snapshot: SnapshotWrite | null;
  restore: Snapshot | null;
  messages: Message[];
  committed: readonly Entry[];
  answers: Answer[];
}

export function createOutbox(): Outbox {
  return {
    hardStateChanged: false,
    truncateFrom: null,
    entries: [],
    snapshot: null,
    restore: null,
    messages: [],
    committed: [],
    answers: [],
  };
}

export function setHardState(raft: RaftState, out: Outbox, change: Partial<HardState>): void {
  raft.hardState = { ...raft.hardState, ...change };
  out.hardStateChanged = true;
}

export function appendEntry(raft: RaftState, out: Outbox, entry: Entry): void {
  append(raft.log, entry);
  out.entries.push(entry);
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

export function finishUpdate(raft: RaftState, out: Outbox): Update {
  const writes = out.hardStateChanged || out.truncateFrom !== null || out.entries.length > 0;
  if (writes) {
    if (raft.durableWrite === raft.lastWrite) raft.writePendingSince = raft.now;
    raft.lastWrite++;
    if (out.truncateFrom !== null) raft.log.truncatedByWrite = raft.lastWrite;
  }
  return {
    write: writes ? raft.lastWrite : 0,
    hardState: out.hardStateChanged ? raft.hardState : null,
    truncateFrom: out.truncateFrom,
    entries: out.entries,
    snapshot: out.snapshot,
    messages: out.messages,
    restore: out.restore,
    committed: out.committed,
    answers: out.answers,
    deadline: deadlineOf(raft),
  };
}
