/**
 * The log in memory (§5.3). Storage is its shadow: what is appended or truncated here is asked of the disk by the same step.
 * `entries[i].index === snapshotIndex + 1 + i`, terms never fall, and `durableIndex` counts what the disk has acknowledged.
 */
import { assert } from "./assert.ts";
import { emptyConfiguration } from "./configuration.ts";
import type { Configuration, Entry, LogIndex, Term, WriteId } from "./types.ts";

export interface ConfigurationAt {
  readonly index: LogIndex;
  readonly configuration: Configuration;
}

export interface Log {
  snapshotIndex: LogIndex;
  snapshotTerm: Term;
  entries: Entry[];
  durableIndex: LogIndex;
  /** The write that last truncated: completions of earlier writes speak of a log that is gone. */
  truncatedByWrite: WriteId;
  /** §6: the last one in the log is in force. Kept as a stack, so that truncation uncovers the one before. Never empty. */
  configurations: ConfigurationAt[];
}

/** @throws AssertionFailed if the entries have a gap or a falling term */
export function createLog(entries: readonly Entry[]): Log {
  const log: Log = {
    snapshotIndex: 0,
    snapshotTerm: 0,
    entries: [],
    durableIndex: 0,
    truncatedByWrite: 0,
    configurations: [{ index: 0, configuration: emptyConfiguration }],
  };
  for (const entry of entries) append(log, entry);
  log.durableIndex = lastIndex(log);
  return log;
}

export function firstIndex(log: Log): LogIndex {
  return log.snapshotIndex + 1;
}

export function lastIndex(log: Log): LogIndex {
  return log.snapshotIndex + log.entries.length;
}

export function lastTerm(log: Log): Term {
  return log.entries[log.entries.length - 1]?.term ?? log.snapshotTerm;
}

export function entryAt(log: Log, index: LogIndex): Entry | null {
  return log.entries[index - log.snapshotIndex - 1] ?? null;
}

/** `null` if the log does not reach `index`, or has compacted it away. Term 0 stands before the first entry. */
export function termAt(log: Log, index: LogIndex): Term | null {
  if (index === log.snapshotIndex) return log.snapshotTerm;
  return entryAt(log, index)?.term ?? null;
}

export function slice(log: Log, from: LogIndex, through: LogIndex): readonly Entry[] {
  return log.entries.slice(from - log.snapshotIndex - 1, through - log.snapshotIndex);
}

/** From `from` on, as many as fit into `maxBytes`, and at least one if there is one. */
export function batchFrom(log: Log, from: LogIndex, maxBytes: number): readonly Entry[] {
  const start = from - log.snapshotIndex - 1;
  let end = start;
  let bytes = 0;
  for (; end < log.entries.length; end++) {
    bytes += entryBytes(log.entries[end]);
    if (bytes > maxBytes && end > start) break;
  }
  return log.entries.slice(start, end);
}

/** What an entry counts for in windows and limits: its command and a little for the rest. */
export function entryBytes(entry: Entry | undefined): number {
  return entry?.kind === "command" ? entry.command.byteLength + 16 : 64;
}

export function append(log: Log, entry: Entry): void {
  assert(entry.index === lastIndex(log) + 1, "the log has no gap");
  assert(entry.term >= lastTerm(log), "terms in a log never fall");
  log.entries.push(entry);
  if (entry.kind === "configuration") log.configurations.push({ index: entry.index, configuration: entry.configuration });
}

/** §5.3: drops the conflicting tail, and with it the configurations that stood there. */
export function truncateFrom(log: Log, index: LogIndex): void {
  assert(index > log.snapshotIndex, "a snapshot is never truncated");
  log.entries.length = index - log.snapshotIndex - 1;
  log.durableIndex = Math.min(log.durableIndex, index - 1);
  while (configurationInForce(log).index >= index) log.configurations.pop();
}

export function configurationInForce(log: Log): ConfigurationAt {
  const last = log.configurations[log.configurations.length - 1];
  assert(last !== undefined, "some configuration is always in force");
  return last;
}

/** §5.4.1: whether a log that ends so is at least as up-to-date as this one. */
export function isUpToDate(log: Log, otherLastTerm: Term, otherLastIndex: LogIndex): boolean {
  if (otherLastTerm !== lastTerm(log)) return otherLastTerm > lastTerm(log);
  return otherLastIndex >= lastIndex(log);
}

/** The last index at or below `index` whose term is at most `term`: both ends of a conflict skip whole terms with it (§5.3). */
export function lastIndexWithTermAtMost(log: Log, index: LogIndex, term: Term): LogIndex {
  let candidate = Math.min(index, lastIndex(log));
  while (candidate > log.snapshotIndex && (termAt(log, candidate) ?? 0) > term) candidate--;
  return candidate;
}
