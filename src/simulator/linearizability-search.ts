/**
 * The search for one linearization (Wing and Gong, with Lowe's memory of configurations): takes the operations one by one, each before the
 * return of any that is still to be taken, and goes back where the model says no. Can be paused at any step.
 */
import { type Model, type Operation, pending } from "./linearizability-history.ts";

export type Linearizable = "yes" | "no" | "unknown";

/** A call or a return, in a list in order of time; an operation that is taken leaves the list with both. */
interface Moment<Input, Output> {
  readonly operation: Operation<Input, Output>;
  /** Of the operation, in the order of calls. */
  readonly number: number;
  readonly isReturn: boolean;
  readonly at: number;
  /** Of a call. */
  end: Moment<Input, Output> | null;
  previous: Moment<Input, Output> | null;
  next: Moment<Input, Output> | null;
}

interface Taken<State, Input, Output> {
  readonly call: Moment<Input, Output>;
  /** Before it. More than one where an unknown answer left it open. */
  readonly states: readonly State[];
  /** It changes nothing and was possible: taking it later instead cannot help. */
  readonly final: boolean;
}

export class Search<State, Input, Output> {
  verdict: Linearizable = "unknown";
  /** Taken so far, over all calls. */
  steps = 0;
  readonly #model: Model<State, Input, Output>;
  readonly #memoLimit: number;
  readonly #memo = new Set<string>();
  readonly #stack: Taken<State, Input, Output>[] = [];
  /** Which operations are taken, a bit each. */
  readonly #bits: Uint32Array;
  #states: readonly State[];
  #first: Moment<Input, Output> | null;
  #at: Moment<Input, Output> | null;
  /** Operations with a return that are still to be taken. */
  #left: number;

  /** `memoLimit`: most configurations remembered; beyond it the search repeats itself, but its verdict stays right. */
  constructor(operations: readonly Operation<Input, Output>[], model: Model<State, Input, Output>, memoLimit: number) {
    this.#model = model;
    this.#memoLimit = memoLimit;
    this.#states = [model.initial];
    this.#bits = new Uint32Array((operations.length + 31) >> 5);
    this.#first = listOf(operations);
    this.#at = this.#first;
    this.#left = operations.filter(({ returned }) => returned !== pending).length;
  }

  /** Goes on for at most `steps` steps. */
  advance(steps: number): Linearizable {
    for (let left = steps; left > 0 && this.verdict === "unknown"; left--) this.#step();
    return this.verdict;
  }

  #step(): void {
    this.steps++;
    const moment = this.#at;
    if (this.#left === 0) this.verdict = "yes";
    else if (!moment || moment.isReturn) this.#goBack();
    else if (!this.#take(moment)) this.#at = moment.next;
  }

  #take(call: Moment<Input, Output>): boolean {
    const { input, output } = call.operation;
    const after = this.#after(input, output);
    if (after.length === 0) return false;
    this.#flip(call.number);
    if (!this.#isNew(after)) {
      this.#flip(call.number);
      return false;
    }
    this.#stack.push({ call, states: this.#states, final: call.end !== null && this.#isFinal(input, output, after) });
    this.#states = after;
    this.#unlink(call);
    if (call.end) {
      this.#unlink(call.end);
      this.#left--;
    }
    this.#at = this.#first;
    return true;
  }

  /** With several states the answer may have ruled some of them out, which an operation before it might need. */
  #isFinal(input: Input, output: Output | null, after: readonly State[]): boolean {
    return after.length === this.#states.length && this.#model.changesNothing(input, output);
  }

  #after(input: Input, output: Output | null): readonly State[] {
    const [only] = this.#states;
    if (this.#states.length === 1 && only !== undefined) return this.#model.step(only, input, output);
    const after = new Map<string, State>();
    for (const state of this.#states)
      for (const next of this.#model.step(state, input, output)) after.set(this.#model.key(next), next);
    return [...after.values()];
  }

  #goBack(): void {
    for (;;) {
      const taken = this.#stack.pop();
      if (!taken) {
        this.verdict = "no";
        return;
      }
      const { call } = taken;
      if (call.end) {
        this.#relink(call.end);
        this.#left++;
      }
      this.#relink(call);
      this.#flip(call.number);
      this.#states = taken.states;
      this.#at = call.next;
      if (!taken.final) return;
    }
  }

  /** Whether the operations taken were never before taken with this result. */
  #isNew(states: readonly State[]): boolean {
    const keys = states.map((state) => this.#model.key(state));
    const configuration = `${this.#bits.join(" ")}|${keys.sort().join("|")}`;
    if (this.#memo.has(configuration)) return false;
    if (this.#memo.size < this.#memoLimit) this.#memo.add(configuration);
    return true;
  }

  #flip(number: number): void {
    const word = number >> 5;
    this.#bits[word] = (this.#bits[word] ?? 0) ^ (1 << (number & 31));
  }

  #unlink(moment: Moment<Input, Output>): void {
    if (moment.previous) moment.previous.next = moment.next;
    else this.#first = moment.next;
    if (moment.next) moment.next.previous = moment.previous;
  }

  /** In the opposite order of `#unlink`. */
  #relink(moment: Moment<Input, Output>): void {
    if (moment.previous) moment.previous.next = moment;
    else this.#first = moment;
    if (moment.next) moment.next.previous = moment;
  }
}

function listOf<Input, Output>(operations: readonly Operation<Input, Output>[]): Moment<Input, Output> | null {
  const moments: Moment<Input, Output>[] = [];
  const calls = [...operations].sort((a, b) => a.invoked - b.invoked);
  for (const [number, operation] of calls.entries()) {
    const links = { operation, number, end: null, previous: null, next: null };
    const end = operation.returned === pending ? null : { ...links, isReturn: true, at: operation.returned };
    moments.push({ ...links, isReturn: false, at: operation.invoked, end });
    if (end) moments.push(end);
  }
  // At one moment calls come before returns: concurrent.
  moments.sort((a, b) => a.at - b.at || Number(a.isReturn) - Number(b.isReturn));
  for (const [at, moment] of moments.entries()) {
    moment.previous = moments[at - 1] ?? null;
    moment.next = moments[at + 1] ?? null;
  }
  return moments[0] ?? null;
}
