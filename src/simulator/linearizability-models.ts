/** The objects whose histories are checked: registers with compare-and-set, a log that is appended to, and a document with versions. */
import { type Model, type Operation, pending } from "./linearizability-history.ts";

// ---- registers ----

export type Value = string | number | null;

export type RegisterInput = { readonly key: string } & (
  | { readonly kind: "read" }
  | { readonly kind: "set"; readonly value: Value }
  /** Sets `value` where `expected` stands. */
  | { readonly kind: "compareAndSet"; readonly expected: Value; readonly value: Value }
);

/** What stood there before; or, of a compare-and-set, only that it was not what was expected. */
export type RegisterOutput = { readonly found: Value } | "notEqual";

type RegisterOperation = Operation<RegisterInput, RegisterOutput>;

interface RegisterState {
  readonly value: Value;
  /** So many answers tell of this value, which will never be written again: nothing else is written before they are given. */
  readonly due: number;
}

/** Of a write: what `due` is after it. */
type Prepared = RegisterInput & { readonly due?: number };

/** One register for each key, all with `initial` in them. */
export function registerModel(initial: Value): Model<RegisterState, RegisterInput, RegisterOutput> {
  return {
    initial: { value: initial, due: 0 },
    step: stepRegister,
    key: ({ value, due }) => `${due} ${JSON.stringify(value)}`,
    partition: ({ key }) => key,
    changesNothing: registerUnchanged,
    infer: (operations) => inferRegister(initial, operations),
    dispensable: unseen,
  };
}

function stepRegister(state: RegisterState, input: Prepared, output: RegisterOutput | null): readonly RegisterState[] {
  const { value } = state;
  if (output === "notEqual") return input.kind === "compareAndSet" && value !== input.expected ? [state] : [];
  if (output !== null && output.found !== value) return [];
  const due = output === null ? state.due : Math.max(0, state.due - 1);
  if (input.kind === "read" || (input.kind === "compareAndSet" && value !== input.expected)) return [{ value, due }];
  return due > 0 ? [] : [{ value: input.value, due: input.due ?? 0 }];
}

function registerUnchanged(input: RegisterInput, output: RegisterOutput | null): boolean {
  if (input.kind !== "compareAndSet") return input.kind === "read";
  return output === "notEqual" || (output !== null && output.found !== input.expected);
}

/**
 * A value that only one operation writes, and that was found, was written before whoever found it returned. A write without an answer whose
 * value nobody can have noticed is as good as none. So the search seldom has to guess.
 */
function inferRegister(initial: Value, operations: readonly RegisterOperation[]): readonly RegisterOperation[] {
  const writers = new Map<Value, number>([[initial, 2]]);
  for (const { input } of operations) if (input.kind !== "read") writers.set(input.value, (writers.get(input.value) ?? 0) + 1);
  let known = operations;
  for (let changed = true; changed; ) {
    const seenAt = firstSeen(known);
    changed = false;
    known = known.map((operation): RegisterOperation => {
      const { input, invoked, output } = operation;
      const silent = output === null && (operation.returned === pending || input.kind === "compareAndSet");
      if (!silent || input.kind === "read" || writers.get(input.value) !== 1) return operation;
      const returned = Math.min(operation.returned, seenAt.get(input.value) ?? -1);
      if (returned < invoked) return operation;
      changed = true;
      return { ...operation, returned, output: input.kind === "compareAndSet" ? { found: input.expected } : null };
    });
  }
  const answers = new Map<Value, number>();
  for (const { output } of known)
    if (output !== null && output !== "notEqual") answers.set(output.found, (answers.get(output.found) ?? 0) + 1);
  return withoutUnnoticed(known).map((operation) => {
    const { input } = operation;
    if (input.kind === "read" || writers.get(input.value) !== 1) return operation;
    return { ...operation, input: { ...input, due: answers.get(input.value) ?? 0 } };
  });
}

/**
 * Leaves out, all at once, the writes without a return whose values nobody found: where one of them stood, another write must have followed before
 * the next answer. But those stay that a compare-and-set without an answer, whose own value was found, may have met.
 */
function withoutUnnoticed(operations: readonly RegisterOperation[]): readonly RegisterOperation[] {
  if (operations.some(({ output }) => output === "notEqual")) return operations;
  const found = new Set(operations.map(({ output }) => (output === null || output === "notEqual" ? undefined : output.found)));
  for (let before = -1; before !== found.size; ) {
    before = found.size;
    for (const { input, returned, output } of operations) {
      if (input.kind !== "compareAndSet" || output !== null || !found.has(input.value)) continue;
      if (returned !== pending) return operations;
      found.add(input.expected);
    }
  }
  return operations.filter(({ input, returned }) => returned !== pending || (input.kind !== "read" && found.has(input.value)));
}

/** Of each value, when the first to find it returned. */
function firstSeen(operations: readonly RegisterOperation[]): ReadonlyMap<Value, number> {
  const seenAt = new Map<Value, number>();
  for (const { output, returned } of operations) {
    if (output === null || output === "notEqual" || returned === pending) continue;
    seenAt.set(output.found, Math.min(returned, seenAt.get(output.found) ?? pending));
  }
  return seenAt;
}

/** Nobody else found the value, and whoever may have met it without a word would have done the same. */
function unseen(operation: RegisterOperation, others: readonly RegisterOperation[]): boolean {
  const { input } = operation;
  if (input.kind === "read") return true;
  return others.every((other) => {
    if (other === operation) return true;
    if (other.output !== null && other.output !== "notEqual" && other.output.found === input.value) return false;
    if (other.input.kind !== "compareAndSet") return true;
    const told = other.output !== null && other.output !== "notEqual";
    return told || (other.returned === pending && other.input.expected !== input.value);
  });
}

// ---- logs ----

export type AppendInput = { readonly kind: "read" } | { readonly kind: "append"; readonly value: Value };

/** Of a read the whole log; of an append how many values there were after it. */
export type AppendOutput = { readonly values: readonly Value[] } | { readonly length: number };

interface AppendState {
  readonly length: number;
  readonly text: string;
}

/** A log, empty at first. */
export const appendModel: Model<AppendState, AppendInput, AppendOutput> = {
  initial: { length: 0, text: "" },
  step(state, input, output) {
    if (input.kind === "read") {
      const same = output === null || ("values" in output && output.values.map(itemText).join("") === state.text);
      return same ? [state] : [];
    }
    const length = state.length + 1;
    const possible = output === null || ("length" in output && output.length === length);
    return possible ? [{ length, text: state.text + itemText(input.value) }] : [];
  },
  key: ({ text }) => text,
  changesNothing: ({ kind }) => kind === "read",
};

function itemText(value: Value): string {
  return `${JSON.stringify(value)},`;
}

// ---- documents ----

/** Most versions that it can add to the document; 0: a read. */
export interface DocumentInput {
  readonly updates: number;
}

export interface DocumentOutput {
  /** Of the document after the operation. */
  readonly version: number;
  /** How many of the versions were made by it. */
  readonly added: number;
  /** Of the document at that version, or a hash of it; `null`: not told. */
  readonly content: string | null;
}

interface DocumentState {
  readonly version: number;
  /** `null`: nobody has told yet. */
  readonly content: string | null;
}

/** A document that shows its version with each answer. What the edits do to it is left to whoever gives `content`. */
export function documentModel(initial: DocumentState): Model<DocumentState, DocumentInput, DocumentOutput> {
  return {
    initial,
    step: stepDocument,
    key: ({ version, content }) => `${version} ${JSON.stringify(content)}`,
    changesNothing: ({ updates }, output) => updates === 0 || output?.added === 0,
  };
}

function stepDocument(state: DocumentState, input: DocumentInput, output: DocumentOutput | null): readonly DocumentState[] {
  if (output === null) {
    const more = Array.from({ length: input.updates }, (_, at) => ({ version: state.version + at + 1, content: null }));
    return [state, ...more];
  }
  const { version, added, content } = output;
  if (added < 0 || added > input.updates || version !== state.version + added) return [];
  const before = added === 0 ? state.content : null;
  return before !== null && content !== null && before !== content ? [] : [{ version, content: content ?? before }];
}
