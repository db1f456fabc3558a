/**
 * The log in memory (§5.3), from the entry after `baseIndex` on: what lies before was compacted away (§7). Storage is its shadow: what is
 * appended, truncated or compacted here is asked of the disk too. `entries[i].index === baseIndex + 1 + i`, terms never fall, and
 * `durableIndex` counts what the disk has acknowledged.
 */
import { assert } from "./assert.ts";
import { emptyConfiguration } from "./configuration.ts";
import type { Configuration, Entry, LogIndex, Term, WriteId } from "./types.ts";

export interface ConfigurationAt {
  readonly index: LogIndex;
  readonly configuration: Configuration;
}

export interface Log {
  baseIndex: LogIndex;
  baseTerm: Term;
  entries: Entry[];
  durableIndex: LogIndex;
  /** The write that last truncated: completions of earlier writes speak of a log that is gone. */
  truncatedByWrite: WriteId;
  /** §6: the last one in the log is in force. Kept as a stack, so that truncation uncovers the one before. Never empty. */
  configurations: ConfigurationAt[];
}

export interface LogOptions {
  readonly baseIndex: LogIndex;
  readonly baseTerm: Term;
  /** In force at the base. */
  readonly configuration: ConfigurationAt;
  readonly entries: readonly Entry[];
}

/** @throws AssertionFailed if the entries have a gap or a falling term */
export function createLog({ baseIndex, baseTerm, configuration, entries }: LogOptions): Log {
  const log: Log = {
    baseIndex,
    baseTerm,
    entries: [],
    durableIndex: baseIndex,
    truncatedByWrite: 0,
    configurations: [configuration],
  };
  for (const entry of entries) append(log, entry);
  log.durableIndex = lastIndex(log);
  return log;
}

export function firstIndex(log: Log): LogIndex {
  return log.baseIndex + 1;
}

export function lastIndex(log: Log): LogIndex {
  return log.baseIndex + log.entries.length;
}

export function lastTerm(log: Log): Term {
  return log.entries[log.entries.length - 1]?.term ?? log.baseTerm;
}

export function entryAt(log: Log, index: LogIndex): Entry | null {
  return log.entries[index - log.baseIndex - 1] ?? null;
}

/** `null` if the log does not reach `index`, or has compacted it away. Term 0 stands before the first entry. */
export function termAt(log: Log, index: LogIndex): Term | null {
  if (index === log.baseIndex) return log.baseTerm;
  return entryAt(log, index)?.term ?? null;
}

export function slice(log: Log, from: LogIndex, through: LogIndex): readonly Entry[] {
  return log.entries.slice(from - log.baseIndex - 1, through - log.baseIndex);
}

/** Entries one behind the other, and what they count for together. */
export interface Batch {
  readonly from: LogIndex;
  readonly entries: readonly Entry[];
  readonly bytes: number;
}

/** From `from` on, as many as fit into `maxBytes`, and at least one if there is one. */
export function batchFrom(log: Log, from: LogIndex, maxBytes: number): Batch {
  const start = from - log.baseIndex - 1;
  let end = start;
  let bytes = 0;
  for (; end < log.entries.length; end++) {
    const more = entryBytes(log.entries[end]);
    if (bytes + more > maxBytes && end > start) break;
    bytes += more;
  }
  return { from, entries: log.entries.slice(start, end), bytes };
}

/** What an entry counts for in windows and limits: its command and a little for the rest. */
export function entryBytes(entry: Entry | undefined): number {
  return entry?.kind === "command" ? commandBytes(entry.command) : 64;
}

/** The same, before it is an entry. */
export function commandBytes(command: Uint8Array): number {
  return command.byteLength + 16;
}

export function append(log: Log, entry: Entry): void {
  assert(entry.index === lastIndex(log) + 1, "the log has no gap");
  assert(entry.term >= lastTerm(log), "terms in a log never fall");
  log.entries.push(entry);
  if (entry.kind === "configuration") log.configurations.push({ index: entry.index, configuration: entry.configuration });
}

/** §5.3: drops the conflicting tail, and with it the configurations that stood there. */
export function truncateFrom(log: Log, index: LogIndex): void {
  assert(index > log.baseIndex, "what a snapshot stands for is never truncated");
  log.entries.length = index - log.baseIndex - 1;
  log.durableIndex = Math.min(log.durableIndex, index - 1);
  while (configurationInForce(log).index >= index) log.configurations.pop();
}

export function configurationInForce(log: Log): ConfigurationAt {
  const last = log.configurations[log.configurations.length - 1];
  assert(last !== undefined, "some configuration is always in force");
  return last;
}

/** Of a pristine node: nobody, so nobody campaigns. */
export const noConfiguration: ConfigurationAt = { index: 0, configuration: emptyConfiguration };

/** In force at `index`, which must not lie before the base. */
export function configurationAt(log: Log, index: LogIndex): ConfigurationAt {
  const found = log.configurations.findLast((at) => at.index <= index);
  assert(found !== undefined, "a snapshot's configuration is known");
  return found;
}

/** §7: drops what a durable snapshot stands for, through `index`. */
export function compact(log: Log, index: LogIndex): void {
  const term = termAt(log, index);
  assert(term !== null && index <= log.durableIndex, "only what is durable is compacted");
  const base = configurationAt(log, index);
  log.entries = log.entries.slice(index - log.baseIndex);
  log.baseIndex = index;
  log.baseTerm = term;
  log.configurations = [base, ...log.configurations.filter((at) => at.index > index)];
}

/** An installed snapshot to which this log does not lead: all of the log goes, its configurations too (§7). */
export function resetTo(log: Log, index: LogIndex, term: Term, configuration: ConfigurationAt): void {
  log.entries = [];
  log.baseIndex = index;
  log.baseTerm = term;
  log.durableIndex = 0;
  log.configurations = [configuration];
}

/** §5.4.1: whether a log that ends so is at least as up-to-date as this one. */
export function isUpToDate(log: Log, otherLastTerm: Term, otherLastIndex: LogIndex): boolean {
  if (otherLastTerm !== lastTerm(log)) return otherLastTerm > lastTerm(log);
  return otherLastIndex >= lastIndex(log);
}

/** The last index at or below `index` whose term is at most `term`: both ends of a conflict skip whole terms with it (§5.3). */
export function lastIndexWithTermAtMost(log: Log, index: LogIndex, term: Term): LogIndex {
  let candidate = Math.min(index, lastIndex(log));
  while (candidate > log.baseIndex && (termAt(log, candidate) ?? 0) > term) candidate--;
  // What could agree was compacted away: below the base, where only a snapshot helps.
  return candidate === log.baseIndex && log.baseTerm > term ? candidate - 1 : candidate;
}
