/**
 * Histories of an object that shows its version with each answer: the versions are the order, so nothing has to be searched. The search itself
 * looks at small windows of the same history, as a second opinion that trusts no version order.
 */
import { type Operation, pending } from "./linearizability-history.ts";
import { type DocumentInput, type DocumentOutput, documentModel } from "./linearizability-models.ts";
import { Search } from "./linearizability-search.ts";

export type VersionedOperation = Operation<DocumentInput, DocumentOutput>;

export interface VersionOptions {
  /** Before the first operation. Default 0. */
  readonly initialVersion?: number;
  /** What a replay of everything that was committed gives at that version; `undefined`: not known. Without it reads are compared among themselves. */
  readonly contentAt?: (version: number) => string | undefined;
}

/** Why the history cannot be, and those who show it. */
export interface VersionFault {
  readonly reason: string;
  readonly operations: readonly VersionedOperation[];
}

interface Answered extends VersionedOperation {
  readonly output: DocumentOutput;
}

/**
 * In O(n log n). `null`: linearizable, but for one thing that is looked at only in sum: which versions that nobody was told of belong to which
 * operation without an answer.
 */
export function checkVersions(
  history: readonly VersionedOperation[],
  { initialVersion = 0, contentAt = () => undefined }: VersionOptions = {},
): VersionFault | null {
  const operations = history.filter(({ failed }) => !failed);
  const answered = operations.filter((operation): operation is Answered => operation.output !== null);
  // A write comes before the reads of what it made.
  answered.sort((a, b) => a.output.version - b.output.version || b.output.added - a.output.added);
  return (
    findImpossible(answered) ??
    findOverlap(answered, initialVersion) ??
    findWrongContent(answered, contentAt) ??
    findBackward(answered) ??
    findUnexplained(answered, operations, initialVersion)
  );
}

function findImpossible(answered: readonly Answered[]): VersionFault | null {
  const odd = answered.find(({ input, output }) => output.added < 0 || output.added > input.updates);
  return odd ? { reason: "more versions were made than were asked for", operations: [odd] } : null;
}

/** Each version is made by one operation, and nobody sees the middle of one. */
function findOverlap(sorted: readonly Answered[], initialVersion: number): VersionFault | null {
  let reached = initialVersion;
  let last: Answered | null = null;
  for (const operation of sorted) {
    const { version, added } = operation.output;
    if (version - added < (added > 0 ? reached : initialVersion)) {
      const reason = last ? `versions through ${version} overlap those before` : `version ${version} is before the first`;
      return { reason, operations: last ? [last, operation] : [operation] };
    }
    reached = version;
    last = operation;
  }
  return null;
}

function findWrongContent(sorted: readonly Answered[], contentAt: (version: number) => string | undefined): VersionFault | null {
  const first = new Map<number, Answered>();
  for (const operation of sorted) {
    const { version, content } = operation.output;
    if (content === null) continue;
    const replayed = contentAt(version);
    const other = first.get(version);
    if (content !== (replayed ?? other?.output.content ?? content)) {
      const reason = replayed === undefined ? "has two contents" : "has another content in a replay";
      return { reason: `version ${version} ${reason}`, operations: other ? [other, operation] : [operation] };
    }
    if (!other) first.set(version, operation);
  }
  return null;
}

/** Whoever is called after another returned begins at that one's version or behind it. */
function findBackward(answered: readonly Answered[]): VersionFault | null {
  const calls = [...answered].sort((a, b) => a.invoked - b.invoked);
  const returns = [...answered].sort((a, b) => a.returned - b.returned);
  let newest: Answered | null = null;
  let at = 0;
  for (const operation of calls) {
    for (let done = returns[at]; done && done.returned < operation.invoked; done = returns[++at])
      if (!newest || done.output.version > newest.output.version) newest = done;
    if (newest && operation.output.version - operation.output.added < newest.output.version)
      return { reason: `version ${newest.output.version} was there before the call`, operations: [newest, operation] };
  }
  return null;
}

/** Versions that nobody was told of are the work of operations without an answer that had been called before the versions were seen. */
function findUnexplained(
  sorted: readonly Answered[],
  operations: readonly VersionedOperation[],
  initialVersion: number,
): VersionFault | null {
  const seenBy = sorted.map(({ returned }) => returned);
  for (let at = seenBy.length - 2; at >= 0; at--) seenBy[at] = Math.min(seenBy[at] ?? pending, seenBy[at + 1] ?? pending);
  const silent = operations.filter(({ input, output }) => output === null && input.updates > 0);
  silent.sort((a, b) => a.invoked - b.invoked);
  let reached = initialVersion;
  let missing = 0;
  let possible = 0;
  let next = 0;
  for (const [at, operation] of sorted.entries()) {
    const { version, added } = operation.output;
    missing += version - added - reached;
    reached = version;
    for (let one = silent[next]; one && one.invoked <= (seenBy[at] ?? pending); one = silent[++next])
      possible += one.input.updates;
    if (missing > possible) return { reason: `${missing} versions through ${version} have no author`, operations: [operation] };
  }
  return null;
}

// ---- the second opinion ----

export interface WindowOptions extends VersionOptions {
  /** Operations of a window, at least; it ends at the next moment at which nobody waits. Default 50. */
  readonly size?: number;
  /** Steps of the search for each window. Default 50,000. */
  readonly budget?: number;
}

export interface WindowsVerdict {
  readonly decided: number;
  readonly undecided: number;
  /** The operations of the first window that is not linearizable. */
  readonly illegal: readonly VersionedOperation[] | null;
}

/** Operations without a return are part of every window from their call on, so that one might count twice: a fault can be missed, never invented. */
export function checkWindows(history: readonly VersionedOperation[], options: WindowOptions = {}): WindowsVerdict {
  const { size = 50, budget = 50_000, initialVersion = 0 } = options;
  const operations = history.filter(({ failed }) => !failed).sort((a, b) => a.invoked - b.invoked);
  const open = operations.filter(({ returned, input }) => returned === pending && input.updates > 0);
  let initial = { version: initialVersion, content: null as string | null };
  let decided = 0;
  let undecided = 0;
  for (const window of windowsOf(operations, size)) {
    const end = Math.max(...window.map(({ returned }) => returned));
    const whole = [...window, ...open.filter(({ invoked }) => invoked <= end)];
    const verdict = new Search(whole, documentModel(initial), budget).advance(budget);
    if (verdict === "no") return { decided, undecided, illegal: whole };
    if (verdict === "yes") decided++;
    else undecided++;
    // Without an answer it is not known where the window ended.
    if (window.some(({ output, input }) => output === null && input.updates > 0)) return { decided, undecided, illegal: null };
    for (const { output } of window)
      if (output && output.version >= initial.version) {
        const content = output.content ?? (output.version === initial.version ? initial.content : null);
        initial = { version: output.version, content };
      }
  }
  return { decided, undecided, illegal: null };
}

/** Of those that returned. */
function windowsOf(sorted: readonly VersionedOperation[], size: number): readonly (readonly VersionedOperation[])[] {
  const windows: VersionedOperation[][] = [];
  let window: VersionedOperation[] = [];
  let end = -pending;
  for (const operation of sorted) {
    if (operation.returned === pending) continue;
    if (window.length >= size && operation.invoked > end) {
      windows.push(window);
      window = [];
    }
    window.push(operation);
    end = Math.max(end, operation.returned);
  }
  return window.length > 0 ? [...windows, window] : windows;
}
