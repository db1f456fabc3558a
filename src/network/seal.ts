/**
 * Signaling messages between two nodes, sealed so that the server can neither read, alter, redirect nor repeat them.
 * A box is session (16 bytes) | counter (4) | initialization vector (12) | AES-GCM ciphertext, as base64url. The associated data
 * binds it to sender, receiver, room, session and counter. A receiver takes each counter of a session once, and only upwards.
 *
 * What is left to a hostile server: to drop messages, and to play a receiver that has just started the recorded beginning of an
 * earlier session. That opens a connection which comes to nothing, since the handshake has fresh nonces and a live one is not given up for it.
 */
import type { NodeId } from "../raft/types.ts";
import { fromBase64Url, toBase64Url } from "./base64url.ts";
import type { RoomKeys } from "./room-keys.ts";

const SESSION_BYTES = 16;
const COUNTER_BYTES = 4;
const VECTOR_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = SESSION_BYTES + COUNTER_BYTES + VECTOR_BYTES;
/** Sessions remembered per sender; each life of a node is one. */
const MAX_SESSIONS = 32;
const MAX_SENDERS = 256;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

export type SealFault = "badBox" | "badSeal" | "replayed";

export interface Opened {
  readonly text: string;
}

export class Seal {
  readonly #session = crypto.getRandomValues(new Uint8Array(SESSION_BYTES));
  #counter = 0;
  /** Highest counter taken, by sender and session; the least lately used go first. */
  readonly #taken = new Map<NodeId, Map<string, number>>();

  constructor(
    private readonly keys: RoomKeys,
    private readonly self: NodeId,
  ) {}

  async seal(to: NodeId, text: string): Promise<string> {
    this.#counter += 1;
    const header = new Uint8Array(HEADER_BYTES);
    header.set(this.#session);
    new DataView(header.buffer).setUint32(SESSION_BYTES, this.#counter);
    crypto.getRandomValues(header.subarray(HEADER_BYTES - VECTOR_BYTES));
    const sealed = await crypto.subtle.encrypt(this.#parameters(header, this.self, to), this.keys.sealKey, encoder.encode(text));
    const box = new Uint8Array(HEADER_BYTES + sealed.byteLength);
    box.set(header);
    box.set(new Uint8Array(sealed), HEADER_BYTES);
    return toBase64Url(box);
  }

  /** Opens boxes of one sender in the order in which the calls end; call it again only once the last one has. */
  async open(from: NodeId, box: string): Promise<Opened | SealFault> {
    const bytes = fromBase64Url(box);
    if (bytes === null || bytes.length < HEADER_BYTES + TAG_BYTES) return "badBox";
    const header = bytes.subarray(0, HEADER_BYTES);
    const session = toBase64Url(header.subarray(0, SESSION_BYTES));
    const counter = new DataView(bytes.buffer).getUint32(SESSION_BYTES);
    let text: string;
    try {
      const parameters = this.#parameters(header, from, this.self);
      text = decoder.decode(await crypto.subtle.decrypt(parameters, this.keys.sealKey, bytes.subarray(HEADER_BYTES)));
    } catch {
      return "badSeal";
    }
    return this.#take(from, session, counter) ? { text } : "replayed";
  }

  #take(from: NodeId, session: string, counter: number): boolean {
    const sessions = this.#taken.get(from) ?? new Map<string, number>();
    if (counter <= (sessions.get(session) ?? 0)) return false;
    putLast(sessions, session, counter, MAX_SESSIONS);
    putLast(this.#taken, from, sessions, MAX_SENDERS);
    return true;
  }

  #parameters(header: Uint8Array, from: NodeId, to: NodeId): AesGcmParams {
    const bound = encoder.encode(
      `${from}|${to}|${this.keys.topic}|${toBase64Url(header.subarray(0, SESSION_BYTES + COUNTER_BYTES))}`,
    );
    return { name: "AES-GCM", iv: header.slice(HEADER_BYTES - VECTOR_BYTES), additionalData: bound };
  }
}

function putLast<Key, Value>(map: Map<Key, Value>, key: Key, value: Value, limit: number): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > limit && oldest !== undefined) map.delete(oldest);
}
