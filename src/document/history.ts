/**
 * How the text came about, backwards: each step leads from the text after it to the text before it. Replicated state, thinned by a rule that
 * knows the log and nothing else:
 *
 * - what one author writes within a minute is one step, at most 50 updates;
 * - the newest 64 steps are kept one by one, those before them as pairs, before them as fours, and so on, 64 of each;
 * - all steps together have at most 4 MiB; beyond, the two oldest become one, and a single one that is too large is dropped: the history
 *   begins after it.
 */
import type { ChangeSet } from "@codemirror/state";
import { HISTORY_JSON_MAX, HISTORY_STEPS_PER_WEIGHT, STEP_AUTHORS_MAX, STEP_SPAN_MS_MAX, STEP_UPDATES_MAX } from "./limits.ts";
import type { Authorship, ChangesJson, HistoryStep } from "./types.ts";

export interface Step extends Omit<HistoryStep, "inverse"> {
  readonly inverse: ChangeSet;
  /** Of `inverse` as JSON; 0 while the step may still grow. */
  readonly size: number;
}

export class StepHistory {
  private size: number;

  /** Oldest first. @param isOpen whether the newest may still grow */
  constructor(
    private readonly kept: Step[],
    private isOpen: boolean,
  ) {
    this.size = kept.reduce((sum, step) => sum + step.size, 0);
  }

  get hasOpenStep(): boolean {
    return this.isOpen;
  }

  steps(): readonly Step[] {
    return this.kept;
  }

  /** @param version after the update. @param inverse leads back to the text before it */
  add(version: number, inverse: ChangeSet, { author, color, index, term, at }: Authorship): void {
    const last = this.kept.at(-1);
    if (last !== undefined && this.isOpen) {
      if (mayJoin(last, author, color, at)) {
        const grown = { toVersion: version, lastIndex: index, term, lastAt: at, inverse: inverse.compose(last.inverse) };
        this.kept[this.kept.length - 1] = { ...last, ...grown };
        return;
      }
      this.seal(last);
    }
    this.isOpen = true;
    this.kept.push({
      fromVersion: version - 1,
      toVersion: version,
      authors: [{ author, color }],
      firstIndex: index,
      lastIndex: index,
      term,
      firstAt: at,
      lastAt: at,
      weight: 0,
      inverse,
      size: 0,
    });
  }

  private seal(last: Step): void {
    const sealed = withSize(last);
    this.kept[this.kept.length - 1] = sealed;
    this.size += sealed.size;
    for (let weight = 0; this.countOf(weight) > HISTORY_STEPS_PER_WEIGHT; weight++) this.joinAt(this.firstOf(weight), weight + 1);
    while (this.size > HISTORY_JSON_MAX && this.kept.length > 1) this.joinAt(0, Math.max(this.kept[0]?.weight ?? 0, 1));
    if (this.size > HISTORY_JSON_MAX) {
      this.kept.length = 0;
      this.size = 0;
    }
  }

  private firstOf(weight: number): number {
    return this.kept.findIndex((step) => step.weight <= weight);
  }

  private countOf(weight: number): number {
    let count = 0;
    for (let at = this.kept.length - 1; at >= 0 && (this.kept[at]?.weight ?? 0) <= weight; at--) {
      if (this.kept[at]?.weight === weight) count += 1;
    }
    return count;
  }

  private joinAt(at: number, weight: number): void {
    const [older, newer] = [this.kept[at], this.kept[at + 1]];
    if (older === undefined || newer === undefined) return;
    const step = withSize({
      ...older,
      toVersion: newer.toVersion,
      authors: unionOf(older.authors, newer.authors),
      lastIndex: newer.lastIndex,
      term: newer.term,
      lastAt: newer.lastAt,
      weight,
      inverse: newer.inverse.compose(older.inverse),
    });
    this.size += step.size - older.size - newer.size;
    this.kept.splice(at, 2, step);
  }
}

function mayJoin(last: Step, author: string, color: number, at: number): boolean {
  const [by] = last.authors;
  const isOne = last.authors.length === 1 && by?.author === author && by.color === color;
  return isOne && Math.abs(at - last.firstAt) <= STEP_SPAN_MS_MAX && last.toVersion - last.fromVersion < STEP_UPDATES_MAX;
}

function withSize(step: Step): Step {
  return { ...step, size: JSON.stringify(step.inverse.toJSON()).length };
}

function unionOf(a: HistoryStep["authors"], b: HistoryStep["authors"]): HistoryStep["authors"] {
  const more = b.filter((two) => !a.some((one) => one.author === two.author && one.color === two.color));
  return [...a, ...more].slice(0, STEP_AUTHORS_MAX);
}

export function toHistoryStep({ size: _, inverse, ...step }: Step): HistoryStep {
  return { ...step, inverse: inverse.toJSON() as ChangesJson };
}
