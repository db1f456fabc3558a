/** A room is a secret of 128 random bits; all else that it needs is derived from it, each part useless for the others. */
import { fromBase64Url, toBase64Url } from "./base64url.ts";

const SECRET_BYTES = 16;
const encoder = new TextEncoder();

export interface RoomKeys {
  /** What the signaling server calls the room: 22 characters that tell nothing of the secret. */
  readonly topic: string;
  /** AES-GCM, for signaling messages. */
  readonly sealKey: CryptoKey;
  /** HMAC-SHA-256, for the proof that a connection's other end knows the room. */
  readonly authKey: CryptoKey;
}

/** 22 characters of base64url. */
export function makeSecret(): string {
  return toBase64Url(crypto.getRandomValues(new Uint8Array(SECRET_BYTES)));
}

/** The secret in a link's fragment, with or without its `#`; `null` if it is none. */
export function parseSecret(fragment: string): string | null {
  const text = fragment.startsWith("#") ? fragment.slice(1) : fragment;
  return fromBase64Url(text)?.length === SECRET_BYTES ? text : null;
}

/** Throws on what `parseSecret` refuses. */
export async function deriveRoomKeys(secret: string): Promise<RoomKeys> {
  const bytes = fromBase64Url(secret);
  if (bytes?.length !== SECRET_BYTES) throw new Error("A room's secret has 22 characters of base64url.");
  const root = await crypto.subtle.importKey("raw", bytes, "HKDF", false, ["deriveBits", "deriveKey"]);
  const topic = await crypto.subtle.deriveBits(hkdf("topic"), root, 128);
  const sealKey = await crypto.subtle.deriveKey(hkdf("seal"), root, { name: "AES-GCM", length: 256 }, false, [
    "encrypt",
    "decrypt",
  ]);
  const hmac = { name: "HMAC", hash: "SHA-256", length: 256 };
  const authKey = await crypto.subtle.deriveKey(hkdf("auth"), root, hmac, false, ["sign", "verify"]);
  return { topic: toBase64Url(new Uint8Array(topic)), sealKey, authKey };
}

/** The input is uniformly random, so no salt is needed; the label tells the outputs apart (RFC 5869 §3). */
function hkdf(label: string): HkdfParams {
  return { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: encoder.encode(`tabraft 1 ${label}`) };
}
