/** One text per value: equal values of the map give equal bytes, on every replica and after every restore. */
import { VALUE_DEPTH_MAX, VALUE_JSON_MAX } from "./limits.ts";
import type { MapValue } from "./types.ts";

function canonicalOf(value: unknown, depth: number): string | null {
  if (value === null || typeof value === "boolean" || typeof value === "string") return JSON.stringify(value);
  // JSON reads 1e400 as infinity and writes it as null: two replicas would differ after a restore.
  if (typeof value === "number") return Number.isFinite(value) ? JSON.stringify(value) : null;
  if (typeof value !== "object" || depth === 0) return null;
  if (Array.isArray(value)) {
    const items = value.map((item) => canonicalOf(item, depth - 1));
    return items.includes(null) ? null : `[${items.join(",")}]`;
  }
  const parts: string[] = [];
  const record = value as { readonly [key: string]: unknown };
  for (const key of Object.keys(record).sort()) {
    const text = key === "__proto__" ? null : canonicalOf(record[key], depth - 1);
    if (text === null) return null;
    parts.push(`${JSON.stringify(key)}:${text}`);
  }
  return `{${parts.join(",")}}`;
}

/** The value as JSON with sorted keys; `null` if it is no value, or nested or long beyond the limits. */
export function canonicalJson(value: unknown): string | null {
  const text = canonicalOf(value, VALUE_DEPTH_MAX);
  return text === null || text.length > VALUE_JSON_MAX ? null : text;
}

/** Of a text that `canonicalJson` wrote. */
export function parseCanonical(canonical: string): MapValue {
  return JSON.parse(canonical) as MapValue;
}
