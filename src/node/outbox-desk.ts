/** The outbox of this tab: keeps what its editor writes until the log has it, and brings in what other tabs of the device left behind. */
import type { SharedDocument } from "../document/shared-document.ts";
import type { DocumentCommand, DocumentRefusal, DocumentResponse, EditCommand } from "../document/types.ts";
import type { Raft } from "../driver/raft.ts";
import { Outbox } from "../storage/outbox.ts";
import { repeat } from "./clock.ts";
import { holdLock, type LocksLike } from "./identity.ts";
import { OutboxRecords } from "./outbox-records.ts";
import { OutboxSalvage } from "./outbox-salvage.ts";
import type { FromNode, ToNode } from "./protocol.ts";

const scanEveryMs = 3_000;
const turnEveryMs = 250;
const retryMs = 400;

export type OutboxMessage = Extract<ToNode, { kind: "editing" | "keep" | "strand" | "forget" }>;

export interface OutboxDeskEdges {
  readonly topic: string;
  readonly document: SharedDocument;
  readonly locks: LocksLike;
  propose(command: EditCommand): Promise<DocumentResponse | null>;
  catchUp(): Promise<unknown>;
  post(message: FromNode): void;
}

interface Parts {
  readonly records: OutboxRecords;
  readonly salvage: OutboxSalvage;
}

/** That of a node: what it brings in goes through its log. */
export function createOutboxDesk(
  topic: string,
  raft: Raft<DocumentCommand, DocumentResponse, DocumentRefusal>,
  document: SharedDocument,
  post: (message: FromNode) => void,
): OutboxDesk {
  return new OutboxDesk({
    topic,
    document,
    locks: navigator.locks,
    propose: async (command) => (await raft.propose(command, { idempotent: true })).response,
    catchUp: () => raft.read(),
    post,
  });
}

export class OutboxDesk {
  readonly #edges: OutboxDeskEdges;
  /** Of editors of this tab; resolves with what releases the lock, or `null` if another tab has it. */
  readonly #own = new Map<string, Promise<{ release(): Promise<void> } | null>>();
  readonly #early: OutboxMessage[] = [];
  #parts: Parts | null = null;
  #end: () => void = () => undefined;
  #isOver = false;
  #failure: string | null = null;
  #lastSaid = "";

  constructor(edges: OutboxDeskEdges) {
    this.#edges = edges;
  }

  async start(): Promise<void> {
    let outbox: Outbox;
    try {
      outbox = await Outbox.open();
    } catch (error) {
      return this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
    if (this.#isOver) return outbox.close();
    const parts = this.#createParts(outbox);
    this.#parts = parts;
    parts.records.remember();
    for (const message of this.#early.splice(0)) this.receive(message);
    const scan = () => void parts.salvage.scan((id) => this.#own.has(id)).catch((error: Error) => this.#fail(error));
    const ends = [
      repeat(scanEveryMs, scan),
      repeat(turnEveryMs, () => parts.records.turn()),
      () => void parts.records.flush().then(() => outbox.close()),
    ];
    this.#end = () => {
      for (const end of ends) end();
    };
    scan();
  }

  #createParts(outbox: Outbox): Parts {
    const { topic, document } = this.#edges;
    const onFailed = (error: Error) => this.#fail(error);
    return {
      records: new OutboxRecords(outbox, topic, document, () => performance.now(), onFailed),
      salvage: new OutboxSalvage({
        outbox,
        topic,
        document,
        propose: (command) => this.#edges.propose(command),
        catchUp: () => this.#edges.catchUp(),
        lock: (clientId) => this.#lock(clientId),
        newClientId: () => crypto.randomUUID(),
        wait: () => new Promise((resolve) => setTimeout(resolve, retryMs)),
        isOver: () => this.#isOver,
        onChange: () => this.#tell(),
        onFailed,
      }),
    };
  }

  /** The page has been told of the document as it is now. */
  told(): void {
    this.#parts?.records.remember();
  }

  receive(message: OutboxMessage): void {
    if (this.#parts === null) {
      this.#early.push(message);
      return;
    }
    const { records, salvage } = this.#parts;
    switch (message.kind) {
      case "editing":
        this.#own.set(message.clientId, this.#lock(message.clientId));
        break;
      case "keep":
        records.keep(message);
        break;
      case "strand":
        void this.#strand(message.clientId, this.#parts);
        break;
      case "forget":
        if (this.#own.has(message.clientId)) void records.forget(message.clientId).catch((error: Error) => this.#fail(error));
        else void salvage.dismiss(message.clientId).catch((error: Error) => this.#fail(error));
    }
  }

  /** The page goes away. */
  leave(): void {
    this.#parts?.records.turn(true);
  }

  stop(): void {
    this.#isOver = true;
    this.#end();
  }

  async #strand(clientId: string, { records, salvage }: Parts): Promise<void> {
    await records.release(clientId);
    const held = (await this.#own.get(clientId)) ?? null;
    this.#own.delete(clientId);
    salvage.take(clientId, async () => held?.release());
  }

  #lock(clientId: string): Promise<{ release(): Promise<void> } | null> {
    return holdLock(this.#edges.locks, `tabraft-outbox:${this.#edges.topic}:${clientId}`);
  }

  #fail(error: Error): void {
    if (this.#isOver) return;
    this.#failure = error.message;
    this.#tell();
  }

  #tell(): void {
    const salvage = this.#parts?.salvage;
    const said = { waiting: salvage?.waiting ?? 0, unplaced: salvage?.unplaced ?? [], failure: this.#failure };
    const text = JSON.stringify(said);
    if (text === this.#lastSaid || this.#isOver) return;
    this.#lastSaid = text;
    this.#edges.post({ kind: "outbox", ...said });
  }
}
