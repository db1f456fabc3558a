/** The small replicated map: title and settings. Values are kept as canonical JSON, so that equal means equal bytes. */
import { canonicalJson, parseCanonical } from "./canonical-json.ts";
import { KEY_LENGTH_MAX, MAP_JSON_MAX } from "./limits.ts";
import type { DocumentRefusal, MapValue } from "./types.ts";

const ABSENT = "null";

export function isKeySound(key: string): boolean {
  return key.length >= 1 && key.length <= KEY_LENGTH_MAX && key !== "__proto__";
}

function sizeOf(key: string, canonical: string): number {
  return JSON.stringify(key).length + canonical.length;
}

export class ValueMap {
  private readonly texts = new Map<string, string>();
  private readonly written = new Set<string>();
  private size = 0;

  get(key: string): MapValue {
    return parseCanonical(this.texts.get(key) ?? ABSENT);
  }

  toObject(): { readonly [key: string]: MapValue } {
    return Object.fromEntries(this.entries());
  }

  /** Sorted by key. */
  entries(): readonly (readonly [key: string, value: MapValue])[] {
    return [...this.texts.keys()].sort().map((key) => [key, this.get(key)] as const);
  }

  /** Why a write could not be carried out whatever the map holds. */
  refusalOf(key: string, value: MapValue, expected: MapValue): DocumentRefusal | null {
    if (!isKeySound(key)) return "badKey";
    return canonicalJson(value) === null || canonicalJson(expected) === null ? "badValue" : null;
  }

  /** Writing `null` removes the key. */
  set(key: string, value: MapValue): DocumentRefusal | null {
    if (!isKeySound(key)) return "badKey";
    const canonical = canonicalJson(value);
    return canonical === null ? "badValue" : this.write(key, canonical);
  }

  compareAndSet(key: string, expected: MapValue, value: MapValue): DocumentRefusal | null {
    const refusal = this.refusalOf(key, value, expected);
    if (refusal !== null) return refusal;
    if (canonicalJson(expected) !== (this.texts.get(key) ?? ABSENT)) return "notEqual";
    return this.set(key, value);
  }

  /** Keys written since the last call, with their value now. */
  takeWritten(): readonly (readonly [key: string, value: MapValue])[] {
    const taken = [...this.written].map((key) => [key, this.get(key)] as const);
    this.written.clear();
    return taken;
  }

  private write(key: string, canonical: string): DocumentRefusal | null {
    const old = this.texts.get(key);
    const sizeWithout = this.size - (old === undefined ? 0 : sizeOf(key, old));
    const size = canonical === ABSENT ? sizeWithout : sizeWithout + sizeOf(key, canonical);
    if (size > MAP_JSON_MAX) return "documentTooLarge";
    if (canonical === ABSENT) this.texts.delete(key);
    else this.texts.set(key, canonical);
    this.size = size;
    this.written.add(key);
    return null;
  }
}
