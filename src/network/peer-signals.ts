/** What two nodes tell each other in sealed boxes, and the check of it: the other may be of another version, or mean harm. */
import * as v from "valibot";

const shortText = v.pipe(v.string(), v.maxLength(256));
const candidate = v.strictObject({
  candidate: v.pipe(v.string(), v.maxLength(1024)),
  sdpMid: v.optional(v.nullable(shortText)),
  sdpMLineIndex: v.optional(v.nullable(v.pipe(v.number(), v.safeInteger()))),
  usernameFragment: v.optional(v.nullable(shortText)),
});
/** What simple-peer gives and takes: a session description, a candidate, or the wish for another offer. */
const signalData = v.variant("type", [
  v.strictObject({ type: v.picklist(["offer", "answer"]), sdp: v.pipe(v.string(), v.maxLength(32_768)) }),
  v.strictObject({ type: v.literal("candidate"), candidate }),
  v.strictObject({ type: v.literal("renegotiate"), renegotiate: v.literal(true) }),
]);
const peerSignal = v.variant("kind", [
  v.strictObject({
    kind: v.literal("signal"),
    /** Drawn by who offers: 128 random bits, base64url. */
    connectionId: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{22}$/)),
    data: signalData,
  }),
  /** From the one that does not offer: it has no connection to the receiver and wants one. */
  v.strictObject({ kind: v.literal("knock") }),
]);

export type SignalData = v.InferOutput<typeof signalData>;
export type PeerSignal = v.InferOutput<typeof peerSignal>;

/** `null`: not JSON, or not a signal. Never throws. */
export function parsePeerSignal(text: string): PeerSignal | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const result = v.safeParse(peerSignal, value, { abortEarly: true });
  return result.success ? result.output : null;
}

/** What the page wants told to the other side; `null` if it is nothing that the other side would take. */
export function checkSignalData(data: unknown): SignalData | null {
  const result = v.safeParse(signalData, data, { abortEarly: true });
  return result.success ? result.output : null;
}
