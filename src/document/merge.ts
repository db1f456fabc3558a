/**
 * Three-way merge of texts: what one side changed in a common base, placed in what the other side made of it. Never a two-way
 * difference, which would undo what the others wrote.
 *
 * Laws: nothing that `theirs` wrote is removed but what `mine` removed from the base; every word that `mine` wrote stands in the
 * merged text or in a conflict; equal changes of both sides count once.
 */
import { ChangeSet, Text } from "@codemirror/state";
import { diffTexts, type Hunk, hunksOf } from "./diff.ts";

/** A place that both sides changed, each in its way. Theirs stands in the merged text; the person decides. */
export interface Conflict {
  /** How the place read before. */
  readonly base: string;
  readonly mine: string;
  readonly theirs: string;
  /** Where `theirs` stands in the merged text, in UTF-16 units. */
  readonly from: number;
  readonly to: number;
}

export interface Merge {
  /** Leads from `theirs` to the merged text. */
  readonly changes: ChangeSet;
  /** In the order of the text. */
  readonly conflicts: readonly Conflict[];
}

interface Region {
  /** In the base. */
  readonly from: number;
  readonly to: number;
  readonly mine: readonly Hunk[];
  readonly theirs: readonly Hunk[];
}

interface Part {
  readonly from: number;
  readonly to: number;
  readonly insert: string;
}

/** @param mine the other text, or the very changes that lead to it from `base`. Line breaks are "\n" in all three. */
export function mergeThreeWay(base: string, mine: string | ChangeSet, theirs: string): Merge {
  const mineHunks = typeof mine === "string" ? diffTexts(base, mine) : hunksOf(mine);
  const mineText = typeof mine === "string" ? mine : appliedTo(base, mine);
  const theirHunks = diffTexts(base, theirs);
  const parts: Part[] = [];
  const open: (Omit<Conflict, "from" | "to"> & { readonly place: Span })[] = [];
  for (const region of regionsOf(mineHunks, theirHunks)) {
    if (region.mine.length === 0) continue;
    const own = spanOf(region, region.mine);
    const insert = mineText.slice(own.from, own.to);
    if (region.theirs.length === 0) {
      const from = shift(theirHunks, region.from);
      parts.push({ from, to: from + region.to - region.from, insert });
      continue;
    }
    const place = spanOf(region, region.theirs);
    const other = theirs.slice(place.from, place.to);
    if (insert === other) continue;
    if (region.from === region.to) parts.push({ from: place.to, to: place.to, insert });
    else if (isDeletion(region.mine) && isDeletion(region.theirs)) parts.push(...remainingDeletions(region, theirHunks));
    else open.push({ base: base.slice(region.from, region.to), mine: insert, theirs: other, place });
  }
  const changes = ChangeSet.of(parts, theirs.length, "\n");
  const conflicts = open.map(({ place, ...conflict }) => {
    const from = changes.mapPos(place.from, 1);
    return { ...conflict, from, to: Math.max(from, changes.mapPos(place.to, -1)) };
  });
  return { changes, conflicts };
}

interface Span {
  readonly from: number;
  readonly to: number;
}

function appliedTo(base: string, changes: ChangeSet): string {
  return changes.apply(Text.of(base.split("\n"))).toString();
}

/** The parts of the base that one side or both changed; changes of both sides share one where they overlap. */
function regionsOf(mine: readonly Hunk[], theirs: readonly Hunk[]): readonly Region[] {
  const all = [...mine.map((hunk) => ({ hunk, own: true })), ...theirs.map((hunk) => ({ hunk, own: false }))];
  all.sort((a, b) => a.hunk.fromA - b.hunk.fromA || a.hunk.toA - b.hunk.toA);
  const regions: { from: number; to: number; mine: Hunk[]; theirs: Hunk[] }[] = [];
  for (const { hunk, own } of all) {
    const last = regions.at(-1);
    // Within one side, a later hunk reaches further: the other side's last is the one to be met.
    const met = (own ? last?.theirs : last?.mine)?.at(-1);
    if (last !== undefined && met !== undefined && doMeet(met, hunk)) {
      last.to = Math.max(last.to, hunk.toA);
      (own ? last.mine : last.theirs).push(hunk);
    } else {
      regions.push({ from: hunk.fromA, to: hunk.toA, mine: own ? [hunk] : [], theirs: own ? [] : [hunk] });
    }
  }
  return regions;
}

/** They change the same units, one inserts within what the other changes, or both insert at one place. */
function doMeet(a: Hunk, b: Hunk): boolean {
  const [from, to] = [Math.max(a.fromA, b.fromA), Math.min(a.toA, b.toA)];
  if (from < to) return true;
  if (from > to) return false;
  const isInside = (inner: Hunk, outer: Hunk) =>
    inner.fromA === inner.toA && outer.fromA < inner.fromA && inner.fromA < outer.toA;
  const isOnePlace = a.fromA === a.toA && b.fromA === b.toA;
  return isOnePlace || isInside(a, b) || isInside(b, a);
}

/** How the region reads on the side whose hunks in it these are. */
function spanOf(region: Region, hunks: readonly Hunk[]): Span {
  const [first, last] = [hunks[0], hunks.at(-1)];
  if (first === undefined || last === undefined) throw new Error("assertion: a side without changes has no span of its own");
  return { from: first.fromB - (first.fromA - region.from), to: last.toB + (region.to - last.toA) };
}

/** Where a place of the base stands in the other text; behind what was inserted there. */
function shift(hunks: readonly Hunk[], position: number): number {
  let shifted = position;
  for (const { fromA, toA, fromB, toB } of hunks) {
    if (toA > position) break;
    shifted += toB - fromB - (toA - fromA);
  }
  return shifted;
}

function isDeletion(hunks: readonly Hunk[]): boolean {
  return hunks.every(({ fromB, toB }) => fromB === toB);
}

/** Both sides only deleted: what mine deleted and theirs did not. */
function remainingDeletions({ mine, theirs }: Region, theirHunks: readonly Hunk[]): readonly Part[] {
  const parts: Part[] = [];
  for (const { fromA, toA } of mine) {
    let from = fromA;
    for (const gone of [...theirs, { fromA: toA, toA }]) {
      const to = Math.min(toA, gone.fromA);
      if (from < to) {
        const at = shift(theirHunks, from);
        parts.push({ from: at, to: at + to - from, insert: "" });
      }
      from = Math.max(from, gone.toA);
    }
  }
  return parts;
}
