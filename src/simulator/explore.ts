/**
 * The walk: breadth first through every state that the real core can reach within a scope, each visited once, every law checked on every
 * step. The first violation is therefore one that the fewest actions lead to.
 */
import { formatState } from "../raft/format.ts";
import type { Action } from "./explore-actions.ts";
import { Fingerprinter } from "./explore-fingerprint.ts";
import { Rules } from "./explore-steps.ts";
import type { Scope, WorldState } from "./explore-world.ts";

export interface Violation {
  readonly law: string;
  /** From the beginning, one line each. */
  readonly actions: readonly string[];
  /** Each node before the last of them. */
  readonly nodes: readonly string[];
}

export interface Walk {
  readonly scope: string;
  /** Distinct ones. */
  readonly states: number;
  readonly transitions: number;
  /** Actions to the farthest state. */
  readonly depth: number;
  /** Nothing within the scope was left out. */
  readonly complete: boolean;
  readonly violation: Violation | null;
}

/** Fingerprints, as an open-addressing table: 8 bytes each, at most half full. */
class FingerprintSet {
  #words = new Uint32Array(1 << 17);
  size = 0;

  /** `false`: it was there. */
  add(one: number, two: number): boolean {
    if (this.size * 4 >= this.#words.length) this.#grow();
    if (!this.#place(this.#words, (one | 1) >>> 0, two >>> 0)) return false;
    this.size++;
    return true;
  }

  /** A first word is never 0, which says that a place is free. */
  #place(words: Uint32Array, one: number, two: number): boolean {
    const mask = words.length - 2;
    for (let at = (two << 1) & mask; ; at = (at + 2) & mask) {
      if (words[at] === 0) {
        words[at] = one;
        words[at + 1] = two;
        return true;
      }
      if (words[at] === one && words[at + 1] === two) return false;
    }
  }

  #grow(): void {
    const grown = new Uint32Array(this.#words.length * 2);
    for (let at = 0; at < this.#words.length; at += 2)
      if (this.#words[at] !== 0) this.#place(grown, this.#words[at] ?? 0, this.#words[at + 1] ?? 0);
    this.#words = grown;
  }
}

/** How each state was first reached. */
class Trail {
  #parents = new Uint32Array(1 << 16);
  #actions = new Uint16Array(1 << 16);
  #size = 0;

  /** Returns its number. */
  add(parent: number, action: Action): number {
    if (this.#size === this.#parents.length) {
      const [parents, actions] = [new Uint32Array(this.#size * 2), new Uint16Array(this.#size * 2)];
      parents.set(this.#parents);
      actions.set(this.#actions);
      this.#parents = parents;
      this.#actions = actions;
    }
    this.#parents[this.#size] = parent;
    this.#actions[this.#size] = action;
    return this.#size++;
  }

  /** The actions from the beginning to this state. */
  to(state: number): Action[] {
    const actions: Action[] = [];
    for (let at = state; at > 0; at = this.#parents[at] ?? 0) actions.push(this.#actions[at] ?? 0);
    return actions.reverse();
  }
}

export interface WalkOptions {
  /** The walk is given up at so many states. */
  readonly maxStates?: number;
  /** Called after each level. */
  readonly onLevel?: (depth: number, states: number, frontier: number) => void;
}

export function explore(scope: Scope, options: WalkOptions = {}): Walk {
  return new Walker(scope, options).run();
}

class Walker {
  readonly #scope: Scope;
  readonly #rules: Rules;
  readonly #options: WalkOptions;
  readonly #known = new FingerprintSet();
  readonly #trail = new Trail();
  readonly #fingerprinter: Fingerprinter;
  #frontier: WorldState[] = [];
  #numbers: number[] = [];
  #transitions = 0;
  #violation: Violation | null = null;

  constructor(scope: Scope, options: WalkOptions) {
    this.#scope = scope;
    this.#options = options;
    this.#rules = new Rules(scope);
    this.#fingerprinter = new Fingerprinter(scope.nodes);
  }

  run(): Walk {
    const { maxStates = Number.POSITIVE_INFINITY, onLevel } = this.#options;
    try {
      this.#visit(this.#rules.begin(), 0, 0);
    } catch (error) {
      this.#violation = { law: wordsOf(error), actions: [], nodes: [] };
    }
    let depth = 0;
    while (this.#frontier.length > 0 && !this.#violation && this.#known.size < maxStates) {
      onLevel?.(depth, this.#known.size, this.#frontier.length);
      this.#level(maxStates);
      if (this.#frontier.length > 0) depth++;
    }
    return {
      scope: this.#scope.name,
      states: this.#known.size,
      transitions: this.#transitions,
      depth,
      complete: this.#frontier.length === 0 && !this.#violation,
      violation: this.#violation,
    };
  }

  #level(maxStates: number): void {
    const [states, numbers] = [this.#frontier, this.#numbers];
    this.#frontier = [];
    this.#numbers = [];
    for (const [at, state] of states.entries()) {
      for (const action of this.#rules.actions(state)) {
        this.#take(state, numbers[at] ?? 0, action);
        if (this.#violation) return;
      }
      if (this.#known.size >= maxStates) return;
    }
  }

  #take(state: WorldState, number: number, action: Action): void {
    try {
      const next = this.#rules.after(state, action);
      if (!next) return;
      this.#transitions++;
      this.#visit(next, number, action);
    } catch (error) {
      this.#violation = this.#explain(state, number, action, wordsOf(error));
    }
  }

  #visit(state: WorldState, parent: number, action: Action): void {
    this.#fingerprinter.take(state);
    if (!this.#known.add(this.#fingerprinter.one, this.#fingerprinter.two)) return;
    this.#frontier.push(state);
    this.#numbers.push(this.#trail.add(parent, action));
  }

  /** The same way once more, this time in words. */
  #explain(last: WorldState, number: number, action: Action, law: string): Violation {
    let state: WorldState | null = this.#rules.begin();
    const actions: string[] = [];
    for (const taken of this.#trail.to(number)) {
      if (!state) break;
      actions.push(this.#rules.describe(state, taken));
      state = this.#rules.after(state, taken);
    }
    actions.push(this.#rules.describe(last, action));
    return { law, actions, nodes: last.cells.map(({ core }) => formatState(core)) };
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
