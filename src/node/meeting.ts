/**
 * When generations of one room meet: whether this node gives way, by the rule of `survivor`, and only once it has looked so for a while: the
 * majority of a parent that wakes needs an election before it is one again.
 */
import { survivor } from "../raft/mod.ts";
import type { Generation, Millis } from "../raft/types.ts";

export interface Side {
  readonly generation: Generation;
  /** A majority of its voters answers, as far as it says. */
  readonly hasQuorum: boolean;
}

/**
 * What a peer said longer ago than this says nothing: it may have been cut off since, and speak of a time before this generation. Less than
 * `settledMs`, so that nobody gives way to a report from before.
 */
export const freshMs: Millis = 1500;
const settledMs: Millis = 2000;
/** A parent without a majority may be about to find it again. */
const parentWaitsMs: Millis = 10_000;

export class Meeting {
  #winner: string | null = null;
  #since: Millis = 0;

  /** A few times a second; `others`: of the peers that were heard within `freshMs`. Only to a majority that answers: there must be somewhere to go. The generation to give way to, or `null`: this one goes on. */
  look(now: Millis, own: Side, others: readonly Side[]): Generation | null {
    const winner = others.find(
      (other) => other.hasQuorum && other.generation.id !== own.generation.id && survivor(own, other).id === other.generation.id,
    );
    if (winner === undefined) {
      this.#winner = null;
      return null;
    }
    if (this.#winner !== winner.generation.id) {
      this.#winner = winner.generation.id;
      this.#since = now;
    }
    const isParent = winner.generation.parentId === own.generation.id;
    return now - this.#since >= (isParent ? parentWaitsMs : settledMs) ? winner.generation : null;
  }
}

/** Through where the two histories are surely the same; `null`: not known here. */
export function sharedThrough(own: Generation, other: Generation): number | null {
  if (own.parentId === other.id) return own.forkIndex;
  if (other.parentId === own.id) return other.forkIndex;
  if (own.parentId !== null && own.parentId === other.parentId) return Math.min(own.forkIndex, other.forkIndex);
  return null;
}
