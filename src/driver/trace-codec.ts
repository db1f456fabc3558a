/**
 * A trace as text, one JSON value a line: the core, then an event each, at last what the core had become, so that who replays it knows
 * whether the same came of it. What JSON cannot say stands in an object with one key that begins with `$`.
 */
import { formatState } from "../raft/format.ts";
import type { RaftState } from "../raft/mod.ts";
import type { Event, NodeId } from "../raft/types.ts";
import type { TraceSegment } from "./trace.ts";

/** Of this text. A later one says so, instead of being read wrongly. */
const FORMAT = "tabraft-trace-1";

export interface TraceFile extends TraceSegment {
  /** What a person calls whom. */
  readonly names: { readonly [id: NodeId]: string };
  /** Milliseconds since the epoch when the core's clock showed 0. */
  readonly wallTimeAtZero: number;
  /** `formatState` of the core after the last event. */
  readonly end: string;
}

export class BadTrace extends Error {
  override readonly name = "BadTrace";
}

/** @param now the core that the last event has led to */
export function writeTrace(
  { core, events }: TraceSegment,
  now: Readonly<RaftState>,
  about: Pick<TraceFile, "names" | "wallTimeAtZero">,
): string {
  const lines = [JSON.stringify({ format: FORMAT, ...about }), toJson(core), ...events.map(toJson)];
  return `${[...lines, JSON.stringify({ end: formatState(now) })].join("\n")}\n`;
}

/** @throws BadTrace in words for whoever opened the file */
export function readTrace(text: string): TraceFile {
  const lines = text.split("\n").filter((line) => line !== "");
  const head = parse(lines[0], 1) as { format?: unknown; names?: unknown; wallTimeAtZero?: unknown } | null;
  if (typeof head !== "object" || head === null || head.format !== FORMAT)
    throw new BadTrace(`This is no trace: a trace begins with a line that names its format, "${FORMAT}".`);
  const core = parse(lines[1], 2) as RaftState | null;
  if (typeof core !== "object" || core === null || !("log" in core) || !("role" in core))
    throw new BadTrace("Line 2 of the trace is no core.");
  const last = lines.length - 1;
  const end = last > 1 ? (parse(lines[last], last + 1) as { end?: unknown } | null)?.end : undefined;
  if (typeof end !== "string") throw new BadTrace("The trace is not complete: its last line does not tell how it ends.");
  const events = lines.slice(2, last).map((line, at) => parse(line, at + 3) as Event);
  const bad = events.findIndex((event) => typeof event?.kind !== "string" || typeof event.now !== "number");
  if (bad >= 0) throw new BadTrace(`Line ${bad + 3} of the trace is no event.`);
  const wallTimeAtZero = typeof head.wallTimeAtZero === "number" ? head.wallTimeAtZero : 0;
  return { core, events, end, wallTimeAtZero, names: namesOf(head.names) };
}

function namesOf(value: unknown): TraceFile["names"] {
  const pairs = typeof value === "object" && value !== null ? Object.entries(value) : [];
  return Object.fromEntries(pairs.filter(([, name]) => typeof name === "string"));
}

function toJson(value: unknown): string {
  return JSON.stringify(tagged(value));
}

function tagged(value: unknown): unknown {
  if (typeof value === "number" && !Number.isFinite(value)) return { $number: String(value) };
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Uint8Array) return { $bytes: toHex(value) };
  if (value instanceof Map) return { $map: [...value].map(([key, item]) => [key, tagged(item)]) };
  if (value instanceof Set) return { $set: [...value] };
  if (Array.isArray(value)) return value.map(tagged);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, tagged(item)]));
}

function parse(line: string | undefined, number: number): unknown {
  try {
    return JSON.parse(line ?? "", (_key, value) => untagged(value));
  } catch (error) {
    throw new BadTrace(`Line ${number} of the trace cannot be read: ${error instanceof Error ? error.message : String(error)}.`);
  }
}

function untagged(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value);
  const [[key, inside] = ["", null]] = entries;
  if (entries.length !== 1 || !key.startsWith("$")) return value;
  if (key === "$number") return Number(inside);
  if (key === "$bytes" && typeof inside === "string") return fromHex(inside);
  if (key === "$map" && Array.isArray(inside)) return new Map(inside as [unknown, unknown][]);
  if (key === "$set" && Array.isArray(inside)) return new Set(inside);
  return value;
}

const DIGITS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

function toHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += DIGITS[byte];
  return text;
}

function fromHex(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length >> 1);
  for (let at = 0; at < bytes.length; at++) {
    const byte = Number.parseInt(text.slice(2 * at, 2 * at + 2), 16);
    if (Number.isNaN(byte)) throw new BadTrace("bytes are written in hexadecimal digits");
    bytes[at] = byte;
  }
  return bytes;
}
