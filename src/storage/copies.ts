/**
 * Texts that gave way: when two generations of a room meet, one side goes on with the other's text, and its own is kept here, on this device,
 * until a person removes it. A database of its own, so that it can be read whatever became of the rest.
 */
import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import * as v from "valibot";
import { toStorageFailed } from "./failure.ts";

const copySchema = v.object({
  id: v.string(),
  topic: v.string(),
  text: v.string(),
  base: v.nullable(v.string()),
  at: v.pipe(v.number(), v.finite()),
  isMerged: v.boolean(),
});

export interface Copy {
  readonly id: string;
  readonly topic: string;
  readonly text: string;
  /** The text where the two histories parted; `null`: no longer known. */
  readonly base: string | null;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Its changes were offered to the document that went on. */
  readonly isMerged: boolean;
}

interface CopiesSchema extends DBSchema {
  copies: { key: string; value: unknown; indexes: { topic: string } };
}

export class Copies {
  readonly #db: IDBPDatabase<CopiesSchema>;

  private constructor(db: IDBPDatabase<CopiesSchema>) {
    this.#db = db;
  }

  /** Rejects with `StorageFailed`, as all that follows. */
  static open(): Promise<Copies> {
    return guarded("opening", async () => {
      const db = await openDB<CopiesSchema>("tabraft-copies", 1, {
        upgrade(upgraded) {
          upgraded.createObjectStore("copies", { keyPath: "id" }).createIndex("topic", "topic");
        },
        blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(),
      });
      return new Copies(db);
    });
  }

  /** Of one room, newest first. */
  of(topic: string): Promise<Copy[]> {
    return guarded("reading", async () => {
      const rows = await this.#db.getAllFromIndex("copies", "topic", topic);
      const copies = rows.flatMap((row) => {
        const checked = v.safeParse(copySchema, row);
        return checked.success ? [checked.output] : [];
      });
      return copies.sort((a, b) => b.at - a.at);
    });
  }

  /** Resolves once it is durable. */
  put(copy: Copy): Promise<void> {
    return guarded("writing", async () => {
      const transaction = this.#db.transaction("copies", "readwrite", { durability: "strict" });
      await Promise.all([transaction.store.put(v.parse(copySchema, copy)), transaction.done]);
    });
  }

  drop(id: string): Promise<void> {
    return guarded("writing", () => this.#db.delete("copies", id));
  }
}

async function guarded<T>(what: "opening" | "reading" | "writing", work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toStorageFailed(what, error);
  }
}
