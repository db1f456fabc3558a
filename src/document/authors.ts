/**
 * Who wrote which part of the text, and in which entry: one mark for each run of units. Replicated state: thinned by the version alone, and
 * read in one way only, however it lies in memory.
 */
import type { ChangeSet } from "@codemirror/state";
import { AUTHOR_RUNS_MAX, AUTHORS_THINNED_EVERY } from "./limits.ts";
import type { AuthorRun, Authorship } from "./types.ts";

/** Runs in one piece; beyond, it is split. */
const CHUNK_RUNS_MAX = 512;

interface Chunk {
  readonly lengths: number[];
  readonly marks: number[];
  total: number;
}

/** In place of the names where too many alternate for all of them to be kept. */
const SEVERAL = "several people";

export class AuthorRuns {
  private chunks: Chunk[] = [];
  private marks: Authorship[] = [];
  private thinnedAt: number;

  /** @param version of the document that the runs belong to */
  constructor(runs: readonly AuthorRun[], version: number) {
    this.thinnedAt = Math.floor(version / AUTHORS_THINNED_EVERY);
    this.rebuild(runs);
  }

  /** Whose the following changes are. */
  begin(authorship: Authorship): number {
    this.marks.push(authorship);
    return this.marks.length - 1;
  }

  /** @param mark from `begin` */
  apply(changes: ChangeSet, mark: number): void {
    changes.iterChanges((fromA, toA, fromB, toB) => this.replace(fromB, toA - fromA, toB - fromB, mark));
  }

  /** To be called after each command: at every so manieth version the runs are made fewer, if they are too many. */
  turn(version: number): void {
    const due = Math.floor(version / AUTHORS_THINNED_EVERY);
    if (due === this.thinnedAt) return;
    this.thinnedAt = due;
    this.rebuild(thinned(this.runs()));
  }

  /** From the start of the text to its end; neighbours differ. */
  runs(): readonly AuthorRun[] {
    const runs: AuthorRun[] = [];
    let [last, length] = [-1, 0];
    const close = () => {
      const mark = this.marks[last];
      if (mark !== undefined && length > 0) runs.push({ ...mark, length });
    };
    for (const chunk of this.chunks) {
      for (let at = 0; at < chunk.marks.length; at++) {
        if (chunk.marks[at] !== last) {
          close();
          [last, length] = [chunk.marks[at] ?? -1, 0];
        }
        length += chunk.lengths[at] ?? 0;
      }
    }
    close();
    return joined(runs, isSame);
  }

  private rebuild(runs: readonly AuthorRun[]): void {
    const ids = new Map<string, number>();
    this.marks = [];
    this.chunks = [{ lengths: [], marks: [], total: 0 }];
    for (const { length, ...authorship } of runs) {
      const key = JSON.stringify([authorship.author, authorship.color, authorship.index, authorship.term, authorship.at]);
      const known = ids.get(key);
      const mark = known ?? this.begin(authorship);
      if (known === undefined) ids.set(key, mark);
      this.append(length, mark);
    }
  }

  private append(length: number, mark: number): void {
    let last = this.chunks.at(-1);
    if (last === undefined || last.marks.length >= CHUNK_RUNS_MAX / 2) {
      last = { lengths: [], marks: [], total: 0 };
      this.chunks.push(last);
    }
    last.lengths.push(length);
    last.marks.push(mark);
    last.total += length;
  }

  private replace(position: number, deleted: number, inserted: number, mark: number): void {
    let at = 0;
    let offset = position;
    for (; at < this.chunks.length - 1 && offset > (this.chunks[at]?.total ?? 0); at++) offset -= this.chunks[at]?.total ?? 0;
    const chunk = this.chunks[at];
    if (chunk === undefined) throw new Error("assertion: there is always a piece");
    const run = splitAt(chunk, offset, inserted > 0 ? mark : -1);
    this.erase(at, run, deleted);
    if (inserted > 0) insert(chunk, run, inserted, mark);
    if (chunk.marks.length > CHUNK_RUNS_MAX) this.split(at);
  }

  private erase(chunkAt: number, run: number, deleted: number): void {
    let [at, from, left] = [chunkAt, run, deleted];
    while (left > 0) {
      const chunk = this.chunks[at];
      if (chunk === undefined) throw new RangeError("assertion: the authors' runs are shorter than the text");
      let to = from;
      while (to < chunk.lengths.length && left >= (chunk.lengths[to] ?? 0)) left -= chunk.lengths[to++] ?? 0;
      for (let gone = from; gone < to; gone++) chunk.total -= chunk.lengths[gone] ?? 0;
      chunk.lengths.splice(from, to - from);
      chunk.marks.splice(from, to - from);
      if (left > 0 && from < chunk.lengths.length) {
        chunk.lengths[from] = (chunk.lengths[from] ?? 0) - left;
        chunk.total -= left;
        left = 0;
      }
      // The piece that the search began in stays, for what is inserted in it.
      if (chunk.lengths.length === 0 && at > chunkAt) this.chunks.splice(at, 1);
      else at += 1;
      from = 0;
    }
  }

  private split(at: number): void {
    const chunk = this.chunks[at];
    if (chunk === undefined) return;
    const middle = chunk.marks.length >> 1;
    const [lengths, marks] = [chunk.lengths.splice(middle), chunk.marks.splice(middle)];
    const total = lengths.reduce((sum, length) => sum + length, 0);
    chunk.total -= total;
    this.chunks.splice(at + 1, 0, { lengths, marks, total });
  }
}

/** Makes a run begin at `offset`, unless the run there has this mark and takes in what comes; returns its place. */
function splitAt(chunk: Chunk, offset: number, mark: number): number {
  let [run, left] = [0, offset];
  for (; run < chunk.lengths.length; run++) {
    const length = chunk.lengths[run] ?? 0;
    if (left < length) break;
    left -= length;
  }
  if (left === 0) return run;
  const length = chunk.lengths[run] ?? 0;
  chunk.lengths.splice(run, 1, left, length - left);
  chunk.marks.splice(run, 1, chunk.marks[run] ?? mark, chunk.marks[run] ?? mark);
  return run + 1;
}

function insert(chunk: Chunk, run: number, length: number, mark: number): void {
  chunk.total += length;
  if (run > 0 && chunk.marks[run - 1] === mark) {
    chunk.lengths[run - 1] = (chunk.lengths[run - 1] ?? 0) + length;
  } else {
    chunk.lengths.splice(run, 0, length);
    chunk.marks.splice(run, 0, mark);
  }
}

function isSame(a: AuthorRun, b: AuthorRun): boolean {
  return isSameAuthor(a, b) && a.index === b.index && a.term === b.term && a.at === b.at;
}

function isSameAuthor(a: AuthorRun, b: AuthorRun): boolean {
  return a.author === b.author && a.color === b.color;
}

/** Neighbours that are alike become one, with the newer entry. */
function joined(runs: readonly AuthorRun[], areAlike: (a: AuthorRun, b: AuthorRun) => boolean): AuthorRun[] {
  const out: AuthorRun[] = [];
  for (const run of runs) {
    const last = out.at(-1);
    if (last === undefined || !areAlike(last, run)) out.push(run);
    else out[out.length - 1] = { ...(run.index > last.index ? run : last), length: last.length + run.length };
  }
  return out;
}

/** First the entries of one author's neighbouring runs are forgotten, but for the newest; then, two by two, whose of both it was. */
function thinned(runs: readonly AuthorRun[]): readonly AuthorRun[] {
  if (runs.length <= AUTHOR_RUNS_MAX) return runs;
  let fewer = joined(runs, isSameAuthor);
  while (fewer.length > AUTHOR_RUNS_MAX) {
    const pairs: AuthorRun[] = [];
    for (let at = 0; at < fewer.length; at += 2) {
      const [one, two] = [fewer[at], fewer[at + 1]];
      if (one === undefined) break;
      const newer = two === undefined || one.index >= two.index ? one : two;
      pairs.push(two === undefined ? one : { ...newer, author: SEVERAL, color: 0, length: one.length + two.length });
    }
    fewer = joined(pairs, isSameAuthor);
  }
  return fewer;
}
