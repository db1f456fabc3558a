/** Responses as bytes: what a client that asks again is told, and a part of snapshots. Decoding is total. */
import { decodeVersioned, encodeVersioned } from "./command-codec.ts";
import type { DocumentRefusal, DocumentResponse } from "./types.ts";

/** All there are; the compiler sees to it. */
const REFUSALS: { readonly [refusal in DocumentRefusal]: true } = {
  unreadable: true,
  badChanges: true,
  baseAhead: true,
  baseTooOld: true,
  serialGap: true,
  replaced: true,
  replacesOther: true,
  documentTooLarge: true,
  badKey: true,
  badValue: true,
  notEqual: true,
};
const UNREADABLE: DocumentResponse = { refusal: "unreadable", version: 0, added: 0 };

export function encodeResponse({ refusal, version, added }: DocumentResponse): Uint8Array {
  return encodeVersioned(JSON.stringify([refusal, version, added]));
}

/** Bytes that are no response become a refusal as `unreadable`, at version 0. */
export function decodeResponse(bytes: Uint8Array): DocumentResponse {
  const json = decodeVersioned(bytes);
  if (!Array.isArray(json) || json.length !== 3) return UNREADABLE;
  const [refusal, version, added] = json as unknown[];
  if (!isRefusalOrNull(refusal) || !isCount(version) || !isCount(added) || added > version) return UNREADABLE;
  return { refusal, version, added };
}

function isRefusalOrNull(value: unknown): value is DocumentRefusal | null {
  return value === null || (typeof value === "string" && Object.hasOwn(REFUSALS, value));
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
