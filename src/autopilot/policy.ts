/**
 * Who should vote. A pure policy of the leader: from the members and their health to the next configuration, or to none. One change at a time,
 * and none that could lose the majority of those that live. Safety never depends on it, since every change goes through joint consensus.
 */
import type { Configuration, LogIndex, NodeId } from "../raft/types.ts";
import {
  type AutopilotLimits,
  answers,
  defaultLimits,
  type Health,
  isCaughtUp,
  isLiving,
  isLost,
  isLostForLong,
  isStable,
} from "./health.ts";
import { chooseVoters, compareSets, tolerance } from "./quorum-set.ts";

export interface AutopilotInput {
  readonly self: NodeId;
  readonly configuration: Configuration;
  readonly commitIndex: LogIndex;
  /** Everybody that is a member or present, this node too. */
  readonly nodes: readonly Health[];
  /** By hand: these vote as long as they live. */
  readonly pinned?: readonly NodeId[];
  /** By hand: these do not vote. */
  readonly barred?: readonly NodeId[];
  /** What people call a node. */
  readonly nameOf?: (id: NodeId) => string;
}

export interface Change {
  readonly voters: readonly NodeId[];
  readonly learners: readonly NodeId[];
}

export interface Decision extends Change {
  /** For people: a whole sentence. */
  readonly reason: string;
}

/** The next change, or `null` if all is well. Asked again after each change. */
export function decide(input: AutopilotInput, limits: AutopilotLimits = defaultLimits): Decision | null {
  return changeVoters(input, limits) ?? welcome(input, limits) ?? dismiss(input, limits);
}

/**
 * Whom the leader should feed itself, though they may be relayed to: the learners that would be promoted next, so that they are ready
 * when a voter is missed. As many as the voters lack, and one.
 */
export function standbys(input: AutopilotInput, limits: AutopilotLimits = defaultLimits): readonly NodeId[] {
  const { configuration, nodes, barred = [] } = input;
  const kept = keptVoters(input, limits);
  const ready = nodes
    .filter(({ id }) => configuration.learners.includes(id) && !barred.includes(id))
    .filter((node) => isStable(node, limits));
  const order = chooseVoters(poolOf(input, [...kept, ...ready]), Number.POSITIVE_INFINITY);
  const lacking = Math.max(0, limits.maxVoters - kept.length);
  return [...order, ...ready.map(({ id }) => id).filter((id) => !order.includes(id))]
    .filter((id) => configuration.learners.includes(id))
    .slice(0, lacking + 1);
}

/** Whoever is present learns. */
function welcome({ configuration, nodes, nameOf = String }: AutopilotInput, limits: AutopilotLimits): Decision | null {
  const { voters, learners } = configuration;
  const newcomers = nodes.filter((node) => isLiving(node) && !isLost(node, limits)).map(({ id }) => id);
  const added = newcomers.filter((id) => !voters.includes(id) && !learners.includes(id));
  if (added.length === 0) return null;
  const names = listNames(added, nameOf);
  return { voters, learners: [...learners, ...added], reason: `${names} joined, to learn first.` };
}

/** As many voters as the living allow, changing no more than is of use. */
function changeVoters(input: AutopilotInput, limits: AutopilotLimits): Decision | null {
  const { configuration, nodes } = input;
  const current = configuration.voters;
  const kept = keptVoters(input, limits);
  const ready = nodes.filter((node) => isReady(node, input, limits));
  const next = nextVoters(input, kept, ready, limits);
  if (next === null || sameSet(next, current) || !isSafe(current, next, nodes)) return null;
  const former = current.filter((id) => !next.includes(id) && !isLost(healthOf(nodes, id), limits));
  const learners = [...configuration.learners.filter((id) => !next.includes(id)), ...former];
  return { voters: next, learners, reason: explain(input, next, limits) };
}

/** Voters that are there, or may be back soon and nothing tells otherwise; whoever leads is there. */
function keptVoters({ configuration, nodes, self, barred = [] }: AutopilotInput, limits: AutopilotLimits): readonly Health[] {
  const kept = configuration.voters.map((id) => healthOf(nodes, id)).filter((node) => node !== undefined);
  return kept.filter((node) => node.id === self || (!isLost(node, limits) && !barred.includes(node.id)));
}

function isReady(node: Health, { configuration, commitIndex, barred = [] }: AutopilotInput, limits: AutopilotLimits): boolean {
  const isCandidate = configuration.learners.includes(node.id) && !barred.includes(node.id);
  return isCandidate && isStable(node, limits) && isCaughtUp(node, commitIndex, limits);
}

function nextVoters(
  input: AutopilotInput,
  kept: readonly Health[],
  ready: readonly Health[],
  limits: AutopilotLimits,
): readonly NodeId[] | null {
  const { configuration, nodes } = input;
  const current = configuration.voters;
  // At most two more at a time: a crowd of newcomers may leave as it came.
  const best = chooseVoters(poolOf(input, [...kept, ...ready]), Math.min(limits.maxVoters, largestOdd(current.length + 2)));
  const lost = current.filter((id) => isLost(healthOf(nodes, id), limits));
  if (lost.length > 0) {
    const canWait = lost.every((id) => !isLostForLong(healthOf(nodes, id), limits));
    return canWait && best.length < current.length ? null : best;
  }
  const isOdd = current.length % 2 === 1;
  const barsVoter = kept.length < current.length;
  if (current.length > limits.maxVoters || !isOdd || barsVoter) return best;
  if (best.length > current.length && compareSets(best, current, nodes) > 0) return best;
  // A healthy voter makes room only for one that has been there for long.
  const settled = ready.filter(({ id, stableMs }) => stableMs >= limits.settledAfterMs || (input.pinned ?? []).includes(id));
  const spread = chooseVoters(poolOf(input, [...kept, ...settled]), current.length);
  const wanted = settled.some(({ id }) => (input.pinned ?? []).includes(id));
  return wanted || compareSets(spread, current, nodes) > 0 ? spread : null;
}

function poolOf({ self, configuration, pinned = [] }: AutopilotInput, nodes: readonly Health[]) {
  return { self, pinned, voters: configuration.voters, nodes };
}

/**
 * A majority of those that vote now, and of those that shall, must live: both are needed to make the change. And of the new ones no fewer may
 * vanish than of the old, as far as those that live go.
 */
export function isSafe(current: readonly NodeId[], next: readonly NodeId[], nodes: readonly Health[]): boolean {
  const [before, after] = [spare(current, nodes), spare(next, nodes)];
  return before >= 0 && after >= 0 && after >= Math.min(before, tolerance(next.length));
}

/** How many of the living voters may vanish with a majority left; negative: too few live already. */
export function spare(voters: readonly NodeId[], nodes: readonly Health[]): number {
  const living = voters.filter((id) => answers(healthOf(nodes, id))).length;
  return living - (Math.floor(voters.length / 2) + 1);
}

/** Learners that are gone are forgotten; they may come back as they please. */
function dismiss({ configuration, nodes, nameOf = String }: AutopilotInput, limits: AutopilotLimits): Decision | null {
  const gone = configuration.learners.filter((id) => isLostForLong(healthOf(nodes, id), limits));
  if (gone.length === 0) return null;
  const learners = configuration.learners.filter((id) => !gone.includes(id));
  return { voters: configuration.voters, learners, reason: `${listNames(gone, nameOf)} left.` };
}

// ---- words ----

function explain(
  { configuration, nodes, nameOf = String, barred = [] }: AutopilotInput,
  next: readonly NodeId[],
  limits: AutopilotLimits,
): string {
  const added = next.filter((id) => !configuration.voters.includes(id));
  const removed = configuration.voters.filter((id) => !next.includes(id));
  const parts: string[] = [];
  if (added.length > 0) parts.push(`${listNames(added, nameOf)} ${added.length === 1 ? "votes" : "vote"} now`);
  for (const id of removed) parts.push(`${nameOf(id)} does not vote any more: ${whyNot(healthOf(nodes, id), barred, limits)}`);
  const count = next.length === 1 ? "1 voter" : `${next.length} voters`;
  return `${parts.join("; ")}. That makes ${count}, of which ${tolerance(next.length)} may vanish.`;
}

function whyNot(node: Health | undefined, barred: readonly NodeId[], limits: AutopilotLimits): string {
  if (!node) return "nobody has seen it";
  if (node.goneMs !== null || node.adoptedMs !== undefined) return "its tab is gone";
  if (!node.storageOk) return "its storage failed";
  if (isLost(node, limits)) return `nothing was heard of it for ${Math.round(node.silentMs / 1000)} s`;
  if (barred.includes(node.id)) return "somebody took its vote by hand";
  return "the others are better spread, or make an odd number";
}

function listNames(ids: readonly NodeId[], nameOf: (id: NodeId) => string): string {
  const names = ids.map((id) => nameOf(id));
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

// ---- small parts ----

function healthOf(nodes: readonly Health[], id: NodeId): Health | undefined {
  return nodes.find((node) => node.id === id);
}

function largestOdd(most: number): number {
  return most % 2 === 1 ? most : Math.max(1, most - 1);
}

function sameSet(a: readonly NodeId[], b: readonly NodeId[]): boolean {
  return a.length === b.length && a.every((id) => b.includes(id));
}
