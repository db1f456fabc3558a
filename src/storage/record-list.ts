/** What the storage remembers of the records on disk: where each begins, and the chain through them. Pure. */
import type { LogIndex } from "../raft/types.ts";
import { assert } from "./assert.ts";

export interface RecordPlace {
  readonly firstIndex: LogIndex;
  /** Entries in it, at least 1. */
  readonly count: number;
  readonly checksum: number;
  /** Its size. */
  readonly bytes: number;
}

export class RecordList {
  readonly #places: RecordPlace[] = [];
  #firstIndex: LogIndex;
  #firstChain: number;
  #bytes = 0;

  /** `firstIndex`: of the first record, there or to come; `firstChain`: the chain value that it carries. */
  constructor(firstIndex: LogIndex, firstChain: number) {
    this.#firstIndex = firstIndex;
    this.#firstChain = firstChain;
  }

  /** `firstIndex - 1` if there is none. */
  get lastIndex(): LogIndex {
    const last = this.#places.at(-1);
    return last === undefined ? this.#firstIndex - 1 : last.firstIndex + last.count - 1;
  }

  /** The chain value for a record that is appended now. */
  get lastChain(): number {
    return this.#places.at(-1)?.checksum ?? this.#firstChain;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** At least 1. */
  get averageBytes(): number {
    return this.#places.length === 0 ? 1 : this.#bytes / this.#places.length;
  }

  append(place: RecordPlace): void {
    assert(
      place.firstIndex === this.lastIndex + 1 && place.count >= 1,
      `record ${place.firstIndex} after entry ${this.lastIndex}`,
    );
    this.#places.push(place);
    this.#bytes += place.bytes;
  }

  /** The record that has entries on both sides of the cut before `index`; `null` if the cut falls between two records. */
  splitBy(index: LogIndex): RecordPlace | null {
    const place = this.#places.findLast(({ firstIndex }) => firstIndex < index);
    return place !== undefined && place.firstIndex + place.count > index ? place : null;
  }

  /** The record that holds the entry; `null` if none does. */
  holding(index: LogIndex): RecordPlace | null {
    const place = this.#places.findLast(({ firstIndex }) => firstIndex <= index);
    return place !== undefined && index < place.firstIndex + place.count ? place : null;
  }

  /** Where the log would begin without the records wholly before `index`, and the chain value there. */
  beginningFor(index: LogIndex): { readonly firstIndex: LogIndex; readonly chain: number } {
    const firstIndex = this.holding(index)?.firstIndex ?? this.lastIndex + 1;
    return { firstIndex, chain: this.chainBefore(firstIndex) };
  }

  /** The chain value for the record that holds, or will hold, the entry `index` after the log is cut before it. */
  chainBefore(index: LogIndex): number {
    return this.#places.findLast(({ firstIndex, count }) => firstIndex + count <= index)?.checksum ?? this.#firstChain;
  }

  /** Forgets every record that has an entry at or after `index`. */
  truncate(index: LogIndex): void {
    for (let last = this.#places.at(-1); last !== undefined && last.firstIndex + last.count > index; last = this.#places.at(-1)) {
      this.#places.pop();
      this.#bytes -= last.bytes;
    }
  }
  /** Forgets every record wholly before `index`, which is in the log or one past it. */
  compact(index: LogIndex): void {
    const { firstIndex, chain } = this.beginningFor(index);
    const kept = this.#places.findIndex((place) => place.firstIndex === firstIndex);
    const dropped = this.#places.splice(0, kept < 0 ? this.#places.length : kept);
    for (const { bytes } of dropped) this.#bytes -= bytes;
    this.#firstIndex = firstIndex;
    this.#firstChain = chain;
  }
}
