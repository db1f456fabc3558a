/**
 * Between the text that an edit of a concurrent trace was made on and the text as it is here: what others wrote that the edit's maker had
 * not seen lies between the two. For two people: what the one has not seen is always a tail of what the other wrote.
 */
import { ChangeSet } from "@codemirror/state";
import type { ConcurrentEdit, TraceEdit } from "./trace-file.ts";

export class TraceBridge {
  /** Of the other: not yet known to belong to what my edits were made on. Each applies after the one before. */
  private extras: ChangeSet[] = [];
  /** Edits of the other that came in, void ones included, and those of them that my edits were made after. */
  private cameIn = 0;
  private baseLength = 0;

  /** Ranks among their makers' own edits, by index in the trace. */
  private readonly ranks: readonly number[];

  constructor(
    private readonly edits: readonly ConcurrentEdit[],
    private readonly agent: number,
  ) {
    const counts: number[] = [];
    this.ranks = edits.map(({ agent: maker }) => {
      const rank = counts[maker] ?? 0;
      counts[maker] = rank + 1;
      return rank;
    });
    this.heard = edits.map(() => 0);
    for (const [at, { parents }] of edits.entries()) this.heard[at] = this.heardBy(parents);
  }

  /** By edit: how many of the other's edits it was made after. */
  private readonly heard: number[];

  private heardBy(parents: readonly number[]): number {
    let most = 0;
    for (const parent of parents) {
      const other = this.edits[parent]?.agent !== this.agent;
      most = Math.max(most, other ? (this.ranks[parent] ?? 0) + 1 : 0, this.heard[parent] ?? 0);
    }
    return most;
  }

  /** Whether all that the edit was made after is here. */
  isDue(edit: number): boolean {
    return (this.heard[edit] ?? 0) <= this.cameIn;
  }

  /** The other's next edit; `null`: it changed nothing. */
  receive(changes: ChangeSet | null): void {
    this.cameIn += 1;
    this.extras.push(changes ?? ChangeSet.empty(this.extras.at(-1)?.newLength ?? this.baseLength));
  }

  /** My edit, as it is to be made on the text as it is here. Must be due. */
  place(edit: number): ChangeSet {
    const unseen = this.cameIn - (this.heard[edit] ?? 0);
    const seen = this.extras.splice(0, this.extras.length - unseen);
    this.baseLength = seen.at(-1)?.newLength ?? this.baseLength;
    let placed = changesOf(this.edits[edit] ?? { patches: [] }, this.baseLength);
    this.baseLength = placed.newLength;
    this.extras = this.extras.map((extra) => {
      const moved = extra.map(placed);
      placed = placed.map(extra, true);
      return moved;
    });
    return placed;
  }
}

/** The patches of one edit build on one another. */
export function changesOf({ patches }: TraceEdit, length: number): ChangeSet {
  let sum = ChangeSet.empty(length);
  for (const [from, deleted, insert] of patches)
    sum = sum.compose(ChangeSet.of({ from, to: from + deleted, insert }, sum.newLength));
  return sum;
}
