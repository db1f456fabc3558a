/**
 * The smallest history that still shows the fault. Only what a linearizable history could spare is left out (else a read would soon stand
 * alone, of a value whose write was dropped): so what remains is a fault of its own.
 */
import { type Operation, pending } from "./linearizability-history.ts";

type History<Input, Output> = readonly Operation<Input, Output>[];

/**
 * @param isIllegal surely not linearizable; in doubt `false`
 * @param dispensable see `Model`
 */
export function minimize<Input, Output>(
  operations: History<Input, Output>,
  isIllegal: (operations: History<Input, Output>) => boolean,
  dispensable: (operation: Operation<Input, Output>, others: History<Input, Output>) => boolean,
): History<Input, Output> {
  let kept = shortestPrefix(operations, isIllegal);
  let size = Math.max(1, kept.length >> 1);
  for (;;) {
    const before = kept.length;
    for (let from = 0; from < kept.length; ) {
      const fewer = without(kept, from, from + size, dispensable);
      if (fewer.length < kept.length && isIllegal(fewer)) kept = fewer;
      else from += size;
    }
    if (size === 1 && kept.length === before) return kept;
    size = Math.max(1, size >> 1);
  }
}

/** What was seen until the earliest moment at which the fault is there: by halving, for it stays once it is there. */
function shortestPrefix<Input, Output>(
  operations: History<Input, Output>,
  isIllegal: (operations: History<Input, Output>) => boolean,
): History<Input, Output> {
  const ends = operations.map(({ returned }) => returned).filter((at) => at !== pending);
  ends.sort((a, b) => a - b);
  let low = 0;
  let high = ends.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isIllegal(until(operations, ends[middle] ?? pending))) high = middle;
    else low = middle + 1;
  }
  return until(operations, ends[low] ?? pending);
}

function until<Input, Output>(operations: History<Input, Output>, end: number): History<Input, Output> {
  return operations
    .filter(({ invoked }) => invoked <= end)
    .map((operation) => (operation.returned <= end ? operation : { ...operation, returned: pending, output: null }));
}

/** Those from `from` to before `to`, the last first, because it may have seen what another did. */
function without<Input, Output>(
  operations: History<Input, Output>,
  from: number,
  to: number,
  dispensable: (operation: Operation<Input, Output>, others: History<Input, Output>) => boolean,
): History<Input, Output> {
  let kept = operations;
  for (const operation of operations.slice(from, to).reverse()) {
    const others = kept.filter((other) => other !== operation);
    if (dispensable(operation, others)) kept = others;
  }
  return kept;
}
