/** The whole state as bytes, in one way only, and back. What comes back may be from another node: every part of it is checked. */
import { ChangeSet, Text } from "@codemirror/state";
import { AuthorRuns } from "./authors.ts";
import { canonicalJson } from "./canonical-json.ts";
import { measureChanges } from "./changes.ts";
import { isCount, parseVersioned, STATE_MACHINE_VERSION, UnsupportedVersion } from "./command-codec.ts";
import { EditorSessions } from "./editor-sessions.ts";
import { type Step, StepHistory } from "./history.ts";
import { AUTHOR_LENGTH_MAX, COLOR_MAX, type DocumentLimits, STEP_AUTHORS_MAX } from "./limits.ts";
import type { AcceptedUpdate, AuthorRun, HistoryStep, MapValue } from "./types.ts";
import { UpdateWindow } from "./update-window.ts";
import { ValueMap } from "./value-map.ts";

export interface SnapshotParts {
  /** Of the state machine. */
  readonly level: number;
  readonly version: number;
  readonly text: string;
  readonly window: readonly AcceptedUpdate[];
  /** Sorted by key. */
  readonly map: readonly (readonly [key: string, value: MapValue])[];
  readonly sessions: EditorSessions;
  readonly authors: readonly AuthorRun[];
  readonly steps: readonly HistoryStep[];
  readonly isStepOpen: boolean;
}

export interface RestoredState {
  readonly level: number;
  readonly content: Text;
  readonly window: UpdateWindow;
  readonly values: ValueMap;
  readonly sessions: EditorSessions;
  readonly authors: AuthorRuns;
  readonly history: StepHistory;
}

export function writeSnapshot(parts: SnapshotParts): Uint8Array {
  const window = parts.window.map(({ clientId, changes }) => JSON.stringify([clientId, changes]));
  const map = parts.map.map(([key, value]) => `[${JSON.stringify(key)},${canonicalJson(value)}]`);
  const sessions = parts.sessions.entries().map(([clientId, { accepted, replacedBy }]) => [clientId, accepted, replacedBy]);
  const authors = parts.authors.map(({ length, author, color, index, term, at }) => [length, author, color, index, term, at]);
  const fields = [
    parts.version,
    JSON.stringify(parts.text),
    `[${window.join(",")}]`,
    `[${map.join(",")}]`,
    JSON.stringify([parts.sessions.hasForgotten, sessions]),
    JSON.stringify(authors),
    JSON.stringify([parts.isStepOpen, parts.steps.map(stepToJson)]),
  ];
  const text = new TextEncoder().encode(`[${fields.join(",")}]`);
  const bytes = new Uint8Array(text.length + 1);
  bytes[0] = parts.level;
  bytes.set(text, 1);
  return bytes;
}

function stepToJson(step: HistoryStep): readonly unknown[] {
  const authors = step.authors.map(({ author, color }) => [author, color]);
  const { fromVersion, toVersion, firstIndex, lastIndex, term, firstAt, lastAt, weight, inverse } = step;
  return [fromVersion, toVersion, authors, firstIndex, lastIndex, term, firstAt, lastAt, weight, inverse];
}

/**
 * `null`: no snapshot that this code could have written.
 * @throws UnsupportedVersion
 */
export function readSnapshot(bytes: Uint8Array, limits: DocumentLimits, supported: number): RestoredState | null {
  const level = bytes[0] ?? 0;
  if (level > supported) throw new UnsupportedVersion(level, supported);
  const json = level < STATE_MACHINE_VERSION ? undefined : parseVersioned(bytes);
  if (!Array.isArray(json) || json.length !== 7) return null;
  const [version, text, updates, map, editors, runs, past] = json as unknown[];
  if (!isCount(version)) return null;
  if (typeof text !== "string" || text.length > limits.textLengthMax || text.includes("\r")) return null;
  const values = readMap(map);
  const window = readWindow(updates, version, text.length, limits);
  const sessions = readSessions(editors, limits);
  const authors = readAuthors(runs, text.length, version);
  const history = readHistory(past, version, text.length);
  if (values === null || window === null || sessions === null || authors === null || history === null) return null;
  return { level, content: Text.of(text.split("\n")), window, values, sessions, authors, history };
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

function readSessions(editors: unknown, limits: DocumentLimits): EditorSessions | null {
  if (!Array.isArray(editors) || editors.length !== 2) return null;
  const [hasForgotten, rows] = editors as unknown[];
  if (typeof hasForgotten !== "boolean" || !Array.isArray(rows) || rows.length > limits.sessionsMax) return null;
  const entries: [string, { accepted: number; replacedBy: string | null }][] = [];
  for (const row of rows) {
    if (!Array.isArray(row) || row.length !== 3) return null;
    const [clientId, accepted, replacedBy] = row as unknown[];
    if (typeof clientId !== "string" || !isCount(accepted)) return null;
    if (replacedBy !== null && typeof replacedBy !== "string") return null;
    entries.push([clientId, { accepted, replacedBy }]);
  }
  return new EditorSessions(entries, limits.sessionsMax, hasForgotten);
}

function isAuthor(author: unknown, color: unknown): author is string {
  return typeof author === "string" && author.length <= AUTHOR_LENGTH_MAX && isCount(color) && color <= COLOR_MAX;
}

function readAuthors(rows: unknown, textLength: number, version: number): AuthorRuns | null {
  if (!Array.isArray(rows)) return null;
  const runs: AuthorRun[] = [];
  let total = 0;
  for (const row of rows) {
    if (!Array.isArray(row) || row.length !== 6) return null;
    const [length, author, color, index, term, at] = row as unknown[];
    if (!isAuthor(author, color) || !isCount(color) || !isCount(length) || length === 0) return null;
    if (!isCount(index) || !isCount(term) || !isCount(at)) return null;
    runs.push({ length, author, color, index, term, at });
    total += length;
  }
  return total === textLength ? new AuthorRuns(runs, version) : null;
}

function readHistory(past: unknown, version: number, textLength: number): StepHistory | null {
  if (!Array.isArray(past) || past.length !== 2) return null;
  const [isOpen, rows] = past as unknown[];
  if (typeof isOpen !== "boolean" || !Array.isArray(rows)) return null;
  const steps: Step[] = [];
  for (const row of rows) {
    const isLast = steps.length === rows.length - 1;
    const step = Array.isArray(row) && row.length === 10 ? readStep(row, isOpen && isLast) : null;
    const before = steps.at(-1);
    if (step === null || step.toVersion > version) return null;
    if (before !== undefined && (before.toVersion !== step.fromVersion || before.inverse.length !== step.inverse.newLength))
      return null;
    steps.push(step);
  }
  const last = steps.at(-1);
  const isWhole = last === undefined || (last.toVersion === version && last.inverse.length === textLength);
  return isWhole ? new StepHistory(steps, isOpen) : null;
}

function readStep(row: readonly unknown[], isOpen: boolean): Step | null {
  const [fromVersion, toVersion, authors, firstIndex, lastIndex, term, firstAt, lastAt, weight, inverse] = row;
  if (!isCount(fromVersion) || !isCount(toVersion) || fromVersion >= toVersion) return null;
  if (!isCount(firstIndex) || !isCount(lastIndex) || !isCount(term)) return null;
  if (!isCount(firstAt) || !isCount(lastAt) || !isCount(weight)) return null;
  if (!Array.isArray(authors) || authors.length === 0 || authors.length > STEP_AUTHORS_MAX) return null;
  if (!authors.every((one) => Array.isArray(one) && one.length === 2 && isAuthor(one[0], one[1]))) return null;
  if (measureChanges(inverse) === null) return null;
  const by = (authors as [string, number][]).map(([author, color]) => ({ author, color }));
  const changes = ChangeSet.fromJSON(inverse);
  const size = isOpen ? 0 : JSON.stringify(inverse).length;
  const rest = { firstIndex, lastIndex, term, firstAt, lastAt, weight, inverse: changes, size };
  return { fromVersion, toVersion, authors: by, ...rest };
}
