/** Tells the page what the document has become: everything once, then each accepted change in order. */
import type { SharedDocument } from "../document/shared-document.ts";
import type { DocumentCommand, DocumentRefusal, DocumentResponse } from "../document/types.ts";
import type { Raft } from "../driver/raft.ts";
import type { FromNode } from "./protocol.ts";

export class DocumentFeed {
  readonly #document: SharedDocument;
  readonly #post: (message: FromNode) => void;

  readonly #told: () => void;

  /** @param told called each time the page has heard of the document as it is */
  constructor(document: SharedDocument, post: (message: FromNode) => void, told: () => void = () => undefined) {
    this.#document = document;
    this.#post = post;
    this.#told = told;
  }

  start(raft: Raft<DocumentCommand, DocumentResponse, DocumentRefusal>): void {
    this.#document.takeAccepted();
    this.#postAll();
    raft.subscribe(
      raft.metrics().lastApplied + 1,
      () => this.#postAccepted(),
      () => this.#postRestored(),
    );
  }

  /**
   * A snapshot took the place of what was applied. If it still tells how the text came about, an editor follows that with its unconfirmed
   * edits, for which there is no place in a text from nowhere.
   */
  #postRestored(): void {
    const { fromVersion } = this.#document.takeAccepted();
    const updates = this.#document.updatesSince(fromVersion);
    if (updates !== null && updates.length > 0) this.#post({ kind: "updates", fromVersion, updates });
    this.#postAll();
  }

  #postAll(): void {
    const { version, text, map } = this.#document;
    this.#post({ kind: "document", version, text, map });
    this.#told();
  }

  #postAccepted(): void {
    const { fromVersion, updates, map } = this.#document.takeAccepted();
    if (updates === null) return this.#postAll();
    if (updates.length > 0) {
      this.#post({ kind: "updates", fromVersion, updates });
      this.#told();
    }
    for (const [key, value] of map) this.#post({ kind: "map", key, value });
  }
}
