/** The commands of the shared document and what becomes of them. */

/** The JSON form of a CodeMirror ChangeSet: what travels, before it is checked. */
export type ChangesJson = readonly unknown[];

/** A value of the replicated map: anything that JSON can say. */
export type MapValue = string | number | boolean | null | readonly MapValue[] | { readonly [key: string]: MapValue };

export type DocumentCommand =
  | {
      readonly kind: "edit";
      /** One editor instance, never used by another: 8 to 64 characters. */
      readonly clientId: string;
      readonly author: string;
      /** The version that the first update changes. */
      readonly baseVersion: number;
      /** Never altered, joined or reordered once sent; a longer list may be sent again. */
      readonly updates: readonly ChangesJson[];
    }
  | { readonly kind: "set"; readonly key: string; readonly value: MapValue }
  | {
      readonly kind: "compareAndSet";
      readonly key: string;
      readonly expected: MapValue;
      readonly value: MapValue;
    }
  /** Bytes that are no command: a no-op. */
  | { readonly kind: "unreadable" };

/** Fixed codes, the same on every replica, never the text of an exception. */
export type DocumentRefusal =
  | "unreadable"
  | "badChanges"
  | "baseAhead"
  | "baseTooOld"
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

/** An update as it was accepted, rebased: what every editor receives. */
export interface AcceptedUpdate {
  readonly clientId: string;
  readonly changes: ChangesJson;
}
