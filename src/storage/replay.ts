/** Follows log records in the order in which they were written, and makes the log of them again. Pure. */
import { StorageFailed } from "../driver/interfaces.ts";
import type { Entry } from "../raft/types.ts";
import { checksumOf } from "./frame.ts";
import type { Meta } from "./meta.ts";
import { decodeRecord, type LogRecord } from "./record.ts";
import { RecordList } from "./record-list.ts";

export interface FoundLog {
  /** As of the last record. */
  readonly meta: Meta;
  readonly records: RecordList;
  /** From `meta.firstIndex` on. */
  readonly entries: readonly Entry[];
}

/** Follows the records in the order in which they were written. */
export class Replay {
  readonly #stored: Meta;
  readonly #records: RecordList;
  readonly #entries: Entry[] = [];
  #changed: Pick<Meta, "hardState" | "commitIndex">;
  #hasLater = false;

  constructor(stored: Meta) {
    this.#stored = stored;
    this.#records = new RecordList(stored);
    this.#changed = { hardState: stored.hardState, commitIndex: stored.commitIndex };
  }

  /** @throws StorageFailed: "damaged" or "future"; what was added before stays */
  add(key: unknown, value: unknown): void {
    const name = `log record ${String(key)}`;
    const decoded = decodeRecord(value);
    if (!decoded.ok || !(value instanceof Uint8Array)) {
      const { kind, message } = decoded.ok ? { kind: "damaged" as const, message: "not bytes" } : decoded;
      throw new StorageFailed(kind, `${name}: ${message}`);
    }
    const record = decoded.value;
    const problem = this.#problemOf(key, record);
    if (problem !== null) throw new StorageFailed("damaged", `${name} ${problem}`);
    this.#records.append({ number: record.number, checksum: checksumOf(value), bytes: value.length }, record);
    this.#follow(record);
  }

  /** @throws StorageFailed: "damaged", if the log does not end where it should */
  end(): FoundLog {
    const { firstIndex, baseTerm, nextRecord, lastChain } = this.#stored;
    const { lastIndex } = this.#records;
    const isEnd = this.#records.lastChain === lastChain && Math.max(lastIndex, firstIndex - 1) === this.#stored.lastIndex;
    if (!this.#hasLater && !isEnd) throw new StorageFailed("damaged", "the log does not end as the meta record says");
    if (lastIndex < firstIndex - 1) throw new StorageFailed("damaged", `the log ends with entry ${lastIndex}, before it begins`);
    const term = this.#records.termAt(firstIndex - 1);
    if (term !== null && term !== baseTerm) throw new StorageFailed("damaged", `entry ${firstIndex - 1} is of term ${term}`);
    const records = this.#records;
    if (records.nextNumber < nextRecord) records.skipTo(nextRecord);
    return { meta: { ...this.#stored, ...this.#changed, lastIndex }, records, entries: this.#entries };
  }

  /** What the records added so far make of the log, without a word on how it ends. */
  soFar(): Pick<Meta, "hardState" | "commitIndex"> & { readonly entries: readonly Entry[] } {
    return { ...this.#changed, entries: this.#entries };
  }

  #problemOf(key: unknown, { number, chain, truncateFrom, entries }: LogRecord): string | null {
    if (key !== number) return `calls itself ${number}`;
    if (number < this.#stored.firstRecord) return "is of a part of the log that is gone";
    const { beginning } = this.#records;
    if (truncateFrom !== null && truncateFrom <= beginning.baseIndex)
      return `truncates from ${truncateFrom}, before the log begins`;
    const expected = truncateFrom === null ? this.#records.lastChain : this.#records.chainBefore(truncateFrom);
    if (chain !== expected) return "does not continue the record before it";
    const last = Math.min(this.#records.lastIndex, truncateFrom === null ? Number.POSITIVE_INFINITY : truncateFrom - 1);
    const first = entries[0]?.index ?? last + 1;
    return first === last + 1 ? null : `begins with entry ${first} after entry ${last}`;
  }

  #follow({ number, truncateFrom, entries, hardState, commitIndex }: LogRecord): void {
    const { firstIndex, nextRecord } = this.#stored;
    if (truncateFrom !== null) this.#entries.length = Math.min(this.#entries.length, Math.max(0, truncateFrom - firstIndex));
    for (const entry of entries) if (entry.index >= firstIndex) this.#entries.push(entry);
    // What was written before the meta record is older than what that says.
    if (number < nextRecord) return;
    this.#hasLater = true;
    this.#changed = { hardState: hardState ?? this.#changed.hardState, commitIndex };
  }
}
