/**
 * Whether a leader whose tab is hidden should hand its office to a tab that somebody looks at: a browser may freeze a hidden one at any moment. A
 * pure rule; safety and the office itself are the core's business.
 */
import type { LogIndex, Millis, NodeId } from "../raft/types.ts";

export interface OfficeInput {
  /** Since this node's tab was hidden; `null`: somebody looks at it. */
  readonly hiddenMs: Millis | null;
  /** When leaders changed, as far as this node has seen, ages in milliseconds. */
  readonly changesAgoMs: readonly Millis[];
  readonly lastLogIndex: LogIndex;
  /** The other voters. */
  readonly voters: readonly {
    readonly id: NodeId;
    readonly connected: boolean;
    /** Since its tab has been visible; `null`: hidden. */
    readonly visibleMs: Millis | null;
    readonly matchIndex: LogIndex | null;
  }[];
}

export interface OfficeLimits {
  readonly hiddenAfterMs: Millis;
  /** A tab that was opened for a glance does not get the office. */
  readonly visibleForMs: Millis;
  /** Followers further behind would keep everybody waiting. */
  readonly maxLag: number;
  /** At most so many changes of leader ... */
  readonly maxChanges: number;
  /** ... in so long: however often somebody switches tabs, the office does not follow each time. */
  readonly changesWithinMs: Millis;
}

export const defaultOfficeLimits: OfficeLimits = {
  hiddenAfterMs: 5000,
  visibleForMs: 2000,
  maxLag: 100,
  maxChanges: 2,
  changesWithinMs: 60_000,
};

/** To whom, or `null`: to nobody, now. */
export function handOverTo(input: OfficeInput, limits: OfficeLimits = defaultOfficeLimits): NodeId | null {
  if (input.hiddenMs === null || input.hiddenMs < limits.hiddenAfterMs) return null;
  if (input.changesAgoMs.filter((ago) => ago < limits.changesWithinMs).length >= limits.maxChanges) return null;
  const fit = input.voters.filter(
    ({ connected, visibleMs, matchIndex }) =>
      connected &&
      visibleMs !== null &&
      visibleMs >= limits.visibleForMs &&
      matchIndex !== null &&
      matchIndex + limits.maxLag >= input.lastLogIndex,
  );
  const best = fit.sort((a, b) => (b.visibleMs ?? 0) - (a.visibleMs ?? 0) || (a.id < b.id ? -1 : 1))[0];
  return best?.id ?? null;
}
