/** What the editor of this tab has not been told to be in the log, kept on disk as the page says it: at once, several changes in one write. */
import type { SharedDocument } from "../document/shared-document.ts";
import type { Outbox, OutboxRecord, OutboxWrite } from "../storage/outbox.ts";
import type { KeepMessage } from "./protocol.ts";

type Text = SharedDocument["doc"];

/** Milliseconds after which what is still not confirmed is written with the text that it changes, and to last through a power cut. */
const settleMs = 1_000;
/** How many earlier texts are remembered: the page may be so many messages behind. */
const textsKept = 512;

interface Live {
  record: OutboxRecord;
  end: number;
  baseText: Text | null;
  since: number;
  isSettled: boolean;
}

export class OutboxRecords {
  readonly #live = new Map<string, Live>();
  readonly #texts = new Map<number, Text>();
  #queue: OutboxWrite[] = [];
  #strict = false;
  #writing: Promise<void> | null = null;

  constructor(
    private readonly outbox: Outbox,
    private readonly topic: string,
    private readonly document: SharedDocument,
    private readonly now: () => number,
    /** The disk refused: the person must know that the words are on the screen only. */
    private readonly onFailed: (error: Error) => void,
  ) {}

  /** The page may base its next changes on the text as it is now. */
  remember(): void {
    this.#texts.set(this.document.version, this.document.doc);
    if (this.#texts.size <= textsKept) return;
    const [oldest] = this.#texts.keys();
    if (oldest !== undefined) this.#texts.delete(oldest);
  }

  keep({ clientId, author, color, at, serial, baseVersion, updates, afresh }: KeepMessage): void {
    const known = this.#live.get(clientId);
    const isNew = known === undefined || afresh;
    const baseText = isNew ? (this.#texts.get(baseVersion) ?? null) : known.baseText;
    const first = isNew ? { serial, baseVersion } : { serial: known.record.serial, baseVersion: known.record.baseVersion };
    const record: OutboxRecord = { topic: this.topic, clientId, author, color, at, ...first, baseText: null, offers: null };
    const kept = isNew ? record : { ...record, baseText: known.record.baseText };
    const end = serial + updates.length;
    const settled = isNew ? { since: this.now(), isSettled: false } : { since: known.since, isSettled: known.isSettled };
    this.#live.set(clientId, { record: kept, end, baseText, ...settled });
    this.#write({ record: kept, afresh: isNew, from: serial, updates }, false);
  }

  /** Drops what the document has, and settles what has waited for long. To be called now and then, and before the page goes. */
  turn(isLeaving = false): void {
    for (const [clientId, live] of this.#live) {
      if ((this.document.editor(clientId).accepted ?? 0) >= live.end) this.#drop(clientId);
      else if (isLeaving || this.now() - live.since > settleMs) this.#settle(live);
    }
  }

  /** Nothing more will be kept for this editor; resolves once all of it is on disk. What is left of it is somebody else's to bring in. */
  async release(clientId: string): Promise<void> {
    const live = this.#live.get(clientId);
    this.#live.delete(clientId);
    if (live !== undefined) this.#settle(live);
    await this.#written();
  }

  /** All that is kept is on disk, with what is needed to bring it in. */
  async flush(): Promise<void> {
    this.turn(true);
    await this.#written();
  }

  async forget(clientId: string): Promise<void> {
    this.#live.delete(clientId);
    await this.#written();
    await this.outbox.remove(this.topic, clientId);
  }

  #drop(clientId: string): void {
    this.#live.delete(clientId);
    this.#queue = this.#queue.filter(({ record }) => record.clientId !== clientId);
    this.#written()
      .then(() => (this.#live.has(clientId) ? undefined : this.outbox.remove(this.topic, clientId)))
      .catch(this.onFailed);
  }

  #settle(live: Live): void {
    if (live.isSettled) return;
    live.isSettled = true;
    live.record = { ...live.record, baseText: live.baseText?.toString() ?? null };
    this.#write({ record: live.record, afresh: false, from: live.end, updates: [] }, true);
  }

  #write(write: OutboxWrite, strict: boolean): void {
    this.#queue.push(write);
    this.#strict ||= strict;
    this.#writing ??= this.#writeAll();
  }

  async #writeAll(): Promise<void> {
    try {
      while (this.#queue.length > 0) {
        const [writes, strict] = [this.#queue, this.#strict];
        this.#queue = [];
        this.#strict = false;
        await this.outbox.write(writes, strict);
      }
    } catch (error) {
      this.onFailed(error instanceof Error ? error : new Error(String(error)));
    } finally {
      this.#writing = null;
    }
  }

  async #written(): Promise<void> {
    while (this.#writing !== null) await this.#writing;
  }
}
