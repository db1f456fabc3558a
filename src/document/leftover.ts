/** What an editor left that the log may not have: brought up to the document as it is, or merged into it where that cannot be. */
import { ChangeSet, Text } from "@codemirror/state";
import { measureChanges } from "./changes.ts";
import { mergeThreeWay } from "./merge.ts";
import { rebase } from "./rebase.ts";
import type { SharedDocument } from "./shared-document.ts";
import type { ChangesJson } from "./types.ts";

const BATCH_UPDATES = 200;
const BATCH_INSERTED = 128 * 1024;

export interface Kept {
  readonly clientId: string;
  readonly serial: number;
  readonly baseVersion: number;
  readonly baseText: string | null;
  readonly updates: readonly unknown[];
}

/** A place that both sides changed: `theirs` stands in the document. */
export interface UnplacedText {
  readonly base: string;
  readonly mine: string;
  readonly theirs: string;
}

export interface MergedLeftover {
  /** Of the document as it is; `null`: nothing to change. */
  readonly changes: ChangesJson | null;
  readonly baseVersion: number;
  /** How many of the editor's updates were in the document already. */
  readonly accepted: number;
  readonly unplaced: readonly UnplacedText[];
}

export class Leftover {
  readonly clientId: string;
  private serial: number;
  private baseVersion: number;
  private baseText: Text | null;
  private updates: readonly ChangeSet[];

  constructor(kept: Kept) {
    this.clientId = kept.clientId;
    this.serial = kept.serial;
    this.baseVersion = kept.baseVersion;
    this.baseText = kept.baseText === null ? null : Text.of(kept.baseText.split("\n"));
    this.updates = soundChain(kept.updates, this.baseText?.length ?? null);
  }

  get count(): number {
    return this.updates.length;
  }

  /** What the editor wrote, whatever became of its place: for the person, when nothing else can be done. */
  get written(): string {
    const parts: string[] = [];
    const add = (text: Text) => text.length > 0 && parts.push(text.toString());
    for (const changes of this.updates) changes.iterChanges((_fromA, _toA, _fromB, _toB, inserted) => add(inserted));
    return parts.join("");
  }

  /**
   * `done`: the document has all of it, or another editor has taken it over; `ahead`: the document is not yet where it begins; `tooOld`: it
   * can only be merged.
   */
  bringUp(document: SharedDocument): "ready" | "done" | "ahead" | "tooOld" {
    const { accepted, replacedBy } = document.editor(this.clientId);
    if (replacedBy !== null || (accepted !== null && accepted >= this.serial + this.updates.length)) return "done";
    if (document.version < this.baseVersion) return "ahead";
    const over = document.windowSince(this.baseVersion);
    if (over === null || (accepted ?? this.serial) < this.serial) return "tooOld";
    const length = over[0]?.changes.length ?? document.length;
    if (this.updates[0]?.length !== length) return "tooOld";
    const rebased = rebase(
      this.updates.map((changes) => ({ clientID: this.clientId, changes })),
      over,
    );
    if (typeof rebased === "string") return "tooOld";
    this.serial += this.updates.length - rebased.length;
    this.updates = rebased.map(({ changes }) => changes);
    this.baseVersion = document.version;
    this.baseText = document.doc;
    return this.updates.length === 0 ? "done" : "ready";
  }

  /** The oldest of the updates, after `ready`. */
  next(): { readonly serial: number; readonly baseVersion: number; readonly updates: readonly ChangesJson[] } {
    const batch: ChangesJson[] = [];
    let inserted = 0;
    for (const changes of this.updates.slice(0, BATCH_UPDATES)) {
      inserted += Math.max(0, changes.newLength - changes.length);
      if (batch.length > 0 && inserted > BATCH_INSERTED) break;
      batch.push(changes.toJSON() as ChangesJson);
    }
    return { serial: this.serial, baseVersion: this.baseVersion, updates: batch };
  }

  /** After `tooOld`: three ways, against the text that the editor began with. */
  merge(document: SharedDocument): MergedLeftover {
    const accepted = document.editor(this.clientId).accepted ?? 0;
    const rest = { accepted, baseVersion: document.version };
    const dropped = Math.max(0, accepted - this.serial);
    if (this.baseText === null) {
      const mine = this.written;
      return { ...rest, changes: null, unplaced: mine === "" ? [] : [{ base: "", mine, theirs: "" }] };
    }
    const base = this.updates.slice(0, dropped).reduce((text, changes) => changes.apply(text), this.baseText);
    const mine = this.updates
      .slice(dropped)
      .reduce<ChangeSet>((all, changes) => all.compose(changes), ChangeSet.empty(base.length));
    const { changes, conflicts } = mergeThreeWay(base.toString(), mine, document.text);
    return {
      ...rest,
      changes: changes.empty ? null : (changes.toJSON() as ChangesJson),
      unplaced: conflicts.map(({ base: was, mine: own, theirs }) => ({ base: was, mine: own, theirs })),
    };
  }
}

/** As far as each begins where the one before it ends; what lies on a disk may be anything. */
function soundChain(updates: readonly unknown[], baseLength: number | null): readonly ChangeSet[] {
  const chain: ChangeSet[] = [];
  let length = baseLength;
  for (const json of updates) {
    const measure = measureChanges(json);
    if (measure === null || (length !== null && measure.before !== length)) break;
    length = measure.after;
    chain.push(ChangeSet.fromJSON(json));
  }
  return chain;
}
