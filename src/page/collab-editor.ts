/**
 * Binds an editor to the replicated document. What is typed shows at once and is unconfirmed until the log has accepted it.
 *
 * Laws: a client id belongs to one run of the editor and is never used again; an update is sent as it is, never joined with
 * another; after a failure the same list is sent again, and the document drops what it has; one request is under way at a time;
 * what cannot be sent any more is kept and shown, never dropped in silence.
 */
import { collab, getSyncedVersion, receiveUpdates, sendableUpdates } from "@codemirror/collab";
import { ChangeSet, EditorState, type Extension, Text, type Transaction } from "@codemirror/state";
import type { AcceptedUpdate, ChangesJson, DocumentRefusal } from "../document/types.ts";
import type { NodeResults } from "../node/protocol.ts";
import { NodeError } from "./node-client.ts";

/** In one request; more wait for the next. */
const UPDATES_PER_REQUEST = 200;
const INSERTED_PER_REQUEST_MAX = 128 * 1024;
/** A single insert above this is refused as it is made: the document would refuse it for ever. */
export const INSERT_LENGTH_MAX = 512 * 1024;

/** Confirmed changes that the outbox may still hold before its list is given anew. */
const KEPT_CONFIRMED_MAX = 2_000;
const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 2_000;

/** After these the node is at its end; the page says so, and nobody tries again. */
const FINAL_ERRORS: ReadonlySet<string> = new Set(["Stopped", "StorageFailed"]);

/** As much of an EditorView as is used. */
export interface EditorHost {
  readonly state: EditorState;
  /** Each starts from the state that the one before leaves. */
  dispatch(transactions: readonly Transaction[]): void;
  setState(state: EditorState): void;
}

export interface EditRequest {
  readonly clientId: string;
  /** How many updates of this editor came before. */
  readonly serial: number;
  readonly baseVersion: number;
  readonly updates: readonly ChangesJson[];
}

/** Why edits are no longer sent. */
export interface EditorTrouble {
  readonly kind: DocumentRefusal | "tooLarge" | "interrupted";
  /** The text as it stood here, with the edits that are not in the document. */
  readonly text: string;
  readonly unconfirmed: number;
}

/** Changes for the outbox. */
export interface KeptChanges extends EditRequest {
  /** These are all that is not confirmed, in their present form. */
  readonly afresh: boolean;
}

export interface EditorEdges {
  /** An editor begins under this client id. */
  begin(clientId: string): void;
  /** Called at once for each change, before it is sent. */
  keep(kept: KeptChanges): void;
  /** The editor has lost its place: what was kept of this client is to be brought in without it. */
  strand(clientId: string): void;
  /** The person has seen what this client could not bring in. */
  forget(clientId: string): void;
  /** The document as this page knows it. */
  document(): { readonly version: number; readonly text: string };
  send(edit: EditRequest): Promise<NodeResults["edit"]>;
  newClientId(): string;
  /** Calls back once, later; returns what cancels it. */
  later(ms: number, fire: () => void): () => void;
  /** The number of unconfirmed updates, or the trouble, may have changed. */
  onChange(): void;
  /** Something above `INSERT_LENGTH_MAX` was pasted, and was not taken. */
  onInsertRefused(): void;
}

export class CollabEditor {
  private host: EditorHost | null = null;
  private kept: EditorState | null = null;
  private extensions: Extension = [];
  private start: { version: number; text: Text; clientId: string };
  private inFlight = false;
  /** How many of this run's updates the document has. */
  private confirmed = 0;
  /** Serial of the next change that the outbox has not been given. */
  private keptUntil = 0;
  /** Where the outbox' present list begins, and whether others' changes have moved it since. */
  private keptFrom = 0;
  private isKeptMoved = true;
  /** Nothing is sent before the editor has received this version: until then the answer of the last request is under way. */
  private awaitedVersion = 0;
  private retryMs = RETRY_MS_MIN;
  private cancelRetry: (() => void) | null = null;
  private problem: EditorTrouble | null = null;

  constructor(
    private readonly edges: EditorEdges,
    version: number,
    text: string,
  ) {
    this.start = this.startAt(version, text);
  }

  get unconfirmed(): number {
    return this.state === null ? 0 : sendableUpdates(this.state).length;
  }

  get trouble(): EditorTrouble | null {
    return this.problem;
  }

  /** With what is not confirmed yet. */
  get text(): string {
    return (this.state?.doc ?? this.start.text).toString();
  }

  /** For the view's first state, and again after the view was taken away. */
  mount(extensions: Extension): EditorState {
    this.extensions = extensions;
    this.kept ??= this.freshState();
    return this.kept;
  }

  attach(host: EditorHost): void {
    this.host = host;
    this.push();
  }

  detach(): void {
    this.kept = this.state;
    this.host = null;
  }

  /** The view calls this after each transaction that changed the text. */
  edited(): void {
    this.keep();
    this.edges.onChange();
    this.push();
  }

  /** One by one: the document rebases so, and mapping over a sum of updates would lead to another text. */
  receive(fromVersion: number, updates: readonly AcceptedUpdate[]): void {
    if (this.state === null) {
      this.receiveUnmounted(fromVersion, updates);
      return;
    }
    let { state } = this;
    const fresh = updates.slice(Math.max(0, getSyncedVersion(state) - fromVersion));
    const transactions: Transaction[] = [];
    for (const { clientId, changes } of fresh) {
      const transaction = receiveUpdates(state, [{ clientID: clientId, changes: ChangeSet.fromJSON(changes) }]);
      if (clientId === this.start.clientId) this.confirmed += 1;
      else this.isKeptMoved = true;
      transactions.push(transaction);
      state = transaction.state;
    }
    if (this.host !== null && transactions.length > 0) this.host.dispatch(transactions);
    else this.kept = state;
    this.edges.onChange();
    this.push();
  }

  /** The document was replaced by a snapshot. Unconfirmed edits have no place in it: the outbox merges them in. */
  replace(version: number, text: string): void {
    const { state } = this;
    if (state !== null && getSyncedVersion(state) === version) return;
    if (this.unconfirmed > 0) this.edges.strand(this.start.clientId);
    this.restart(version, text);
  }

  private restart(version: number, text: string): void {
    const { state } = this;
    this.start = this.startAt(version, text);
    this.awaitedVersion = 0;
    if (state === null) return;
    this.kept = this.freshState();
    this.host?.setState(this.kept);
    this.edges.onChange();
  }

  /** Something got better: a leader is there. Do not wait for the next attempt. */
  nudge(): void {
    if (this.cancelRetry === null) return;
    this.cancelRetry();
    this.cancelRetry = null;
    this.push();
  }

  /** The person has seen what could not be sent. Unless that happened already, the editor takes the document as it is. */
  dismissTrouble(version: number, text: string): void {
    this.problem = null;
    this.edges.forget(this.start.clientId);
    this.restart(version, text);
  }

  private get state(): EditorState | null {
    return this.host?.state ?? this.kept;
  }

  private get isStuck(): boolean {
    return this.problem !== null;
  }

  private startAt(version: number, text: string): { version: number; text: Text; clientId: string } {
    this.confirmed = 0;
    this.keptUntil = 0;
    this.isKeptMoved = true;
    const clientId = this.edges.newClientId();
    this.edges.begin(clientId);
    return { version, text: Text.of(text.split("\n")), clientId };
  }

  /** Gives the outbox what it does not have. A list that has moved, or of which much is confirmed, is given anew. */
  private keep(): void {
    const { state } = this;
    if (state === null) return;
    const all = sendableUpdates(state);
    const afresh = this.isKeptMoved || this.keptUntil <= this.confirmed || this.confirmed - this.keptFrom > KEPT_CONFIRMED_MAX;
    const serial = afresh ? this.confirmed : this.keptUntil;
    const updates = all.slice(serial - this.confirmed).map(({ changes }) => changes.toJSON() as ChangesJson);
    if (updates.length === 0) return;
    this.edges.keep({ clientId: this.start.clientId, serial, baseVersion: getSyncedVersion(state), updates, afresh });
    this.keptUntil = serial + updates.length;
    if (!afresh) return;
    this.keptFrom = serial;
    this.isKeptMoved = false;
  }

  private freshState(): EditorState {
    const { version, text, clientId } = this.start;
    return EditorState.create({
      doc: text,
      extensions: [
        this.extensions,
        collab({ startVersion: version, clientID: clientId }),
        EditorState.changeFilter.of((transaction) => this.mayInsert(transaction.changes)),
      ],
    });
  }

  private mayInsert(changes: ChangeSet): boolean {
    const may = insertedLength(changes) <= INSERT_LENGTH_MAX;
    if (!may) this.edges.onInsertRefused();
    return may;
  }

  private receiveUnmounted(fromVersion: number, updates: readonly AcceptedUpdate[]): void {
    let { version, text } = this.start;
    for (const { changes } of updates.slice(Math.max(0, version - fromVersion))) {
      text = ChangeSet.fromJSON(changes).apply(text);
      version += 1;
    }
    this.start = { ...this.start, version, text };
  }

  private push(): void {
    const { state } = this;
    if (state === null || this.inFlight || this.isStuck || this.cancelRetry !== null) return;
    if (getSyncedVersion(state) < this.awaitedVersion) return;
    const updates = nextBatch(state);
    if (updates.length === 0) return;
    const { clientId } = this.start;
    const baseVersion = getSyncedVersion(state);
    this.inFlight = true;
    this.edges.send({ clientId, serial: this.confirmed, baseVersion, updates }).then(
      ({ response }) => this.answered(clientId, () => this.judge(response.refusal, baseVersion, response.version)),
      (error: unknown) => this.answered(clientId, () => this.failed(error, baseVersion)),
    );
  }

  /** An answer to an earlier run of the editor says nothing about this one. */
  private answered(clientId: string, act: () => void): void {
    this.inFlight = false;
    if (clientId === this.start.clientId) act();
    this.edges.onChange();
    this.push();
  }

  private judge(refusal: DocumentRefusal | null, baseVersion: number, version: number): void {
    if (refusal === null) {
      this.awaitedVersion = version;
      this.retryMs = RETRY_MS_MIN;
    } else if (refusal === "baseTooOld" && this.state !== null && getSyncedVersion(this.state) > baseVersion) {
      // The editor has moved on meanwhile; the same updates, on their newer base, may pass.
      this.retryLater();
    } else if (refusal === "baseTooOld" || refusal === "serialGap" || refusal === "replaced") {
      this.edges.strand(this.start.clientId);
      const now = this.edges.document();
      this.restart(now.version, now.text);
    } else {
      this.stop(refusal);
    }
  }

  private failed(error: unknown, baseVersion: number): void {
    if (error instanceof NodeError && error.code !== null) {
      this.judge(error.code as DocumentRefusal, baseVersion, this.awaitedVersion);
    } else if (error instanceof NodeError && error.name === "TooLarge") {
      this.stop("tooLarge");
    } else if (!(error instanceof NodeError && FINAL_ERRORS.has(error.name))) {
      this.retryLater();
    }
  }

  private retryLater(): void {
    this.cancelRetry = this.edges.later(this.retryMs, () => {
      this.cancelRetry = null;
      this.push();
    });
    this.retryMs = Math.min(RETRY_MS_MAX, this.retryMs * 2);
  }

  private stop(kind: EditorTrouble["kind"]): void {
    this.problem = { kind, text: this.text, unconfirmed: this.unconfirmed };
  }
}

function insertedLength(changes: ChangeSet): number {
  let length = 0;
  changes.iterChanges((_fromA, _toA, fromB, toB) => {
    length += toB - fromB;
  });
  return length;
}

/** The oldest unconfirmed updates, as they are. */
function nextBatch(state: EditorState): readonly ChangesJson[] {
  const batch: ChangesJson[] = [];
  let inserted = 0;
  for (const { changes } of sendableUpdates(state).slice(0, UPDATES_PER_REQUEST)) {
    inserted += insertedLength(changes);
    if (batch.length > 0 && inserted > INSERTED_PER_REQUEST_MAX) break;
    batch.push(changes.toJSON() as ChangesJson);
  }
  return batch;
}
