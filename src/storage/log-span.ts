/** Where a log begins and ends, what its snapshot stands for, and which writes fit: the same rules for every storage. Pure. */
import type { LogWrite } from "../driver/interfaces.ts";
import type { LogIndex, SnapshotWrite } from "../raft/types.ts";
import { assert } from "./assert.ts";

export interface LogSpan {
  /** At most one past the snapshot. */
  readonly firstIndex: LogIndex;
  /** `firstIndex - 1` if the log is empty. Never before the snapshot. */
  readonly lastIndex: LogIndex;
  /** 0 without one. */
  readonly snapshotIndex: LogIndex;
}

/** The span once the write is done. Throws (assertion) on one that does not fit. */
export function spanAfterWrite(span: LogSpan, { truncateFrom, entries }: LogWrite): LogSpan {
  let last = span.lastIndex;
  if (truncateFrom !== null) {
    // What a snapshot stands for is committed, and what is committed is never taken back.
    const floor = Math.max(span.firstIndex, span.snapshotIndex + 1);
    assert(truncateFrom >= floor, `truncation from ${truncateFrom}, below ${floor}`);
    last = Math.min(last, truncateFrom - 1);
  }
  const first = entries[0]?.index ?? last + 1;
  // No message is put together for a write that is right.
  if (first !== last + 1) assert(false, `entry ${first} appended to a log that ends at ${last}`);
  return { firstIndex: span.firstIndex, lastIndex: last + entries.length, snapshotIndex: span.snapshotIndex };
}

/** As above. */
export function spanAfterSnapshot(span: LogSpan, { snapshot, compactThrough, reset }: SnapshotWrite): LogSpan {
  const { index } = snapshot;
  assert(index >= span.snapshotIndex, `a snapshot of ${index} after one of ${span.snapshotIndex}`);
  if (reset) return { firstIndex: index + 1, lastIndex: index, snapshotIndex: index };
  assert(index <= span.lastIndex, `a snapshot of ${index} beside a log that ends at ${span.lastIndex}`);
  const isSound = Number.isSafeInteger(compactThrough) && compactThrough >= 0 && compactThrough <= index;
  assert(isSound, `compaction through ${compactThrough} for a snapshot of ${index}`);
  return { ...span, firstIndex: Math.max(span.firstIndex, compactThrough + 1), snapshotIndex: index };
}

/** What a commit index may say of such a log: a snapshot is committed, and nothing beyond the log is there to be. */
export function clampCommitIndex(commitIndex: LogIndex, { snapshotIndex, lastIndex }: LogSpan): LogIndex {
  return Math.max(snapshotIndex, Math.min(commitIndex, lastIndex));
}
