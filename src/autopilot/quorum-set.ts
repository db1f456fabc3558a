/**
 * Which voters, of those that could: an odd number, so that as many devices as possible may vanish at once, and then as many tabs as possible.
 * Two tabs of one browser are one point of failure, so three voters on three devices are better than five of which three share one.
 */
import type { NodeId } from "../raft/types.ts";
import { type Health, isLiving } from "./health.ts";

export interface Pool {
  readonly self: NodeId;
  /** Kept whatever they are worth. */
  readonly pinned: readonly NodeId[];
  /** Voters now. */
  readonly voters: readonly NodeId[];
  /** All that could vote; this node among them. */
  readonly nodes: readonly Health[];
}

/** The best odd set of at most `most` voters. More than that only if more are pinned. */
export function chooseVoters(pool: Pool, most: number): readonly NodeId[] {
  const order = preferred(pool);
  let best: readonly NodeId[] = [];
  for (let size = 1; size <= Math.min(most, order.length); size += 2) {
    const set = order.slice(0, size);
    if (compareSets(set, best, pool.nodes) > 0) best = set;
  }
  const kept = order.filter((id) => id === pool.self || pool.pinned.includes(id));
  return kept.length > best.length ? kept : best;
}

/**
 * All of the pool, the best first, so that each beginning of the list spreads over as many devices as it can: this node, then those that are
 * pinned, then those that live, of them those of the device that has fewest so far, those that vote already first, then visible tabs, then those with fewest breaks, then by id, so
 * that every leader would choose alike.
 */
function preferred({ self, pinned, voters, nodes }: Pool): readonly NodeId[] {
  const rank = (node: Health): readonly number[] => [
    node.id === self ? 0 : 1,
    pinned.includes(node.id) ? 0 : 1,
    isLiving(node) ? 0 : 1,
    0,
    voters.includes(node.id) ? 0 : 1,
    node.visible ? 0 : 1,
    node.breaks,
  ];
  const waiting = nodes.map((node) => ({ node, rank: rank(node) }));
  const used = new Map<string, number>();
  const order: NodeId[] = [];
  while (waiting.length > 0) {
    const onDevice = ({ node }: (typeof waiting)[number]): number => used.get(deviceOf(node)) ?? 0;
    waiting.sort((a, b) => compareRanks(a, b, onDevice(a) - onDevice(b)));
    const next = waiting.shift()?.node;
    if (!next) break;
    used.set(deviceOf(next), (used.get(deviceOf(next)) ?? 0) + 1);
    order.push(next.id);
  }
  return order;
}

/** Where in a rank the device stands, which changes as the list grows. */
const BY_DEVICE = 3;

type Ranked = { readonly node: Health; readonly rank: readonly number[] };

function compareRanks(a: Ranked, b: Ranked, byDevice: number): number {
  for (const [at, rank] of a.rank.entries()) {
    const difference = at === BY_DEVICE ? byDevice : rank - (b.rank[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.node.id < b.node.id ? -1 : 1;
}

/** Positive: `a` is worth more than `b`, by devices that may vanish and then by tabs that may. */
export function compareSets(a: readonly NodeId[], b: readonly NodeId[], nodes: readonly Health[]): number {
  return deviceTolerance(a, nodes) - deviceTolerance(b, nodes) || tolerance(a.length) - tolerance(b.length);
}

/** How many may vanish of so many that live. */
export function tolerance(voters: number): number {
  return voters === 0 ? -1 : Math.ceil(voters / 2) - 1;
}

/** How many devices may vanish, whichever they are, with a majority left. */
export function deviceTolerance(voters: readonly NodeId[], nodes: readonly Health[]): number {
  const counts = new Map<string, number>();
  for (const id of voters) {
    const device = deviceOf(nodes.find((node) => node.id === id) ?? { id, device: "" });
    counts.set(device, (counts.get(device) ?? 0) + 1);
  }
  let left = voters.length;
  let vanished = -1;
  for (const count of [...counts.values()].sort((a, b) => b - a)) {
    if (left * 2 <= voters.length) break;
    vanished++;
    left -= count;
  }
  return vanished;
}

function deviceOf({ id, device }: Pick<Health, "id" | "device">): string {
  return device === "" ? `only ${id}` : device;
}
