/**
 * How steadily each node has been there: so that one that comes and goes is not given a vote each time that it comes. Plain data; time comes
 * with each look. Kept on every node, so that a new leader knows what the one before knew.
 */
import type { Millis, NodeId } from "../raft/types.ts";

/** A break is made good by so long a presence. */
const FORGIVEN_AFTER_MS = 60_000;
/** Nodes that are not there are remembered for so long. */
const REMEMBERED_MS = 600_000;

interface Presence {
  /** Since when it is there, or away. */
  since: Millis;
  present: boolean;
  breaks: number;
  /** Since when something tells for certain that it is gone; `null`: nothing does. */
  goneSince: Millis | null;
  /** From when the next break is forgiven. */
  forgivenAt: Millis;
}

export interface Stability {
  readonly presences: Map<NodeId, Presence>;
}

/** What is seen of a node at one look. */
export interface Sight {
  readonly id: NodeId;
  readonly connected: boolean;
  /** Something tells for certain that its tab is gone. Never believed of one that is connected. */
  readonly gone: boolean;
}

export function createStability(): Stability {
  return { presences: new Map() };
}

/** To be called a few times a second, with everybody that is known. */
export function look({ presences }: Stability, now: Millis, sights: readonly Sight[]): void {
  const seen = new Map(sights.map((sight) => [sight.id, sight]));
  for (const [id, sight] of seen) {
    const presence = presences.get(id);
    if (presence) update(presence, now, sight);
    else presences.set(id, begin(now, sight));
  }
  for (const [id, presence] of presences) {
    if (seen.has(id)) continue;
    if (presence.present) update(presence, now, { id, connected: false, gone: false });
    else if (now - presence.since > REMEMBERED_MS) presences.delete(id);
  }
}

function begin(now: Millis, { connected, gone }: Sight): Presence {
  const isGone = gone && !connected;
  return { since: now, present: connected, breaks: 0, goneSince: isGone ? now : null, forgivenAt: now + FORGIVEN_AFTER_MS };
}

function update(presence: Presence, now: Millis, { connected, gone }: Sight): void {
  if (presence.present !== connected) {
    presence.present = connected;
    presence.since = now;
    if (!connected) presence.breaks++;
    presence.forgivenAt = now + FORGIVEN_AFTER_MS;
  }
  while (connected && presence.breaks > 0 && now >= presence.forgivenAt) {
    presence.breaks--;
    presence.forgivenAt += FORGIVEN_AFTER_MS;
  }
  presence.goneSince = gone && !connected ? (presence.goneSince ?? now) : null;
}

/** What `Health` wants to know of a node; of one that was never seen: nothing good, nothing bad. */
export function stabilityOf(
  { presences }: Stability,
  id: NodeId,
  now: Millis,
): { readonly stableMs: Millis; readonly breaks: number; readonly goneMs: Millis | null } {
  const presence = presences.get(id);
  if (!presence) return { stableMs: 0, breaks: 0, goneMs: null };
  return {
    stableMs: presence.present ? now - presence.since : 0,
    breaks: presence.breaks,
    goneMs: presence.goneSince === null ? null : now - presence.goneSince,
  };
}
