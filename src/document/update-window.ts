/**
 * The most recent accepted updates: what a late submission is rebased over, and what tells a repeated one from a new one.
 * Replicated state: what is in it depends on the log alone.
 */
import type { ChangeSet } from "@codemirror/state";
import type { DocumentLimits } from "./limits.ts";
import type { AcceptedUpdate, ChangesJson } from "./types.ts";

/** Named as CodeMirror names it. */
export interface WindowUpdate {
  readonly clientID: string;
  readonly changes: ChangeSet;
}

interface Kept extends WindowUpdate {
  readonly size: number;
}

function toAccepted(update: WindowUpdate): AcceptedUpdate {
  return { clientId: update.clientID, changes: update.changes.toJSON() as ChangesJson };
}

export class UpdateWindow {
  private updates: Kept[] = [];
  /** Entries before this one are dropped; the array is cut only now and then. */
  private head = 0;
  private jsonSize = 0;
  private end: number;

  /** @param version of the document after the last update that will be pushed before this window's first. */
  constructor(
    private readonly limits: DocumentLimits,
    version: number,
  ) {
    this.end = version;
  }

  /** Of the document after the newest update. */
  get version(): number {
    return this.end;
  }

  /** The oldest version that a submission may still be based on. */
  get firstVersion(): number {
    return this.end - (this.updates.length - this.head);
  }

  push(update: WindowUpdate): void {
    const size = JSON.stringify([update.clientID, update.changes.toJSON()]).length;
    this.updates.push({ clientID: update.clientID, changes: update.changes, size });
    this.jsonSize += size;
    this.end += 1;
    this.trim();
  }

  /** Updates that lead from `version` to the newest; `null` if they are no longer kept, or the version is not reached yet. */
  since(version: number): readonly WindowUpdate[] | null {
    if (version < this.firstVersion || version > this.end) return null;
    return version === this.end ? [] : this.updates.slice(this.updates.length - (this.end - version));
  }

  acceptedSince(version: number): readonly AcceptedUpdate[] | null {
    return this.since(version)?.map(toAccepted) ?? null;
  }

  private trim(): void {
    const { windowUpdatesMax, windowJsonMax } = this.limits;
    for (;;) {
      const count = this.updates.length - this.head;
      const oldest = this.updates[this.head];
      if (oldest === undefined || count <= 1) break;
      if (count <= windowUpdatesMax && this.jsonSize <= windowJsonMax) break;
      this.jsonSize -= oldest.size;
      this.head += 1;
    }
    if (this.head > windowUpdatesMax) {
      this.updates = this.updates.slice(this.head);
      this.head = 0;
    }
  }
}
