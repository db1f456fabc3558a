/** What the storage remembers of the records on disk: their numbers, what they hold, and the chain through them. Pure. */
import type { Entry, LogIndex, Term } from "../raft/types.ts";
import { assert } from "./assert.ts";
import type { Meta } from "./meta.ts";

export interface RecordPlace {
  readonly number: number;
  /** Of the first entry that it holds, or would hold. */
  readonly firstIndex: LogIndex;
  /** Of the last entry that still counts. */
  lastIndex: LogIndex;
  readonly checksum: number;
  /** Its size. */
  readonly bytes: number;
}

/** Where a log begins. */
export type Beginning = Pick<Meta, "firstRecord" | "firstChain" | "baseIndex">;

export class RecordList {
  readonly #places: RecordPlace[] = [];
  /** Where each term begins, from the base on. */
  readonly #terms: { readonly index: LogIndex; readonly term: Term }[] = [];
  #beginning: Beginning;
  #nextNumber: number;
  #bytes = 0;

  constructor({ firstRecord, firstChain, baseIndex }: Beginning, nextNumber = firstRecord) {
    this.#beginning = { firstRecord, firstChain, baseIndex };
    this.#nextNumber = nextNumber;
  }

  /** The number of the record that is appended next. */
  get nextNumber(): number {
    return this.#nextNumber;
  }

  get lastIndex(): LogIndex {
    return this.#places.at(-1)?.lastIndex ?? this.#beginning.baseIndex;
  }

  /** The chain value for a record that is appended now. */
  get lastChain(): number {
    return this.#places.at(-1)?.checksum ?? this.#beginning.firstChain;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** At least 1. */
  get averageBytes(): number {
    return this.#places.length === 0 ? 1 : this.#bytes / this.#places.length;
  }

  get beginning(): Beginning {
    return this.#beginning;
  }

  /** `truncateFrom` first, as `truncate`; the entries follow what then is the last one. */
  append(
    place: Pick<RecordPlace, "number" | "checksum" | "bytes">,
    { truncateFrom, entries }: { readonly truncateFrom: LogIndex | null; readonly entries: readonly Entry[] },
  ): void {
    if (truncateFrom !== null) this.truncate(truncateFrom);
    const firstIndex = entries[0]?.index ?? this.lastIndex + 1;
    assert(firstIndex === this.lastIndex + 1, `record ${place.number} begins with entry ${firstIndex} after ${this.lastIndex}`);
    assert(place.number >= this.#nextNumber, `record ${place.number} where ${this.#nextNumber} is due`);
    this.#noteTerms(entries);
    this.#places.push({ ...place, firstIndex, lastIndex: firstIndex + entries.length - 1 });
    this.#nextNumber = place.number + 1;
    this.#bytes += place.bytes;
  }

  /** The records before this number are gone: the next one gets it. */
  skipTo(number: number): void {
    this.#nextNumber = Math.max(this.#nextNumber, number);
  }

  /** The number of the last record that keeps an entry before `index`; 0 if none does. Those after it go with a truncation from there. */
  lastBefore(index: LogIndex): number {
    return this.#places.findLast(({ firstIndex }) => firstIndex < index)?.number ?? 0;
  }

  /** The chain value for a record that truncates from `index`. */
  chainBefore(index: LogIndex): number {
    return this.#places.findLast(({ firstIndex }) => firstIndex < index)?.checksum ?? this.#beginning.firstChain;
  }

  /** Forgets every record that begins at or after `index`, and every entry from there on. */
  truncate(index: LogIndex): void {
    for (let last = this.#places.at(-1); last !== undefined && last.firstIndex >= index; last = this.#places.at(-1)) {
      this.#places.pop();
      this.#bytes -= last.bytes;
    }
    const last = this.#places.at(-1);
    if (last !== undefined) last.lastIndex = Math.min(last.lastIndex, index - 1);
    while ((this.#terms.at(-1)?.index ?? 0) >= index) this.#terms.pop();
  }

  /** Where the log begins without the records wholly before `index`, which is in the log or one past it. */
  beginningFor(index: LogIndex): Beginning {
    const at = this.#firstHolding(index);
    const place = this.#places[at];
    if (place === undefined) return { firstRecord: this.#nextNumber, firstChain: this.lastChain, baseIndex: this.lastIndex };
    const firstChain = this.#places[at - 1]?.checksum ?? this.#beginning.firstChain;
    return { firstRecord: place.number, firstChain, baseIndex: place.firstIndex - 1 };
  }

  /** Forgets every record wholly before `index`. */
  compact(index: LogIndex): void {
    const beginning = this.beginningFor(index);
    const kept = this.#firstHolding(index);
    for (const { bytes } of this.#places.splice(0, kept)) this.#bytes -= bytes;
    const term = this.#terms.findLastIndex((run) => run.index <= beginning.baseIndex + 1);
    this.#terms.splice(0, Math.max(0, term));
    this.#beginning = beginning;
  }

  /** The term of an entry in the records; `null` if it is in none. */
  termAt(index: LogIndex): Term | null {
    if (index <= this.#beginning.baseIndex || index > this.lastIndex) return null;
    return this.#terms.findLast((run) => run.index <= index)?.term ?? null;
  }

  #noteTerms(entries: readonly Entry[]): void {
    let term = this.#terms.at(-1)?.term ?? 0;
    if (entries.at(-1)?.term === term) return;
    for (const entry of entries) {
      if (entry.term !== term) this.#terms.push({ index: entry.index, term: entry.term });
      term = entry.term;
    }
  }

  /** Its position; that after the last if none does. */
  #firstHolding(index: LogIndex): number {
    const at = this.#places.findIndex(({ firstIndex, lastIndex }) => lastIndex >= Math.max(index, firstIndex));
    return at < 0 ? this.#places.length : at;
  }
}
