/**
 * What changed between two texts: lines first, then words inside the lines that differ. Pure and deterministic; where a text has changed
 * beyond what is worth telling apart, the difference is one hunk.
 */
import { ChangeSet } from "@codemirror/state";

/** `a[fromA, toA)` became `b[fromB, toB)`, in UTF-16 units. */
export interface Hunk {
  readonly fromA: number;
  readonly toA: number;
  readonly fromB: number;
  readonly toB: number;
}

/** Insertions and deletions that one run looks for; more make one hunk of everything. Memory is its square. */
const EDITS_MAX = 1_000;
/** Units of both sides up to which words are told apart. */
const WORDS_LENGTH_MAX = 64 * 1024;

const WORD = /[\p{L}\p{N}_]+|[^\S\n]+|./gsu;

/** In the order of the text, never empty, never touching. */
export function diffTexts(a: string, b: string): readonly Hunk[] {
  const rough = diffTokens(a, b, linesOf);
  return join(rough.flatMap((hunk) => refine(a, b, hunk)).map((hunk) => trim(a, b, hunk)));
}

/** Without the units that both sides have at its ends: letters added to a word leave the rest of the word alone. */
function trim(a: string, b: string, { fromA, toA, fromB, toB }: Hunk): Hunk {
  const most = Math.min(toA - fromA, toB - fromB);
  let head = 0;
  while (head < most && a.charCodeAt(fromA + head) === b.charCodeAt(fromB + head)) head += 1;
  let tail = 0;
  while (tail < most - head && a.charCodeAt(toA - 1 - tail) === b.charCodeAt(toB - 1 - tail)) tail += 1;
  return { fromA: fromA + head, toA: toA - tail, fromB: fromB + head, toB: toB - tail };
}

/** As a change of `a`, which leads to `b`. */
export function changesBetween(a: string, b: string): ChangeSet {
  const parts = diffTexts(a, b).map(({ fromA, toA, fromB, toB }) => ({ from: fromA, to: toA, insert: b.slice(fromB, toB) }));
  return ChangeSet.of(parts, a.length, "\n");
}

export function hunksOf(changes: ChangeSet): readonly Hunk[] {
  const hunks: Hunk[] = [];
  changes.iterChanges((fromA, toA, fromB, toB) => hunks.push({ fromA, toA, fromB, toB }));
  return hunks;
}

function refine(a: string, b: string, hunk: Hunk): readonly Hunk[] {
  const { fromA, toA, fromB, toB } = hunk;
  const size = toA - fromA + (toB - fromB);
  if (fromA === toA || fromB === toB || size > WORDS_LENGTH_MAX) return [hunk];
  return diffTokens(a.slice(fromA, toA), b.slice(fromB, toB), (text) => text.match(WORD) ?? []).map((inner) => ({
    fromA: fromA + inner.fromA,
    toA: fromA + inner.toA,
    fromB: fromB + inner.fromB,
    toB: fromB + inner.toB,
  }));
}

function linesOf(text: string): readonly string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/** Tokens as small numbers, the same on both sides, and where each begins. */
interface Side {
  readonly ids: Int32Array;
  readonly starts: Float64Array;
}

function sideOf(tokens: readonly string[], known: Map<string, number>): Side {
  const ids = new Int32Array(tokens.length);
  const starts = new Float64Array(tokens.length + 1);
  tokens.forEach((token, at) => {
    const id = known.get(token) ?? known.size;
    known.set(token, id);
    ids[at] = id;
    starts[at + 1] = (starts[at] ?? 0) + token.length;
  });
  return { ids, starts };
}

function diffTokens(a: string, b: string, split: (text: string) => readonly string[]): readonly Hunk[] {
  if (a === b) return [];
  const known = new Map<string, number>();
  const [one, two] = [sideOf(split(a), known), sideOf(split(b), known)];
  let head = 0;
  let [endA, endB] = [one.ids.length, two.ids.length];
  while (head < endA && head < endB && one.ids[head] === two.ids[head]) head += 1;
  while (endA > head && endB > head && one.ids[endA - 1] === two.ids[endB - 1]) {
    endA -= 1;
    endB -= 1;
  }
  return shortestEdit(one.ids.subarray(head, endA), two.ids.subarray(head, endB)).map((hunk) => ({
    fromA: one.starts[head + hunk.fromA] ?? 0,
    toA: one.starts[head + hunk.toA] ?? 0,
    fromB: two.starts[head + hunk.fromB] ?? 0,
    toB: two.starts[head + hunk.toB] ?? 0,
  }));
}

/** Myers' greedy search (1986): the furthest reach on each diagonal, by number of edits. */
function shortestEdit(a: Int32Array, b: Int32Array): readonly Hunk[] {
  const whole = { fromA: 0, toA: a.length, fromB: 0, toB: b.length };
  if (a.length === 0 || b.length === 0) return a.length + b.length === 0 ? [] : [whole];
  const most = Math.min(EDITS_MAX, a.length + b.length);
  const reach = new Int32Array(2 * most + 3);
  const trail: Int32Array[] = [];
  const middle = most + 1;
  for (let edits = 0; edits <= most; edits++) {
    trail.push(reach.slice(middle - edits - 1, middle + edits + 2));
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      let x = stepOf(reach, middle, diagonal, edits);
      let y = x - diagonal;
      while (x < a.length && y < b.length && a[x] === b[y]) {
        x += 1;
        y += 1;
      }
      reach[middle + diagonal] = x;
      if (x >= a.length && y >= b.length) return walkBack(trail, a.length, b.length);
    }
  }
  return [whole];
}

function isDown(reach: Int32Array, middle: number, diagonal: number, edits: number): boolean {
  if (diagonal === -edits) return true;
  return diagonal !== edits && (reach[middle + diagonal - 1] ?? 0) < (reach[middle + diagonal + 1] ?? 0);
}

function stepOf(reach: Int32Array, middle: number, diagonal: number, edits: number): number {
  if (edits === 0) return 0;
  return isDown(reach, middle, diagonal, edits) ? (reach[middle + diagonal + 1] ?? 0) : (reach[middle + diagonal - 1] ?? 0) + 1;
}

function walkBack(trail: readonly Int32Array[], lengthA: number, lengthB: number): readonly Hunk[] {
  const hunks: Hunk[] = [];
  let [x, y] = [lengthA, lengthB];
  for (let edits = trail.length - 1; edits > 0; edits--) {
    const reach = trail[edits] ?? new Int32Array();
    const middle = edits + 1;
    const diagonal = x - y;
    const down = isDown(reach, middle, diagonal, edits);
    const before = down ? diagonal + 1 : diagonal - 1;
    const fromX = reach[middle + before] ?? 0;
    const fromY = fromX - before;
    hunks.push({ fromA: fromX, toA: down ? fromX : fromX + 1, fromB: fromY, toB: down ? fromY + 1 : fromY });
    [x, y] = [fromX, fromY];
  }
  return join(hunks.reverse());
}

/** Hunks that touch become one. */
function join(hunks: readonly Hunk[]): readonly Hunk[] {
  const joined: Hunk[] = [];
  for (const hunk of hunks) {
    const last = joined.at(-1);
    if (last !== undefined && last.toA === hunk.fromA && last.toB === hunk.fromB)
      joined[joined.length - 1] = { ...last, toA: hunk.toA, toB: hunk.toB };
    else joined.push(hunk);
  }
  return joined;
}
