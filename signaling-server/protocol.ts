/**
 * What a node and the signaling server say to each other: JSON text, one message per WebSocket message, and the check of each.
 * The server learns a topic, node ids and the sizes of sealed boxes, nothing else. Both sides import this file.
 */
import * as v from "valibot";

/** Raised when an old node or server could misread a new one. */
export const SIGNALING_VERSION = 1;
/** Where on the server the WebSocket is. */
export const SIGNALING_PATH = "/signal";
/** Largest message in either direction, in bytes of its text. */
export const MAX_SIGNALING_BYTES = 64 * 1024;
/** Largest sealed box, in characters: a session description with all its candidates is a few thousand. */
export const MAX_BOX_LENGTH = 60_000;
/** Most ids that a roster may carry. */
export const MAX_ROSTER = 1024;

const nodeId = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,64}$/));
/** 128 bits in base64url: derived from the room's secret, which it does not give away. */
const topic = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{22}$/));
const box = v.pipe(v.string(), v.maxLength(MAX_BOX_LENGTH), v.regex(/^[A-Za-z0-9_-]+$/));

/** Why the server did not do what it was asked. `true`: the socket is closed along with it. */
export const SIGNALING_ERRORS = {
  malformed: false,
  notJoined: false,
  alreadyJoined: false,
  unknownPeer: false,
  otherVersion: true,
  flooded: true,
  roomFull: true,
  tooManyRooms: true,
  /** A newer socket took this node's place in the room. */
  replaced: true,
} as const;
export type SignalingErrorCode = keyof typeof SIGNALING_ERRORS;

const clientMessage = v.variant("kind", [
  v.strictObject({ kind: v.literal("join"), version: v.pipe(v.number(), v.safeInteger()), topic, nodeId }),
  v.strictObject({ kind: v.literal("relay"), to: nodeId, box }),
]);
/** As `RTCIceServer` has it. */
const iceServer = v.strictObject({
  urls: v.pipe(v.array(v.pipe(v.string(), v.regex(/^(stun|turn)s?:[^\s]{1,512}$/))), v.minLength(1), v.maxLength(16)),
  username: v.optional(v.pipe(v.string(), v.maxLength(256))),
  credential: v.optional(v.pipe(v.string(), v.maxLength(256))),
});
const errorCodes = Object.keys(SIGNALING_ERRORS) as SignalingErrorCode[];
const serverMessage = v.variant("kind", [
  /** The answer to `join`: who else is there. */
  v.strictObject({ kind: v.literal("roster"), peers: v.pipe(v.array(nodeId), v.maxLength(MAX_ROSTER)) }),
  /** Also when a node that was there came by a new socket. */
  v.strictObject({ kind: v.literal("peer-joined"), id: nodeId }),
  /** The socket of that node has ended: its tab is closed, crashed, or offline. A hint. */
  v.strictObject({ kind: v.literal("peer-gone"), id: nodeId }),
  /** `from` is set by the server: the node id with which the sender joined. */
  v.strictObject({ kind: v.literal("relay"), from: nodeId, to: nodeId, box }),
  /** After the roster, and again before the credentials expire: what connections may use. */
  v.strictObject({ kind: v.literal("ice-servers"), servers: v.pipe(v.array(iceServer), v.maxLength(16)) }),
  /** The server stops, on purpose. Come back after so many milliseconds: each is told another time. */
  v.strictObject({
    kind: v.literal("stopping"),
    retryMs: v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(60_000)),
  }),
  v.strictObject({ kind: v.literal("error"), code: v.picklist(errorCodes) }),
]);

export type IceServer = v.InferOutput<typeof iceServer>;
export type ClientMessage = v.InferOutput<typeof clientMessage>;
export type ServerMessage = v.InferOutput<typeof serverMessage>;

/** `null`: not JSON, or not a message of this protocol. Never throws. */
export function parseClientMessage(text: string): ClientMessage | null {
  return parse(clientMessage, text);
}

/** `null`: not JSON, or not a message of this protocol. Never throws. */
export function parseServerMessage(text: string): ServerMessage | null {
  return parse(serverMessage, text);
}

function parse<Schema extends typeof clientMessage | typeof serverMessage>(
  schema: Schema,
  text: string,
): v.InferOutput<Schema> | null {
  if (text.length > MAX_SIGNALING_BYTES) return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const result = v.safeParse(schema, value, { abortEarly: true });
  return result.success ? result.output : null;
}
