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

/** One register for each key, all with `initial` in them. */
export function registerModel(initial: Value): Model<Value, RegisterInput, RegisterOutput> {
  return {
    initial,
    step: stepRegister,
    key: (state) => JSON.stringify(state),
    partition: ({ key }) => key,
    changesNothing: registerUnchanged,
    infer: (operations) => inferRegister(initial, operations),
    dispensable: unseen,
  };
}

function stepRegister(state: Value, input: RegisterInput, output: RegisterOutput | null): readonly Value[] {
  if (output === "notEqual") return input.kind === "compareAndSet" && state !== input.expected ? [state] : [];
  if (output !== null && output.found !== state) return [];
  if (input.kind === "read") return [state];
  return input.kind === "set" || state === input.expected ? [input.value] : [state];
}

function registerUnchanged(input: RegisterInput, output: RegisterOutput | null): boolean {
  if (input.kind !== "compareAndSet") return input.kind === "read";
  return output === "notEqual" || (output !== null && output.found !== input.expected);
}

/**
 * A value that only one operation writes, and that was seen, was written before whoever saw it returned. A write without an outcome whose
 * value nobody can have noticed is as good as none. So the search seldom meets an operation that is open for ever.
 */
function inferRegister(initial: Value, operations: readonly RegisterOperation[]): readonly RegisterOperation[] {
  const writers = new Map<Value, number>([[initial, 2]]);
  for (const { input } of operations) if (input.kind !== "read") writers.set(input.value, (writers.get(input.value) ?? 0) + 1);
  let known = operations;
  for (let changed = true; changed; ) {
    const seenAt = firstSeen(known);
    changed = false;
    known = known.map((operation): RegisterOperation => {
      const { input, invoked } = operation;
      if (operation.returned !== pending || input.kind === "read" || writers.get(input.value) !== 1) return operation;
      const returned = seenAt.get(input.value) ?? -1;
      if (returned < invoked) return operation;
      changed = true;
      return { ...operation, returned, output: input.kind === "compareAndSet" ? { found: input.expected } : null };
    });
  }
  return known.filter((operation) => operation.returned !== pending || !unseen(operation, known));
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
