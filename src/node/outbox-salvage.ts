/**
 * Brings in what an editor left: of a tab that was closed, crashed, or lost its place in the document. Whoever holds the editor's lock does it, so
 * that one tab does; and the document takes each update once, so that two could not do harm.
 */
import type { Leftover, MergedLeftover, UnplacedText } from "../document/leftover.ts";
import type { SharedDocument } from "../document/shared-document.ts";
import type { DocumentResponse, EditCommand } from "../document/types.ts";
import type { Outbox, OutboxRecord } from "../storage/outbox.ts";

export interface SalvageEdges {
  readonly outbox: Outbox;
  readonly topic: string;
  readonly document: SharedDocument;
  /** Rejects with the driver's errors. */
  propose(command: EditCommand): Promise<DocumentResponse | null>;
  /** Resolves once everything that was acknowledged before is applied here; rejects without a majority. */
  catchUp(): Promise<unknown>;
  /** Takes the editor's lock; `null`: another tab has it. */
  lock(clientId: string): Promise<{ release(): Promise<void> } | null>;
  newClientId(): string;
  wait(): Promise<void>;
  /** The node has ended. */
  isOver(): boolean;
  /** Something is to be shown, or is no longer waiting. */
  onChange(): void;
  onFailed(error: Error): void;
}

/** What could not be placed: shown until the person has dealt with it. */
export interface Unplaced {
  readonly clientId: string;
  readonly texts: readonly UnplacedText[];
}

type Step = "again" | "later" | "done";

export class OutboxSalvage {
  readonly #busy = new Map<string, Leftover | null>();
  readonly #unplaced = new Map<string, Unplaced>();

  constructor(private readonly edges: SalvageEdges) {}

  /** How many updates wait to be brought in. */
  get waiting(): number {
    return [...this.#busy.values()].reduce((sum, leftover) => sum + (leftover?.count ?? 0), 0);
  }

  get unplaced(): readonly Unplaced[] {
    return [...this.#unplaced.values()];
  }

  /** Looks for what nobody is at. */
  async scan(isOwn: (clientId: string) => boolean): Promise<void> {
    for (const clientId of await this.edges.outbox.clients(this.edges.topic)) {
      if (isOwn(clientId) || this.#busy.has(clientId) || this.#unplaced.has(clientId)) continue;
      const held = await this.edges.lock(clientId);
      if (held !== null) this.take(clientId, () => held.release());
    }
  }

  /** @param release called once nothing of it is left to be done here */
  take(clientId: string, release: () => Promise<void>): void {
    if (this.#busy.has(clientId)) return;
    this.#busy.set(clientId, null);
    this.#bringIn(clientId)
      .then(() => (this.#unplaced.has(clientId) ? undefined : release()))
      .catch((error: unknown) => this.edges.onFailed(error instanceof Error ? error : new Error(String(error))))
      .finally(() => {
        this.#busy.delete(clientId);
        this.edges.onChange();
      });
  }

  /** The person has seen it. */
  async dismiss(clientId: string): Promise<void> {
    this.#unplaced.delete(clientId);
    this.edges.onChange();
    await this.edges.outbox.remove(this.edges.topic, clientId);
  }

  async #bringIn(clientId: string): Promise<void> {
    const { outbox, topic } = this.edges;
    const kept = await outbox.read(topic, clientId);
    if (kept === null) return;
    // Rarely needed, and then never in a hurry.
    const { Leftover: Kept } = await import("../document/leftover.ts");
    const leftover = new Kept({ ...kept.record, updates: kept.updates });
    this.#busy.set(clientId, leftover);
    this.edges.onChange();
    let { record } = kept;
    for (;;) {
      if (this.edges.isOver()) return;
      const { step, unplaced } = await this.#step(leftover, record);
      if (unplaced !== null) {
        record = { ...record, offers: unplaced };
        await outbox.write([{ record, afresh: false, from: 0, updates: [] }], true);
      }
      if (step === "done") return this.#finish(record);
      if (step === "later") await this.edges.wait();
    }
  }

  async #finish(record: OutboxRecord): Promise<void> {
    if (record.offers === null || record.offers.length === 0) return this.edges.outbox.remove(this.edges.topic, record.clientId);
    this.#unplaced.set(record.clientId, { clientId: record.clientId, texts: record.offers });
  }

  /** `unplaced`: to be kept on disk before anything that follows. */
  async #step(leftover: Leftover, record: OutboxRecord): Promise<{ step: Step; unplaced: readonly UnplacedText[] | null }> {
    const standing = leftover.bringUp(this.edges.document);
    if (standing === "done") return { step: "done", unplaced: null };
    if (standing === "ahead") return { step: "later", unplaced: null };
    const author = { kind: "edit" as const, author: record.author, color: record.color, at: record.at };
    if (standing === "ready") {
      const command = { ...author, clientId: leftover.clientId, ...leftover.next(), replaces: null };
      return this.#judge(await this.#propose(command), leftover);
    }
    // Older than what is kept: only a merge, of what is surely the newest state, can place it.
    if (!(await this.#hasCaughtUp())) return { step: "later", unplaced: null };
    if (leftover.bringUp(this.edges.document) !== "tooOld") return { step: "again", unplaced: null };
    const merged = leftover.merge(this.edges.document);
    if (record.offers === null) return { step: "again", unplaced: merged.unplaced };
    return { step: await this.#submit(merged, author, leftover), unplaced: merged.unplaced };
  }

  async #submit(
    { changes, baseVersion, accepted }: MergedLeftover,
    author: Pick<EditCommand, "kind" | "author" | "color" | "at">,
    { clientId }: Leftover,
  ): Promise<Step> {
    if (changes === null) return "done";
    const heir = { clientId: this.edges.newClientId(), serial: 0, replaces: { clientId, accepted } };
    const outcome = await this.#propose({ ...author, ...heir, baseVersion, updates: [changes] });
    return outcome === "accepted" ? "done" : outcome === "unknown" ? "later" : "again";
  }

  async #hasCaughtUp(): Promise<boolean> {
    try {
      await this.edges.catchUp();
      return true;
    } catch {
      // No majority: later.
      return false;
    }
  }

  /** `again`: the document has moved on, look anew; `never`: it will not take it. */
  async #propose(command: EditCommand): Promise<"accepted" | "again" | "never" | "unknown"> {
    try {
      const response = await this.edges.propose(command);
      return response === null || response.refusal === null ? "accepted" : verdictOn(response.refusal);
    } catch (error) {
      const code = error instanceof Error && "error" in error ? error.error : null;
      if (error instanceof Error && error.name === "TooLarge") return "never";
      return typeof code === "string" ? verdictOn(code) : "unknown";
    }
  }

  #judge(
    outcome: "accepted" | "again" | "never" | "unknown",
    leftover: Leftover,
  ): { step: Step; unplaced: readonly UnplacedText[] | null } {
    if (outcome === "never") return { step: "done", unplaced: [{ base: "", mine: leftover.written, theirs: "" }] };
    return { step: outcome === "unknown" ? "later" : "again", unplaced: null };
  }
}

const MOVED_ON: ReadonlySet<string> = new Set(["baseTooOld", "baseAhead", "serialGap", "replaced", "replacesOther"]);

function verdictOn(refusal: string): "again" | "never" {
  return MOVED_ON.has(refusal) ? "again" : "never";
}
