/** Authors, history, editors' sessions and the version of the rules: what the log says besides the text. */
import { ChangeSet, Text } from "@codemirror/state";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AuthorRuns } from "./authors.ts";
import { UnsupportedVersion } from "./command-codec.ts";
import { editOf, placed } from "./editing.test-kit.ts";
import { AUTHOR_RUNS_MAX, AUTHORS_THINNED_EVERY, DOCUMENT_LIMITS, HISTORY_STEPS_PER_WEIGHT } from "./limits.ts";
import { SharedDocument } from "./shared-document.ts";
import type { Authorship, ChangesJson, DocumentCommand, EditCommand } from "./types.ts";

const ADA = "ada-editor-1";
const BOB = "bob-editor-1";

class Log {
  readonly document: SharedDocument;
  index = 0;
  constructor(document = new SharedDocument()) {
    this.document = document;
  }
  apply(command: DocumentCommand) {
    this.index += 1;
    const read = this.document.decode(this.document.encode(command));
    return this.document.apply([placed(read, this.index, 3)])[0]?.refusal;
  }
  insert(clientId: string, at: number, text: string, more: Partial<EditCommand> = {}) {
    const { length, version } = this.document;
    const changes = ChangeSet.of({ from: at, insert: text }, length).toJSON() as ChangesJson;
    const serial = this.document.editor(clientId).accepted ?? 0;
    return this.apply(editOf(clientId, version, [changes], { author: clientId === BOB ? "Bob" : "Ada", serial, ...more }));
  }
}

function copyOf(document: SharedDocument): SharedDocument {
  const copy = new SharedDocument();
  copy.restore(document.snapshot());
  return copy;
}

describe("authors", () => {
  it("are known for every part of the text, with entry, term and time", () => {
    const log = new Log();
    log.insert(ADA, 0, "hello world");
    log.insert(BOB, 5, ", dear", { color: 2, at: 7_000 });
    const ada = { author: "Ada", color: 1, index: 1, term: 3, at: 1_000 };
    expect(log.document.authors()).toEqual([
      { ...ada, length: 5 },
      { author: "Bob", color: 2, index: 2, term: 3, at: 7_000, length: 6 },
      { ...ada, length: 6 },
    ]);
    expect(copyOf(log.document).authors()).toEqual(log.document.authors());
  });

  it("agree with a list of units, whatever is changed where", () => {
    const change = fc.record({ at: fc.nat(5_000), erase: fc.nat(40), insert: fc.nat(20), by: fc.nat(3) });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 400, size: "max" }), (changes) => {
        const runs = new AuthorRuns([], 0);
        const marks = [0, 1, 2, 3].map((index) => runs.begin(authorship(index)));
        const units: number[] = [];
        for (const { at, erase, insert, by } of changes) {
          const from = at % (units.length + 1);
          const to = Math.min(units.length, from + erase);
          if (from === to && insert === 0) continue;
          runs.apply(ChangeSet.of({ from, to, insert: "x".repeat(insert) }, units.length), marks[by] ?? 0);
          units.splice(from, to - from, ...Array<number>(insert).fill(by));
        }
        const read = runs.runs().flatMap(({ length, index }) => Array<number>(length).fill(index));
        expect(read).toEqual(units);
        for (const [i, run] of runs.runs().entries()) expect(run.index).not.toBe(runs.runs()[i + 1]?.index);
      }),
      { numRuns: 60 },
    );
  });

  it("are thinned when the version says so, alike before and after a restore", () => {
    const many = Array.from({ length: AUTHOR_RUNS_MAX + 10 }, (_, i) => ({
      ...authorship(i),
      length: 1,
      author: i % 3 === 0 ? "A" : "B",
    }));
    const [one, two] = [new AuthorRuns(many, 5), new AuthorRuns([...many], 5)];
    one.turn(AUTHORS_THINNED_EVERY - 1);
    expect(one.runs()).toHaveLength(many.length);
    for (const runs of [one, two]) runs.turn(AUTHORS_THINNED_EVERY);
    expect(one.runs().length).toBeLessThanOrEqual(AUTHOR_RUNS_MAX);
    expect(one.runs()).toEqual(two.runs());
    expect(one.runs().reduce((sum, { length }) => sum + length, 0)).toBe(many.length);
  });
});

function authorship(index: number): Authorship {
  return { author: "Ada", color: 1, at: 0, index, term: 1 };
}

function textBefore(document: SharedDocument, count: number): string {
  const steps = [...document.steps()].reverse().slice(0, count);
  return steps
    .reduce((text, { inverse }) => ChangeSet.fromJSON(inverse).apply(text), Text.of(document.text.split("\n")))
    .toString();
}

describe("history", () => {
  it("leads back step by step: another author, or a minute, begins a new one", () => {
    const log = new Log();
    log.insert(ADA, 0, "a", { at: 1_000 });
    log.insert(ADA, 1, "b", { at: 2_000 });
    log.insert(BOB, 2, "c", { at: 3_000 });
    log.insert(BOB, 3, "d", { at: 90_000 });
    expect(
      log.document.steps().map(({ authors, fromVersion, toVersion }) => [authors[0]?.author, fromVersion, toVersion]),
    ).toEqual([
      ["Ada", 0, 2],
      ["Bob", 2, 3],
      ["Bob", 3, 4],
    ]);
    expect([0, 1, 2, 3].map((count) => textBefore(log.document, count))).toEqual(["abcd", "abc", "ab", ""]);
  });

  it("is thinned by the log alone: pairs behind the newest, then fours; and still leads back to the beginning", () => {
    const log = new Log();
    const first = new Log();
    for (let i = 0; i < HISTORY_STEPS_PER_WEIGHT * 5; i++) log.insert(ADA, i, String(i % 10), { at: i * 100_000 });
    const weights = log.document.steps().map(({ weight }) => weight);
    expect([...weights].sort((a, b) => b - a)).toEqual(weights);
    expect(Math.max(...weights)).toBe(2);
    expect(weights.length).toBeLessThan(3 * HISTORY_STEPS_PER_WEIGHT);
    expect(textBefore(log.document, weights.length)).toBe("");
    first.document.restore(log.document.snapshot());
    for (const one of [log, first]) for (let i = 0; i < 70; i++) one.insert(BOB, 0, "z", { at: i * 100_000, serial: i });
    expect(first.document.steps().map(({ weight, fromVersion }) => [weight, fromVersion])).toEqual(
      log.document.steps().map(({ weight, fromVersion }) => [weight, fromVersion]),
    );
  });

  it("is bounded in bytes: what was erased long ago is forgotten first", () => {
    const log = new Log();
    for (let i = 0; i < 12; i++) {
      log.insert(ADA, 0, "x".repeat(900_000), { at: i * 200_000 });
      const { version, length } = log.document;
      log.apply(editOf(BOB, version, [[[length]]], { serial: i, author: "Bob", at: i * 200_000 }));
    }
    expect(log.document.snapshot().length).toBeLessThan(6 * 1024 * 1024 + 4 * 1024 * 1024);
    const copy = copyOf(log.document);
    expect(Buffer.compare(copy.snapshot(), log.document.snapshot())).toBe(0);
  });
});

describe("an editor's session", () => {
  it("says how many of its updates are in, and takes none twice, also behind the window", () => {
    const log = new Log(new SharedDocument({ ...DOCUMENT_LIMITS, windowUpdatesMax: 2 }));
    log.insert(ADA, 0, "mine");
    for (let i = 0; i < 5; i++) log.insert(BOB, 0, "x");
    expect(log.apply(editOf(ADA, 0, [[[0, "mine"]]]))).toBeNull();
    expect(log.apply(editOf(ADA, 0, [[[0, "mine"]], [4, [0, "!"]]]))).toBe("baseTooOld");
    expect(log.document.text).toBe("xxxxxmine");
    expect(log.document.editor(ADA)).toMatchObject({ accepted: 1 });
  });

  it("refuses what has a gap before it", () => {
    const log = new Log();
    log.insert(ADA, 0, "a");
    expect(log.apply(editOf(ADA, 1, [[1, [0, "c"]]], { serial: 2 }))).toBe("serialGap");
  });

  it("ends when another takes over what it left: in one step, once, and only as it was known to be", () => {
    const log = new Log();
    log.insert(ADA, 0, "a");
    const takeOver = (clientId: string, accepted: number) =>
      editOf(clientId, log.document.version, [[log.document.length, [0, "b"]]], { replaces: { clientId: ADA, accepted } });
    expect(log.apply(takeOver("heir-editor-1", 0))).toBe("replacesOther");
    const command = takeOver("heir-editor-1", 1);
    expect([log.apply(command), log.apply(command)]).toEqual([null, null]);
    expect(log.apply(takeOver("heir-editor-2", 1))).toBe("replaced");
    expect(log.apply(editOf(ADA, 1, [[1, [0, "b"]]], { serial: 1 }))).toBe("replaced");
    expect(log.document.text).toBe("ab");
    expect(copyOf(log.document).editor(ADA)).toEqual({ accepted: 1, replacedBy: "heir-editor-1" });
  });

  it("is forgotten when others came after it, and then nobody says that it had nothing", () => {
    const log = new Log(new SharedDocument({ ...DOCUMENT_LIMITS, sessionsMax: 2 }));
    for (const clientId of [ADA, BOB, "cyd-editor-1"]) log.insert(clientId, 0, "x");
    expect(log.document.editor(ADA).accepted).toBeNull();
    expect(log.document.editor(BOB).accepted).toBe(1);
  });
});

describe("the version of the rules", () => {
  const upgrade: DocumentCommand = { kind: "upgrade", to: 3 };

  it("goes up by an entry, on which a program that does not know it stops, before it becomes another document", () => {
    const later = new Log(new SharedDocument(DOCUMENT_LIMITS, 3));
    expect(later.document.validate(upgrade)).toBeNull();
    expect(later.apply(upgrade)).toBeNull();
    const earlier = new Log();
    earlier.insert(ADA, 0, "kept");
    expect(earlier.document.validate(upgrade)).toBe("unreadable");
    expect(() => earlier.apply(upgrade)).toThrow(UnsupportedVersion);
    expect(earlier.document.text).toBe("kept");
    expect(() => earlier.document.restore(later.document.snapshot())).toThrow(UnsupportedVersion);
  });

  it("until then both programs take commands of the later version for nothing, and stay equal", () => {
    const [earlier, later] = [new SharedDocument(), new SharedDocument(DOCUMENT_LIMITS, 3)];
    const bytes = earlier.encode(editOf(ADA, 0, [[[0, "x"]]]));
    bytes[0] = 3;
    for (const document of [earlier, later]) document.apply([placed(document.decode(bytes))]);
    expect(later.snapshot()).toEqual(earlier.snapshot());
    expect(later.text).toBe("");
  });
});
