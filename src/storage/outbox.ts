/**
 * Edits of this device that the log is not known to have: written as they are made, beside being sent, and dropped once they are known to be
 * in. A database of its own: nothing that happens to a node's memory, or to the list of documents, touches a person's words.
 */
import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import * as v from "valibot";
import { rejections, toStorageFailed } from "./failure.ts";

export const OUTBOX_NAME = "tabraft-outbox";
const DATABASE_VERSION = 1;

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const offerSchema = v.object({ base: v.string(), mine: v.string(), theirs: v.string() });
const recordSchema = v.object({
  topic: v.string(),
  clientId: v.string(),
  author: v.string(),
  color: count,
  at: v.pipe(v.number(), v.finite()),
  serial: count,
  baseVersion: count,
  baseText: v.nullable(v.string()),
  offers: v.nullable(v.array(offerSchema)),
});
const rowSchema = v.array(v.unknown());

/** A place that could not be merged; the person is shown both sides. */
export interface Offer {
  readonly base: string;
  readonly mine: string;
  readonly theirs: string;
}

/** Of one editor. */
export interface OutboxRecord {
  /** The room's. */
  readonly topic: string;
  readonly clientId: string;
  readonly author: string;
  readonly color: number;
  /** Milliseconds since the epoch, of the newest update. */
  readonly at: number;
  /** Of the first update that is kept. */
  readonly serial: number;
  /** The version that the first update changes. */
  readonly baseVersion: number;
  /** The text at that version; `null` while the node's own memory is sure to have it. */
  readonly baseText: string | null;
  /** What could not be placed, until the person has seen it. */
  readonly offers: readonly Offer[] | null;
}

/** One change of the outbox, atomic. */
export interface OutboxWrite {
  readonly record: OutboxRecord;
  /** Drops what was kept of this editor before. */
  readonly afresh: boolean;
  /** The serial of the first of these. */
  readonly from: number;
  /** In the JSON form of change sets. */
  readonly updates: readonly (readonly unknown[])[];
}

interface OutboxSchema extends DBSchema {
  records: { key: [string, string]; value: unknown };
  updates: { key: [string, string, number]; value: unknown };
}

export class Outbox {
  readonly #db: IDBPDatabase<OutboxSchema>;

  private constructor(db: IDBPDatabase<OutboxSchema>) {
    this.#db = db;
  }

  /** Rejects with `StorageFailed`, as all calls do. */
  static async open(): Promise<Outbox> {
    try {
      const db = await openDB<OutboxSchema>(OUTBOX_NAME, DATABASE_VERSION, {
        upgrade(upgraded) {
          upgraded.createObjectStore("records");
          upgraded.createObjectStore("updates");
        },
        blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(),
      });
      return new Outbox(db);
    } catch (error) {
      throw toStorageFailed("opening", error);
    }
  }

  close(): void {
    this.#db.close();
  }

  /** `strict`: survives a power cut too, and with it everything that was written before. */
  write(writes: readonly OutboxWrite[], strict: boolean): Promise<void> {
    return this.#change(strict, (records, updates) => {
      for (const { record, afresh, from, updates: added } of writes) {
        const { topic, clientId } = record;
        if (afresh) updates.delete(rowsOf(topic, clientId));
        records.put(record, [topic, clientId]);
        added.forEach((changes, at) => {
          updates.put(changes, [topic, clientId, from + at]);
        });
      }
    });
  }

  remove(topic: string, clientId: string): Promise<void> {
    return this.#change(false, (records, updates) => {
      records.delete([topic, clientId]);
      updates.delete(rowsOf(topic, clientId));
    });
  }

  /** The editors of a room that something is kept of. */
  async clients(topic: string): Promise<readonly string[]> {
    try {
      const keys = await this.#db.getAllKeys("records", IDBKeyRange.bound([topic, ""], [topic, []]));
      return keys.map(([, clientId]) => clientId);
    } catch (error) {
      throw toStorageFailed("reading", error);
    }
  }

  /** `null`: nothing is kept, or what is cannot be understood. */
  async read(topic: string, clientId: string): Promise<{ readonly record: OutboxRecord; readonly updates: unknown[][] } | null> {
    try {
      const tx = this.#db.transaction(["records", "updates"]);
      const [found, rows] = await Promise.all([
        tx.objectStore("records").get([topic, clientId]),
        tx.objectStore("updates").getAll(rowsOf(topic, clientId)),
      ]);
      const record = v.safeParse(recordSchema, found);
      const updates = v.safeParse(v.array(rowSchema), rows);
      return record.success && updates.success ? { record: record.output, updates: updates.output } : null;
    } catch (error) {
      throw toStorageFailed("reading", error);
    }
  }

  async #change(strict: boolean, work: (records: Putting, updates: Putting) => void): Promise<void> {
    try {
      const durability = strict ? "strict" : "relaxed";
      const tx = this.#db.transaction(["records", "updates"], "readwrite", { durability });
      const requests: Promise<unknown>[] = [];
      const putting = (name: "records" | "updates"): Putting => ({
        put: (value, key) => requests.push(tx.objectStore(name).put(value, key as never)),
        delete: (key) => requests.push(tx.objectStore(name).delete(key as never)),
      });
      work(putting("records"), putting("updates"));
      tx.commit();
      const errors = await rejections([tx.done, ...requests]);
      if (errors.length > 0) throw toStorageFailed("writing", ...errors);
    } catch (error) {
      throw toStorageFailed("writing", error);
    }
  }
}

interface Putting {
  put(value: unknown, key: IDBValidKey): void;
  delete(key: IDBValidKey | IDBKeyRange): void;
}

function rowsOf(topic: string, clientId: string): IDBKeyRange {
  return IDBKeyRange.bound([topic, clientId, 0], [topic, clientId, Number.POSITIVE_INFINITY]);
}
