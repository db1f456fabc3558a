/**
 * Whether a history of clients is linearizable: some order of all operations, each at a moment between its call and its return, would have given
 * the same answers. Partitions are searched in turn with growing patience, so that one that is illegal is found before others use up the budget.
 */
import { type Model, type Operation, pending } from "./linearizability-history.ts";
import { minimize } from "./linearizability-minimize.ts";
import { type Linearizable, Search } from "./linearizability-search.ts";

export type { Model, Operation } from "./linearizability-history.ts";
export type { Linearizable } from "./linearizability-search.ts";

export interface CheckOptions {
  /** Steps of the search, over all partitions. Default 2,000,000: some seconds. */
  readonly budget?: number;
  /** Most configurations that are remembered for one partition. Default 500,000. */
  readonly memoLimit?: number;
}

export interface Verdict<Input, Output> {
  /** `unknown`: the budget was spent. */
  readonly linearizable: Linearizable;
  /** Of the illegal partition, or those that are undecided. */
  readonly partitions: readonly string[];
  /** Of a `no`: operations that no order explains, without those that are not needed to show it. */
  readonly counterexample: readonly Operation<Input, Output>[];
  readonly steps: number;
}

const firstPatience = 512;

/** `history` in any order. */
export function checkLinearizable<State, Input, Output>(
  history: readonly Operation<Input, Output>[],
  model: Model<State, Input, Output>,
  { budget = 2_000_000, memoLimit = 500_000 }: CheckOptions = {},
): Verdict<Input, Output> {
  const searches = [...partitionsOf(history, model)].map(([name, operations]) => {
    return { name, operations, search: new Search(prepare(operations, model), model, memoLimit) };
  });
  let undecided = searches;
  let spent = 0;
  for (let patience = firstPatience; undecided.length > 0 && spent < budget; patience *= 2) {
    for (const { name, operations, search } of undecided) {
      const before = search.steps;
      const verdict = search.advance(Math.min(patience, budget - spent));
      spent += search.steps - before;
      if (verdict !== "no") continue;
      const counterexample = smallest(operations, model, { budget: 4 * search.steps + firstPatience, memoLimit });
      return { linearizable: "no", partitions: [name], counterexample, steps: spent };
    }
    undecided = undecided.filter(({ search }) => search.verdict === "unknown");
  }
  const partitions = undecided.map(({ name }) => name);
  return { linearizable: partitions.length > 0 ? "unknown" : "yes", partitions, counterexample: [], steps: spent };
}

/** Without the operations that failed for sure: they are no part of any order. */
function partitionsOf<State, Input, Output>(
  history: readonly Operation<Input, Output>[],
  model: Model<State, Input, Output>,
): ReadonlyMap<string, readonly Operation<Input, Output>[]> {
  const partitions = new Map<string, Operation<Input, Output>[]>();
  for (const operation of history) {
    if (operation.failed) continue;
    const name = model.partition?.(operation.input) ?? "";
    const partition = partitions.get(name);
    if (partition) partition.push(operation);
    else partitions.set(name, [operation]);
  }
  return partitions;
}

function prepare<State, Input, Output>(
  operations: readonly Operation<Input, Output>[],
  model: Model<State, Input, Output>,
): readonly Operation<Input, Output>[] {
  const telling = operations.filter(
    ({ input, output, returned }) => returned !== pending || !model.changesNothing(input, output),
  );
  return model.infer?.(telling) ?? telling;
}

function smallest<State, Input, Output>(
  operations: readonly Operation<Input, Output>[],
  model: Model<State, Input, Output>,
  { budget, memoLimit }: { readonly budget: number; readonly memoLimit: number },
): readonly Operation<Input, Output>[] {
  return minimize(
    operations,
    (fewer) => new Search(prepare(fewer, model), model, memoLimit).advance(budget) === "no",
    (operation, others) =>
      model.changesNothing(operation.input, operation.output) || (model.dispensable?.(operation, others) ?? false),
  );
}
