/** What the policy knows of each node, and what follows from that alone. */
import type { LogIndex, Millis, NodeId } from "../raft/types.ts";

export interface Health {
  readonly id: NodeId;
  /** It was heard just now, directly or through another. Always true of this node itself. */
  readonly connected: boolean;
  /** Since it was last heard, or since this node began to listen, whichever is shorter. */
  readonly silentMs: Millis;
  /** Since something told for certain that its tab is gone (signaling, its lock); `null`: nothing did. */
  readonly goneMs: Millis | null;
  /** Its tab is gone and another tab has run it too for so long: it votes, and should leave; missing: not so. */
  readonly adoptedMs?: Millis;
  /** How far its log follows, by its answers to this leader; `null` if this leader does not feed it. */
  readonly matchIndex: LogIndex | null;
  readonly visible: boolean;
  /** Equal for nodes that fail together; empty: unknown. */
  readonly device: string;
  /** Whether its disk takes what it is given. */
  readonly storageOk: boolean;
  /** Present without a break for so long. */
  readonly stableMs: Millis;
  /** Breaks that it has not made good yet by staying. */
  readonly breaks: number;
}

export interface AutopilotLimits {
  /** Odd, at least 1. */
  readonly maxVoters: number;
  /** Silence after which a member counts as gone, if nothing else tells. */
  readonly goneAfterMs: Millis;
  /** A voter that is gone for certain is replaced at once; without anybody to take its place it is waited for this long, since a reload is soon back. */
  readonly reloadMs: Millis;
  /** A learner further behind than this is not promoted. */
  readonly maxLag: number;
  /** How long a newcomer has been present before it is promoted; doubled for each break. */
  readonly stableAfterMs: Millis;
  /** How long it has been present before a healthy voter makes room for it. */
  readonly settledAfterMs: Millis;
}

export const defaultLimits: AutopilotLimits = {
  maxVoters: 5,
  goneAfterMs: 10_000,
  reloadMs: 2000,
  maxLag: 100,
  stableAfterMs: 1000,
  settledAfterMs: 10_000,
};

/** Beyond this many, a further break makes the wait no longer. */
const MAX_BREAKS = 6;

/** Whom nobody knows is gone. */
export function isLost(node: Health | undefined, limits: AutopilotLimits): boolean {
  return !node || node.goneMs !== null || node.adoptedMs !== undefined || !node.storageOk || isSilent(node, limits);
}

/** Nobody waits for it any more. */
export function isLostForLong(node: Health | undefined, limits: AutopilotLimits): boolean {
  if (node?.adoptedMs !== undefined) return node.adoptedMs >= limits.goneAfterMs;
  return !node || (node.goneMs ?? 0) >= limits.reloadMs || isSilent(node, limits) || (!node.storageOk && node.connected);
}

function isSilent(node: Health, { goneAfterMs }: AutopilotLimits): boolean {
  return !node.connected && node.silentMs >= goneAfterMs;
}

export function isLiving(node: Health | undefined): boolean {
  return node?.connected === true && node.goneMs === null && node.storageOk && node.adoptedMs === undefined;
}

/** It helps to decide, for now. */
export function answers(node: Health | undefined): boolean {
  return isLiving(node) || node?.adoptedMs !== undefined;
}

/** Fit to vote, but for its log. */
export function isStable(node: Health, limits: AutopilotLimits): boolean {
  return isLiving(node) && node.stableMs >= limits.stableAfterMs * 2 ** Math.min(node.breaks, MAX_BREAKS);
}

/** Its log is close enough to the leader's that it would not hold a majority up. */
export function isCaughtUp({ matchIndex }: Health, commitIndex: LogIndex, limits: AutopilotLimits): boolean {
  return matchIndex !== null && matchIndex > 0 && matchIndex + limits.maxLag >= commitIndex;
}
