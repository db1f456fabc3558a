/** The three-way merge: cases that people meet, and its laws over random texts. */
import { ChangeSet, Text } from "@codemirror/state";
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { changesBetween, diffTexts } from "./diff.ts";
import { type Merge, mergeThreeWay } from "./merge.ts";

function textOf(theirs: string, { changes }: Merge): string {
  return changes.apply(Text.of(theirs.split("\n"))).toString();
}

function merged(base: string, mine: string, theirs: string): string {
  const merge = mergeThreeWay(base, mine, theirs);
  expect(merge.conflicts).toEqual([]);
  return textOf(theirs, merge);
}

describe("what both sides changed in different places is all there", () => {
  test.each([
    ["lines apart", "one\ntwo\nthree\n", "one!\ntwo\nthree\n", "one\ntwo\nthree?\n", "one!\ntwo\nthree?\n"],
    ["words of one line", "the quick brown fox", "the slow brown fox", "the quick brown dog", "the slow brown dog"],
    ["I wrote at the end, they at the start", "text", "text of mine", "their text", "their text of mine"],
    ["I wrote where they deleted before me", "drop this keep that", "drop this keep that now", "keep that", "keep that now"],
    ["both inserted at one place", "ab", "aXb", "aYb", "aYXb"],
    ["both wrote the same", "a b c", "a B c", "a B c", "a B c"],
    ["both deleted, I more than they", "a b c d e", "a e", "a b d e", "a e"],
    ["I deleted what stands beside their insertion", "alpha beta", "beta", "alpha new beta", "new beta"],
    ["they changed nothing", "a\nb", "a\nB", "a\nb", "a\nB"],
    ["I changed nothing", "a\nb", "a\nb", "A\nb", "A\nb"],
    ["an empty base", "", "mine", "theirs", "theirsmine"],
  ])("%s", (_title, base, mine, theirs, expected) => {
    expect(merged(base, mine, theirs)).toBe(expected);
  });
});

describe("what both sides changed in one place is offered, and theirs stands", () => {
  it("two new words for one", () => {
    const merge = mergeThreeWay("a red house", "a blue house", "a green house!");
    expect(textOf("a green house!", merge)).toBe("a green house!");
    expect(merge.conflicts).toEqual([{ base: "red", mine: "blue", theirs: "green", from: 2, to: 7 }]);
  });

  it("they deleted the paragraph that I wrote in; what I wrote elsewhere is placed", () => {
    const [base, mine, theirs] = ["keep\nold line\nend", "keep\nold new line\nend, mine", "keep\nend"];
    const merge = mergeThreeWay(base, mine, theirs);
    expect(textOf(theirs, merge)).toBe("keep\nend, mine");
    expect(merge.conflicts).toMatchObject([{ base: "old line\n", mine: "old new line\n", theirs: "", from: 5, to: 5 }]);
  });

  it("I deleted what they changed", () => {
    const merge = mergeThreeWay("one two three", "three", "one TWO three");
    expect(textOf("one TWO three", merge)).toBe("one TWO three");
    expect(merge.conflicts).toMatchObject([{ base: "one two ", mine: "", theirs: "one TWO " }]);
  });
});

it("takes the very changes that were made, instead of looking for them", () => {
  const mine = ChangeSet.of({ from: 1, to: 2, insert: "X" }, 3);
  expect(textOf("zabc", mergeThreeWay("abc", mine, "zabc"))).toBe("zaXc");
});

it("a text of which everything differs is one hunk, and fast", () => {
  const lines = (word: string) => Array.from({ length: 20_000 }, (_, i) => `${word} ${i}`).join("\n");
  const [a, b] = [lines("a"), lines("b")];
  expect(diffTexts(a, b)).toHaveLength(1);
});

const text = fc.array(fc.constantFrom("a", "b ", "c\n", "word ", "\n", "é😀"), { maxLength: 30 }).map((parts) => parts.join(""));
/** Edits that leave traces which nothing else has: each inserted mark is unique. */
const edits = fc.array(fc.record({ at: fc.nat(200), erase: fc.nat(6), insert: fc.boolean() }), { maxLength: 6 });

function edited(base: string, steps: readonly { at: number; erase: number; insert: boolean }[], mark: number): string {
  let now = base;
  steps.forEach(({ at, erase, insert }, i) => {
    const from = at % (now.length + 1);
    now = now.slice(0, from) + (insert ? String.fromCharCode(mark + i) : "") + now.slice(from + (insert ? 0 : erase));
  });
  return now;
}

const isMark = (unit: string) => unit >= "\u4e00" && unit < "\u9f00";
const marks = (of: string) => [...of].filter(isMark).sort();

it("the difference leads from one text to the other", () => {
  fc.assert(
    fc.property(text, text, (a, b) => {
      const changes = changesBetween(a, b);
      expect(changes.apply(Text.of(a.split("\n"))).toString()).toBe(b);
    }),
    { numRuns: 2_000 },
  );
});

it("no word of either side is lost, and one side alone is taken as it is", () => {
  fc.assert(
    fc.property(text, edits, edits, (base, ours, others) => {
      const mine = edited(base, ours, 0x4e00);
      const theirs = edited(base, others, 0x5e00);
      const merge = mergeThreeWay(base, mine, theirs);
      const all = textOf(theirs, merge);
      const offered = merge.conflicts.map((conflict) => conflict.mine).join("");
      expect(marks(all + offered)).toEqual([...marks(mine), ...marks(theirs)].sort());
      for (const { from, to, theirs: shown } of merge.conflicts) expect(all.slice(from, to)).toBe(shown);
      expect(textOf(base, mergeThreeWay(base, mine, base))).toBe(mine);
      expect(textOf(theirs, mergeThreeWay(base, base, theirs))).toBe(theirs);
      expect(textOf(mine, mergeThreeWay(base, mine, mine))).toBe(mine);
    }),
    { numRuns: 3_000 },
  );
});
