import { describe, expect, test } from "vitest";
import { createRandom, nextBelow } from "../raft/mod.ts";
import { isLinearizable, type Replay } from "./linearizability-brute-force.ts";
import { pending } from "./linearizability-history.ts";
import type { DocumentInput, DocumentOutput } from "./linearizability-models.ts";
import { checkVersions, checkWindows, type VersionedOperation } from "./linearizability-versions.ts";

function operation(invoked: number, returned: number, updates: number, output: DocumentOutput | null): VersionedOperation {
  return { client: `c${invoked}`, invoked, returned, input: { updates }, output, failed: false };
}

const edit = (invoked: number, returned: number, version: number, added = 1): VersionedOperation =>
  operation(invoked, returned, added, { version, added, content: null });
const read = (invoked: number, returned: number, version: number, content: string | null = null): VersionedOperation =>
  operation(invoked, returned, 0, { version, added: 0, content });
const lost = (invoked: number, updates = 1): VersionedOperation => operation(invoked, pending, updates, null);

const good: Readonly<Record<string, readonly VersionedOperation[]>> = {
  nothing: [],
  "one after the other": [edit(1, 2, 1), read(3, 4, 1), edit(5, 6, 4, 3), read(7, 8, 4)],
  "beside each other in any order": [edit(1, 10, 2), edit(2, 9, 1), read(3, 4, 0), read(5, 6, 2)],
  "a repeated edit adds nothing": [edit(1, 2, 1), operation(3, 4, 1, { version: 1, added: 0, content: null })],
  "a lost edit is seen, another not": [lost(1), lost(2), read(3, 4, 1)],
  "a lost edit of two takes effect late": [lost(1, 2), edit(2, 3, 1), read(4, 5, 1), read(6, 7, 3)],
  "readers of one version agree": [edit(1, 2, 1), read(3, 4, 1, "a"), read(3, 4, 1, "a"), edit(5, 6, 2), read(7, 8, 2, "b")],
};

const bad: Readonly<Record<string, readonly VersionedOperation[]>> = {
  "a stale read": [edit(1, 2, 1), read(3, 4, 0)],
  "a read that goes back": [edit(1, 9, 1), read(2, 3, 1), read(4, 5, 0)],
  "a version made twice": [edit(1, 9, 1), edit(2, 8, 1)],
  "an edit that did not see the one before": [edit(1, 2, 2, 2), edit(3, 4, 1)],
  "a read in the middle of an edit": [edit(1, 9, 2, 2), read(2, 3, 1)],
  "a version without an author": [edit(1, 2, 1), read(3, 4, 2)],
  "a version before its author was called": [read(1, 2, 1), lost(3)],
  "a version before its author was called, though another saw it later": [read(1, 10, 1), read(1, 2, 1), lost(3)],
  "more versions than lost edits": [lost(1), read(2, 3, 2)],
  "readers of one version disagree": [edit(1, 2, 1), read(3, 4, 1, "a"), read(3, 4, 1, "b")],
  "more added than asked for": [operation(1, 2, 1, { version: 2, added: 2, content: null })],
};

describe("versions are the order", () => {
  for (const [name, history] of Object.entries(good))
    test(`good: ${name}`, () => {
      expect(checkVersions(history)).toBeNull();
      expect(checkVersions([...history].reverse())).toBeNull();
      expect(checkWindows(history)).toMatchObject({ undecided: 0, illegal: null });
    });
  for (const [name, history] of Object.entries(bad))
    test(`bad: ${name}`, () => {
      expect(checkVersions(history)).not.toBeNull();
      expect(checkVersions([...history].reverse())).not.toBeNull();
      expect(checkWindows(history).illegal).not.toBeNull();
    });

  test("a failed edit makes no version", () => {
    expect(checkVersions([{ ...lost(1), failed: true }, read(2, 3, 1)])).toMatchObject({
      reason: "1 versions through 1 have no author",
    });
  });

  test("a read is compared with a replay, if there is one", () => {
    const history = [edit(1, 2, 1), read(3, 4, 1, "a")];
    expect(checkVersions(history, { contentAt: () => "a" })).toBeNull();
    expect(checkVersions(history, { contentAt: () => "b" })?.operations).toEqual([history[1]]);
  });

  test("agrees with every order tried, and with the search", () => {
    const random = createRandom(21);
    const below = (bound: number): number => nextBelow(random, bound);
    const verdicts = { good: 0, bad: 0 };
    for (let round = 0; round < 2000; round++) {
      // Answers are kept: what was lost is known in sum only, see below.
      const history = randomHistory(below).filter(({ output }) => output !== null);
      const truth = isLinearizable(history, start, replay);
      const windows = checkWindows(history);
      if ((checkVersions(history) === null) !== truth || (windows.illegal === null) !== truth)
        throw new Error(JSON.stringify(history));
      verdicts[truth ? "good" : "bad"]++;
    }
    expect(Math.min(verdicts.good, verdicts.bad)).toBeGreaterThan(200);
  });

  test("with lost answers a good history is never refuted, and the search of one window is exact", () => {
    const random = createRandom(22);
    let missed = 0;
    let bad = 0;
    for (let round = 0; round < 2000; round++) {
      const history = randomHistory((bound) => nextBelow(random, bound));
      const truth = isLinearizable(history, start, replay);
      const refuted = checkVersions(history) !== null;
      if (truth) expect(refuted).toBe(false);
      expect(checkWindows(history).illegal === null).toBe(truth);
      if (!truth) bad++;
      if (!truth && !refuted) missed++;
    }
    expect(bad).toBeGreaterThan(200);
    expect(missed).toBeLessThan(bad * 0.1);
  });

  test("10,000 operations, and a stale read among the last", () => {
    const history = Array.from({ length: 5000 }, (_, at) => [
      edit(at * 4, at * 4 + 3, at + 1),
      read(at * 4 + 1, at * 4 + 5, at + 1),
    ]).flat();
    expect(checkVersions(history)).toBeNull();
    const fault = checkVersions([...history, read(20_010, 20_011, 4999)]);
    expect(fault?.reason).toContain("version 5000 was there before");
  });

  test("a fault in a late window is found, one window after the other", () => {
    const history = Array.from({ length: 200 }, (_, at) => edit(at * 4, at * 4 + 2, at + 1));
    expect(checkWindows(history, { size: 20 })).toEqual({ decided: 10, undecided: 0, illegal: null });
    const stale = read(700, 701, 170);
    expect(checkWindows([...history, stale], { size: 20 }).illegal).toContain(stale);
  });
});

// ---- histories by chance ----

interface Document {
  readonly version: number;
  readonly content: string | null;
}

const start: Document = { version: 0, content: null };

/** A silent edit has added everything or nothing that it was asked for. Only for edits of one version is that all that there is. */
const replay: Replay<Document, DocumentInput, DocumentOutput> = (state, input, output) => {
  if (!output) return { possible: true, after: { version: state.version + input.updates, content: null } };
  const before = output.added === 0 ? state.content : null;
  const possible =
    output.added <= input.updates &&
    output.version === state.version + output.added &&
    (before === null || output.content === null || before === output.content);
  return { possible, after: { version: output.version, content: output.content ?? before } };
};

function randomHistory(below: (bound: number) => number): readonly VersionedOperation[] {
  return Array.from({ length: 1 + below(5) }, () => {
    const invoked = below(10);
    const returned = invoked + below(6);
    const version = below(4);
    const added = version > 0 && below(3) > 0 ? 1 + below(Math.min(2, version)) : 0;
    if (below(4) === 0) return lost(invoked);
    const content = below(3) === 0 ? ["a", "b"][below(2)] : undefined;
    return operation(invoked, returned, added, { version, added, content: content ?? null });
  });
}
