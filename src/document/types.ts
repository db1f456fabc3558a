/** The commands of the shared document and what becomes of them. */

/** The JSON form of a CodeMirror ChangeSet: what travels, before it is checked. */
export type ChangesJson = readonly unknown[];

/** A value of the replicated map: anything that JSON can say. */
export type MapValue = string | number | boolean | null | readonly MapValue[] | { readonly [key: string]: MapValue };

export interface EditCommand {
  readonly kind: "edit";
  /** One editor instance, never used by another: 8 to 64 characters. */
  readonly clientId: string;
  /** How many updates of this editor came before the first of these. */
  readonly serial: number;
  /** What the person is called; shown beside the text. */
  readonly author: string;
  /** Which of the page's colours is the person's: 0 to 255. */
  readonly color: number;
  /** When it was written by the editor's clock, in milliseconds since the epoch: shown to people, nothing rests on it. */
  readonly at: number;
  /** The version that the first update changes. */
  readonly baseVersion: number;
  /** Never altered, joined or reordered once sent; a longer list may be sent again. */
  readonly updates: readonly ChangesJson[];
  /**
   * This editor takes over what another could not bring to an end: the updates after the `accepted` first of that one are part of these now,
   * and that one is accepted nothing more of. `null`: nobody's.
   */
  readonly replaces: { readonly clientId: string; readonly accepted: number } | null;
}

export type DocumentCommand =
  | EditCommand
  | { readonly kind: "set"; readonly key: string; readonly value: MapValue }
  | {
      readonly kind: "compareAndSet";
      readonly key: string;
      readonly expected: MapValue;
      readonly value: MapValue;
    }
  /** From this entry on, commands and state are those of a later version of the state machine. */
  | { readonly kind: "upgrade"; readonly to: number }
  /** Bytes that are no command: a no-op. */
  | { readonly kind: "unreadable" };

/** Fixed codes, the same on every replica, never the text of an exception. */
export type DocumentRefusal =
  | "unreadable"
  | "badChanges"
  | "baseAhead"
  | "baseTooOld"
  /** Updates of this editor are missing before these. */
  | "serialGap"
  /** Another editor has taken over what this one left. */
  | "replaced"
  /** The editor to be replaced was accepted more, or less, than the command says. */
  | "replacesOther"
  | "documentTooLarge"
  | "badKey"
  | "badValue"
  | "notEqual";

export interface DocumentResponse {
  readonly refusal: DocumentRefusal | null;
  /** Of the document after the command. */
  readonly version: number;
  /** How many updates this command added; 0 for a repeated one. */
  readonly added: number;
}

/** A command where it stands in the log. */
export interface PlacedCommand {
  readonly index: number;
  readonly term: number;
  readonly command: DocumentCommand;
}

/** Whose an update is, and where it stands in the log. */
export interface Authorship extends Pick<EditCommand, "author" | "color" | "at"> {
  readonly index: number;
  readonly term: number;
}

/** So many units of the text, one after the other, are somebody's. */
export interface AuthorRun extends Authorship {
  /** In UTF-16 units. */
  readonly length: number;
}

/** A stretch of the document's history. */
export interface HistoryStep {
  /** Of the document before and after it. */
  readonly fromVersion: number;
  readonly toVersion: number;
  /** At most 8, in the order in which they first wrote. */
  readonly authors: readonly Pick<EditCommand, "author" | "color">[];
  readonly firstIndex: number;
  readonly lastIndex: number;
  /** Of the last entry. */
  readonly term: number;
  /** Of the first and the last update, by their editors' clocks. */
  readonly firstAt: number;
  readonly lastAt: number;
  /** 0: as it was written; n: up to 2 to the power of n such steps in one. */
  readonly weight: number;
  /** Leads from the text after the step to the text before it. */
  readonly inverse: ChangesJson;
}

/** An update as it was accepted, rebased: what every editor receives. */
export interface AcceptedUpdate {
  readonly clientId: string;
  readonly changes: ChangesJson;
}
