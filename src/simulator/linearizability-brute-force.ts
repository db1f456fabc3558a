/** Every order of a small history, one by one: slow and plain, to judge the fast checker by. Shares nothing with it but the types. */
import { type Operation, pending } from "./linearizability-history.ts";

/** A state, and whether `output` (`null`: unknown) is what `input` may answer in it. */
export type Replay<State, Input, Output> = (
  state: State,
  input: Input,
  output: Output | null,
) => { readonly possible: boolean; readonly after: State };

/** For at most about 7 operations. */
export function isLinearizable<State, Input, Output>(
  history: readonly Operation<Input, Output>[],
  initial: State,
  replay: Replay<State, Input, Output>,
): boolean {
  const explains = (left: readonly Operation<Input, Output>[], state: State): boolean => {
    if (left.every(({ returned }) => returned === pending)) return true;
    return left.some((operation) => {
      if (left.some(({ returned }) => returned < operation.invoked)) return false;
      const { possible, after } = replay(state, operation.input, operation.output);
      const rest = left.filter((other) => other !== operation);
      return possible && explains(rest, after);
    });
  };
  return explains(
    history.filter(({ failed }) => !failed),
    initial,
  );
}
