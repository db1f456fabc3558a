/**
 * Who should vote. A pure policy of the leader: from the members and their health to the next configuration, or to none. An odd number of
 * voters among those that live; safety never depends on it, since every change goes through joint consensus.
 */
import type { Configuration, LogIndex, Millis, NodeId } from "../raft/types.ts";

export interface Health {
  readonly id: NodeId;
  /** Messages can be exchanged with it now. Always true of this node itself. */
  readonly connected: boolean;
  /** Since it was last heard, or since this node took office, whichever is shorter. */
  readonly silentMs: Millis;
  /** How far its log follows; `null` if it is not fed yet. */
  readonly matchIndex: LogIndex | null;
  readonly visible: boolean;
  /** Equal for nodes that fail together. */
  readonly device: string;
}

export interface AutopilotInput {
  readonly self: NodeId;
  readonly configuration: Configuration;
  readonly commitIndex: LogIndex;
  /** Everybody that is a member or connected, this node too. */
  readonly nodes: readonly Health[];
}

export interface Decision {
  readonly voters: readonly NodeId[];
  readonly learners: readonly NodeId[];
  /** For people. */
  readonly reason: string;
}

export interface AutopilotLimits {
  /** Odd, at least 1. */
  readonly maxVoters: number;
  /** Silence after which a member counts as gone. */
  readonly goneAfterMs: Millis;
  /** A learner further behind than this is not promoted. */
  readonly maxLag: number;
}

export const defaultLimits: AutopilotLimits = { maxVoters: 5, goneAfterMs: 10_000, maxLag: 100 };

/** The next change, or `null` if all is well. Asked again after each change. */
export function decide(input: AutopilotInput, limits: AutopilotLimits = defaultLimits): Decision | null {
  const members = [...input.configuration.voters, ...input.configuration.learners];
  return welcome(input, members) ?? changeVoters(input, limits) ?? dismiss(input, limits);
}

/** Whoever is connected learns. */
function welcome({ configuration, nodes }: AutopilotInput, members: readonly NodeId[]): Decision | null {
  const newcomers = nodes.filter(({ id, connected }) => connected && !members.includes(id)).map(({ id }) => id);
  if (newcomers.length === 0) return null;
  return {
    voters: configuration.voters,
    learners: [...configuration.learners, ...newcomers],
    reason: `${newcomers.join(", ")} joined as ${newcomers.length === 1 ? "a learner" : "learners"}`,
  };
}

/** As many voters as an odd number of the living allows, changing as few as possible. */
function changeVoters(input: AutopilotInput, limits: AutopilotLimits): Decision | null {
  const { configuration, nodes, self } = input;
  const kept = configuration.voters.filter((id) => !isGone(nodes, id, limits));
  const ready = nodes.filter((node) => configuration.learners.includes(node.id) && isReady(node, input.commitIndex, limits));
  const target = largestOdd(Math.min(limits.maxVoters, kept.length + ready.length));
  if (target === kept.length && kept.length === configuration.voters.length) return null;
  const order = byPreference(input);
  const candidates = [...kept.sort(order), ...ready.map(({ id }) => id).sort(order)];
  const voters = [self, ...candidates.filter((id) => id !== self)].slice(0, target);
  const alive = voters.filter((id) => nodes.some((node) => node.id === id && node.connected));
  if (alive.length * 2 <= voters.length || sameSet(voters, configuration.voters)) return null;
  const former = configuration.voters.filter((id) => !voters.includes(id) && !isGone(nodes, id, limits));
  const learners = [...configuration.learners.filter((id) => !voters.includes(id)), ...former];
  return { voters, learners, reason: explain(configuration.voters, voters) };
}

function explain(before: readonly NodeId[], after: readonly NodeId[]): string {
  const added = after.filter((id) => !before.includes(id));
  const removed = before.filter((id) => !after.includes(id));
  const parts = [`${after.length} of the nodes present vote now`];
  if (added.length > 0) parts.push(`promoted ${added.join(", ")}`);
  if (removed.length > 0) parts.push(`no longer voting: ${removed.join(", ")}`);
  return parts.join("; ");
}

/** Learners that are gone are forgotten; they may come back as they please. */
function dismiss({ configuration, nodes }: AutopilotInput, limits: AutopilotLimits): Decision | null {
  const gone = configuration.learners.filter((id) => isGone(nodes, id, limits));
  if (gone.length === 0) return null;
  return {
    voters: configuration.voters,
    learners: configuration.learners.filter((id) => !gone.includes(id)),
    reason: `${gone.join(", ")} left`,
  };
}

function isGone(nodes: readonly Health[], id: NodeId, limits: AutopilotLimits): boolean {
  const health = nodes.find((node) => node.id === id);
  return !health || (!health.connected && health.silentMs >= limits.goneAfterMs);
}

function isReady(node: Health, commitIndex: LogIndex, limits: AutopilotLimits): boolean {
  return node.connected && node.matchIndex !== null && node.matchIndex > 0 && node.matchIndex + limits.maxLag >= commitIndex;
}

/** Other devices first, since nodes of one device fail together; then visible tabs; then by id, so that every leader would choose alike. */
function byPreference({ nodes, self }: AutopilotInput): (a: NodeId, b: NodeId) => number {
  const own = nodes.find(({ id }) => id === self)?.device;
  const rank = (id: NodeId): number => {
    const node = nodes.find((other) => other.id === id);
    return (node?.connected ? 0 : 4) + (node && node.device !== own ? 0 : 2) + (node?.visible ? 0 : 1);
  };
  return (a, b) => rank(a) - rank(b) || (a < b ? -1 : 1);
}

function largestOdd(most: number): number {
  return most % 2 === 1 ? most : Math.max(1, most - 1);
}

function sameSet(a: readonly NodeId[], b: readonly NodeId[]): boolean {
  return a.length === b.length && a.every((id) => b.includes(id));
}
