import { describe, expect, test } from "vitest";
import { createConfiguration } from "./configuration.ts";
import {
  append,
  batchFrom,
  compact,
  configurationAt,
  configurationInForce,
  createLog,
  entryAt,
  entryBytes,
  firstIndex,
  isUpToDate,
  type Log,
  lastIndex,
  lastIndexWithTermAtMost,
  lastTerm,
  noConfiguration,
  resetTo,
  slice,
  termAt,
  truncateFrom,
} from "./log.ts";
import { command } from "./testing/messages.ts";
import type { Entry, Term } from "./types.ts";

function configurationEntry(index: number, term: Term, ...voters: readonly string[]): Entry {
  return { kind: "configuration", index, term, configuration: createConfiguration(voters) };
}

/** Entries of these terms behind a base of `baseIndex`@`baseTerm`. */
function logOf(terms: readonly Term[], baseIndex = 0, baseTerm = 0): Log {
  const entries = terms.map((term, at) => command(baseIndex + 1 + at, term));
  return createLog({ baseIndex, baseTerm, configuration: noConfiguration, entries });
}

describe("positions", () => {
  test("an empty log ends before its first entry", () => {
    const log = logOf([]);
    expect([firstIndex(log), lastIndex(log), lastTerm(log), termAt(log, 0), termAt(log, 1)]).toEqual([1, 0, 0, 0, null]);
  });

  test("a compacted log knows the term at its base, and nothing before it", () => {
    const log = logOf([3, 4], 10, 2);
    expect([firstIndex(log), lastIndex(log), lastTerm(log)]).toEqual([11, 12, 4]);
    expect([9, 10, 11, 12, 13].map((index) => termAt(log, index))).toEqual([null, 2, 3, 4, null]);
    expect([10, 11].map((index) => entryAt(log, index)?.index ?? null)).toEqual([null, 11]);
  });

  test.each([
    [1, 2, [1, 2]],
    [2, 99, [2, 3]],
    [4, 9, []],
  ])("slice(%i, %i)", (from, through, expected) => {
    expect(slice(logOf([1, 1, 1]), from, through).map(({ index }) => index)).toEqual(expected);
  });
});

describe("append", () => {
  test.each([
    ["leaves a gap", command(4, 2)],
    ["stands where one stands already", command(2, 2)],
    ["is of an earlier term", command(3, 1)],
  ])("an entry that %s is the node's own error", (_, entry) => {
    expect(() => append(logOf([1, 2]), entry)).toThrow();
  });
});

describe("configurations", () => {
  const log = (): Log => {
    const made = logOf([]);
    for (const entry of [configurationEntry(1, 1, "a"), command(2, 1), configurationEntry(3, 2, "a", "b"), command(4, 2)])
      append(made, entry);
    made.durableIndex = 4;
    return made;
  };

  test("the last in the log is in force", () => {
    expect(configurationInForce(log())).toMatchObject({ index: 3, configuration: { voters: ["a", "b"] } });
    expect(configurationInForce(logOf([]))).toEqual(noConfiguration);
  });

  test("truncation uncovers the one before", () => {
    const made = log();
    truncateFrom(made, 4);
    expect(configurationInForce(made).index).toBe(3);
    truncateFrom(made, 3);
    expect(configurationInForce(made).index).toBe(1);
    truncateFrom(made, 1);
    expect(configurationInForce(made)).toEqual(noConfiguration);
  });

  test.each([
    [0, 0],
    [1, 1],
    [2, 1],
    [3, 3],
    [9, 3],
  ])("at %i the one of %i is in force", (index, expected) => {
    expect(configurationAt(log(), index).index).toBe(expected);
  });

  test("compaction keeps the one in force at the base and those behind it", () => {
    const made = log();
    compact(made, 2);
    expect(made.configurations.map(({ index }) => index)).toEqual([1, 3]);
    compact(made, 4);
    expect(made.configurations.map(({ index }) => index)).toEqual([3]);
    expect(made).toMatchObject({ baseIndex: 4, baseTerm: 2, entries: [] });
  });

  test("a log that is replaced by a snapshot forgets its own", () => {
    const made = log();
    resetTo(made, 9, 5, { index: 7, configuration: createConfiguration(["z"]) });
    expect(made.configurations).toEqual([{ index: 7, configuration: createConfiguration(["z"]) }]);
    expect([lastIndex(made), lastTerm(made), made.durableIndex]).toEqual([9, 5, 0]);
  });
});

describe("truncation and compaction", () => {
  test("what is truncated is not durable any more", () => {
    const log = logOf([1, 1, 2]);
    truncateFrom(log, 2);
    expect([lastIndex(log), log.durableIndex]).toEqual([1, 1]);
  });

  test("what a snapshot stands for is never truncated", () => {
    expect(() => truncateFrom(logOf([3], 10, 2), 10)).toThrow(/never truncated/);
  });

  test("only what is durable and in the log is compacted", () => {
    const log = logOf([1, 1, 2]);
    expect(() => compact(log, 4)).toThrow(/durable/);
    log.durableIndex = 1;
    expect(() => compact(log, 2)).toThrow(/durable/);
  });
});

test.each([
  [1, 3],
  [17, 3],
  [34, 3],
  [50, 3],
  [51, 4],
  [1000, 6],
])("a batch of at most %i bytes from 3 on ends at %i", (maxBytes, last) => {
  const log = logOf([1, 1, 1, 1, 1, 1]);
  expect(entryBytes(log.entries[0])).toBe(18);
  expect(batchFrom(log, 3, maxBytes).entries.map(({ index }) => index)).toEqual(
    Array.from({ length: Math.min(4, Math.max(1, Math.floor(maxBytes / 18))) }, (_, at) => 3 + at),
  );
  expect(batchFrom(log, 3, maxBytes).entries.at(-1)?.index).toBeGreaterThanOrEqual(last - 1);
});

test.each([
  ["a later last term", 4, 1, true],
  ["the same last term, longer", 3, 4, true],
  ["the same last term, equal", 3, 3, true],
  ["the same last term, shorter", 3, 2, false],
  ["an earlier last term, longer", 2, 99, false],
])("with %s a log is up-to-date: §5.4.1", (_, otherTerm, otherIndex, expected) => {
  expect(isUpToDate(logOf([1, 2, 3]), otherTerm, otherIndex)).toBe(expected);
});

test.each([
  [6, 9, 6],
  [9, 9, 6],
  [6, 3, 4],
  [6, 2, 3],
  [3, 4, 3],
  [6, 1, 2],
  [6, 0, 0],
])("the last index at or below %i whose term is at most %i is %i", (index, term, expected) => {
  expect(lastIndexWithTermAtMost(logOf([1, 1, 2, 3, 4, 4]), index, term)).toBe(expected);
});

test("below the base nothing is known: with a later term there, what could agree lies before it", () => {
  const log = logOf([5, 5], 10, 4);
  expect([5, 4, 3].map((term) => lastIndexWithTermAtMost(log, 12, term))).toEqual([12, 10, 9]);
  expect(lastIndexWithTermAtMost(log, 7, 9)).toBe(7);
});
