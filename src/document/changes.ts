/**
 * The gate before `ChangeSet.fromJSON`, which takes negative lengths, fractions and wrong totals without a word. What passes here
 * can be applied, mapped and composed without an exception. Accepted form: that which `ChangeSet.toJSON` writes, and no other.
 */
import { ChangeSet } from "@codemirror/state";
import { COMMAND_SIZE_MAX, COMMAND_UPDATES_MAX } from "./limits.ts";
import type { ChangesJson } from "./types.ts";

/** Text lines travel without their breaks; a break inside a line would be two different documents before and after a snapshot. */
const LINE_BREAK = /[\r\n]/;

interface Measure {
  /** Length of the document that the changes start from. */
  readonly before: number;
  readonly after: number;
  /** What counts against `COMMAND_SIZE_MAX`. */
  readonly size: number;
}

/** Inserted length of `[deleted, line, line, ...]`; -1 if a line is none. */
function insertedLength(part: readonly unknown[]): number {
  let length = part.length - 2;
  for (let i = 1; i < part.length; i++) {
    const line = part[i];
    if (typeof line !== "string" || LINE_BREAK.test(line)) return -1;
    length += line.length;
  }
  return length;
}

function isLength(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && !Object.is(value, -0);
}

/** `null`: no change set. Lone surrogates pass: they are ordinary units to the text, and JSON escapes them. */
export function measureChanges(json: unknown): Measure | null {
  if (!Array.isArray(json)) return null;
  let before = 0;
  let after = 0;
  let size = 0;
  for (const part of json) {
    size += 1;
    if (Array.isArray(part)) {
      const deleted: unknown = part[0];
      if (!isLength(deleted)) return null;
      const inserted = part.length === 1 ? 0 : insertedLength(part);
      const isNothing = deleted === 0 && inserted === 0;
      if (inserted < 0 || isNothing || (inserted === 0 && part.length > 1)) return null;
      before += deleted;
      after += inserted;
      size += inserted;
    } else {
      if (!isLength(part) || part === 0) return null;
      before += part;
      after += part;
    }
    if (before > Number.MAX_SAFE_INTEGER || after > Number.MAX_SAFE_INTEGER) return null;
  }
  return { before, after, size };
}

/** Whether each list of changes starts from the document that the one before it leaves, and all are within the caps. */
export function areChangesSound(updates: readonly ChangesJson[], startLength: number | null): boolean {
  if (updates.length === 0 || updates.length > COMMAND_UPDATES_MAX) return false;
  let length = startLength;
  let size = 0;
  for (const json of updates) {
    const measure = measureChanges(json);
    if (measure === null || (length !== null && measure.before !== length)) return false;
    length = measure.after;
    size += measure.size;
    if (size > COMMAND_SIZE_MAX) return false;
  }
  return true;
}

/** The checked changes, ready for use; `null` if any of them is unsound for a document of `startLength`. */
export function readChanges(updates: readonly ChangesJson[], startLength: number): readonly ChangeSet[] | null {
  return areChangesSound(updates, startLength) ? updates.map((json) => ChangeSet.fromJSON(json)) : null;
}
