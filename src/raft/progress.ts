/**
 * What a leader knows of one follower. `probe`: where the logs agree is not known, one message at a time feels for it. `replicate`:
 * known; messages are pipelined, `nextIndex` runs ahead of `matchIndex` within the in-flight window. `snapshot`: what it lacks was compacted
 * away, so the snapshot travels first (§7).
 * Laws: matchIndex < nextIndex; matchIndex never falls.
 */
import { assert } from "./assert.ts";
import type { LogIndex, Millis, Snapshot } from "./types.ts";

export interface Progress {
  /** Figure 2: highest index known to be durable and equal there. */
  matchIndex: LogIndex;
  /** Figure 2: the next entry to send. */
  nextIndex: LogIndex;
  state: "probe" | "replicate" | "snapshot";
  /** In `snapshot`: what is being sent; a newer one takes its place only if the log no longer follows on it. */
  transfer: SnapshotTransfer | null;
  /** In `probe`: the one message is under way. A heartbeat sends it anew. */
  probeSent: boolean;
  /** Sent with entries, not acknowledged, oldest first. */
  inflight: { readonly lastIndex: LogIndex; readonly bytes: number }[];
  inflightBytes: number;
  /** Highest leaderCommit that was sent. */
  sentCommit: LogIndex;
  /** Highest read round that was sent. */
  sentRound: number;
  /** When an answer last arrived (CheckQuorum). */
  lastContact: Millis;
  /** Highest read round that was answered. */
  ackedRound: number;
}

export interface SnapshotTransfer {
  readonly snapshot: Snapshot;
  /** Bytes that the follower has; `null` until it has told where to begin. */
  ackedOffset: number | null;
  /** Bytes that are under way or there. */
  sentOffset: number;
  /** The question for the offset is under way. */
  asked: boolean;
  /** Something was acknowledged since the last heartbeat. */
  moved: boolean;
}

export function createProgress(lastIndex: LogIndex, now: Millis): Progress {
  return {
    matchIndex: 0,
    nextIndex: lastIndex + 1,
    state: "probe",
    transfer: null,
    probeSent: false,
    inflight: [],
    inflightBytes: 0,
    sentCommit: 0,
    sentRound: 0,
    lastContact: now,
    ackedRound: 0,
  };
}

/** Where the logs agree is unknown again: a refusal, a lost connection. */
export function becomeProbe(progress: Progress, nextIndex: LogIndex): void {
  progress.state = "probe";
  progress.transfer = null;
  progress.probeSent = false;
  progress.inflight = [];
  progress.inflightBytes = 0;
  progress.nextIndex = Math.max(nextIndex, progress.matchIndex + 1);
}

/** What it lacks is no longer in the log. */
export function becomeSnapshot(progress: Progress, snapshot: Snapshot): void {
  progress.state = "snapshot";
  progress.transfer = { snapshot, ackedOffset: null, sentOffset: 0, asked: false, moved: false };
  progress.inflight = [];
  progress.inflightBytes = 0;
}

/** A success arrived. A stale one (lower match) changes nothing but the state. */
export function acknowledge(progress: Progress, matchIndex: LogIndex): void {
  progress.matchIndex = Math.max(progress.matchIndex, matchIndex);
  progress.nextIndex = Math.max(progress.nextIndex, progress.matchIndex + 1);
  // A snapshot that is under way has arrived once the follower's log reaches through it.
  if (progress.transfer && progress.matchIndex < progress.transfer.snapshot.index) return;
  if (progress.transfer) progress.nextIndex = progress.matchIndex + 1;
  progress.transfer = null;
  progress.state = "replicate";
  progress.probeSent = false;
  while (progress.inflight[0] && progress.inflight[0].lastIndex <= progress.matchIndex)
    progress.inflightBytes -= progress.inflight.shift()?.bytes ?? 0;
  assert(progress.inflightBytes >= 0, "the in-flight window counts what was sent");
}

/** Whether a refusal of `refusedIndex` still means something; an older message's does not. */
export function isCurrentRefusal(progress: Progress, refusedIndex: LogIndex): boolean {
  if (progress.state === "snapshot") return false;
  if (progress.state === "probe") return refusedIndex === progress.nextIndex - 1;
  return refusedIndex > progress.matchIndex;
}

export function recordSent(progress: Progress, lastIndex: LogIndex, bytes: number): void {
  progress.nextIndex = lastIndex + 1;
  progress.inflight.push({ lastIndex, bytes });
  progress.inflightBytes += bytes;
}

export function windowIsOpen(progress: Progress, maxMessages: number, maxBytes: number): boolean {
  return progress.inflight.length < maxMessages && progress.inflightBytes < maxBytes;
}
