/** What clients did and saw, and what a checker must know of the object that they used. */

export interface Operation<Input, Output> {
  readonly client: string;
  readonly input: Input;
  /** When it was called. Only the order counts; operations that touch at one moment count as concurrent. */
  readonly invoked: number;
  /** When it returned, not before `invoked`. Infinity: no outcome was ever learned; it may take effect at any later time, once or never. */
  readonly returned: number;
  /** `null`: not known. Always so without a return. */
  readonly output: Output | null;
  /** The client was told that it surely has had and will have no effect. */
  readonly failed: boolean;
}

/** The object as one client alone would see it. */
export interface Model<State, Input, Output> {
  readonly initial: State;
  /** Where `input`, answered by `output` (`null`: by anything), leads to from `state`; nowhere if that answer is impossible. */
  step(state: State, input: Input, output: Output | null): readonly State[];
  /** The same for equal states and for no others. */
  key(state: State): string;
  /** Operations of different partitions do not touch each other. */
  partition?(input: Input): string;
  /** In no state does it change anything, given its answer. */
  changesNothing(input: Input, output: Output | null): boolean;
  /** What the history itself tells of the operations without a return, said explicitly. Must not alter the verdict. */
  infer?(operations: readonly Operation<Input, Output>[]): readonly Operation<Input, Output>[];
  /** Whether every linearizable history of `operation` and `others` is still one without `operation`. */
  dispensable?(operation: Operation<Input, Output>, others: readonly Operation<Input, Output>[]): boolean;
}

export const pending = Number.POSITIVE_INFINITY;

/** One line for each operation, in the order of their calls. */
export function historyText(operations: readonly Operation<unknown, unknown>[]): string {
  const line = ({ client, input, invoked, returned, output, failed }: Operation<unknown, unknown>): string => {
    const answer = failed ? "failed" : output === null ? "?" : JSON.stringify(output);
    return `  ${client} [${invoked}, ${returned === pending ? "" : returned}] ${JSON.stringify(input)} -> ${answer}`;
  };
  return [...operations]
    .sort((a, b) => a.invoked - b.invoked)
    .map(line)
    .join("\n");
}
