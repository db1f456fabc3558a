/** The whole state as bytes, in one way only, and back. What comes back may be from another node: every part of it is checked. */
import { ChangeSet, Text } from "@codemirror/state";
import { canonicalJson } from "./canonical-json.ts";
import { measureChanges } from "./changes.ts";
import { decodeVersioned, encodeVersioned } from "./command-codec.ts";
import type { DocumentLimits } from "./limits.ts";
import type { AcceptedUpdate, MapValue } from "./types.ts";
import { UpdateWindow } from "./update-window.ts";
import { ValueMap } from "./value-map.ts";

export interface SnapshotParts {
  readonly version: number;
  readonly text: string;
  readonly window: readonly AcceptedUpdate[];
  /** Sorted by key. */
  readonly map: readonly (readonly [key: string, value: MapValue])[];
}

export interface RestoredState {
  readonly content: Text;
  readonly window: UpdateWindow;
  readonly values: ValueMap;
}

export function writeSnapshot(parts: SnapshotParts): Uint8Array {
  const window = parts.window.map(({ clientId, changes }) => JSON.stringify([clientId, changes]));
  const map = parts.map.map(([key, value]) => `[${JSON.stringify(key)},${canonicalJson(value)}]`);
  return encodeVersioned(`[${parts.version},${JSON.stringify(parts.text)},[${window.join(",")}],[${map.join(",")}]]`);
}

/** `null`: no snapshot that this code could have written. */
export function readSnapshot(bytes: Uint8Array, limits: DocumentLimits): RestoredState | null {
  const json = decodeVersioned(bytes);
  if (!Array.isArray(json) || json.length !== 4) return null;
  const [version, text, updates, map] = json as unknown[];
  if (typeof version !== "number" || !Number.isSafeInteger(version) || version < 0) return null;
  if (typeof text !== "string" || text.length > limits.textLengthMax || text.includes("\r")) return null;
  const values = readMap(map);
  const window = readWindow(updates, version, text.length, limits);
  return values === null || window === null ? null : { content: Text.of(text.split("\n")), window, values };
}

function readMap(map: unknown): ValueMap | null {
  if (!Array.isArray(map)) return null;
  const values = new ValueMap();
  for (const pair of map) {
    if (!Array.isArray(pair) || pair.length !== 2 || typeof pair[0] !== "string") return null;
    if (values.set(pair[0], pair[1] as MapValue) !== null) return null;
  }
  return values;
}

function readWindow(updates: unknown, version: number, textLength: number, limits: DocumentLimits): UpdateWindow | null {
  if (!Array.isArray(updates) || updates.length > version || updates.length > limits.windowUpdatesMax) return null;
  const window = new UpdateWindow(limits, version - updates.length);
  let length: number | null = null;
  for (const update of updates) {
    if (!Array.isArray(update) || update.length !== 2 || typeof update[0] !== "string") return null;
    const measure = measureChanges(update[1]);
    if (measure === null || (length !== null && measure.before !== length)) return null;
    length = measure.after;
    window.push({ clientID: update[0], changes: ChangeSet.fromJSON(update[1]) });
  }
  return length === null || length === textLength ? window : null;
}
