/** One connection to one peer, from its dialling to its end: handshake, then envelopes in frames, and pings that tell whether the other still lives. */
import type { Clock } from "../driver/interfaces.ts";
import type { Millis, NodeId } from "../raft/types.ts";
import type { ChannelLike } from "./channel.ts";
import { type Body, decodeEnvelope, type Envelope, encodeBody } from "./codec.ts";
import { FrameReceiver, FrameSender, type Lane } from "./frames.ts";
import { type Fingerprints, type GenerationMark, Handshake, type HandshakeResult, isFingerprint } from "./handshake.ts";

const HANDSHAKE_TIMEOUT_MS: Millis = 5000;
/** What a peer may have sent while its proof is still being checked. */
const MAX_EARLY_FRAMES = 64;
/** Pings whose answers are still awaited. */
const MAX_OPEN_PINGS = 8;
/** Turns of the ping clock, about a second each, without an authentic byte, after which a peer counts as gone. */
const SILENT_TURNS = 5;
/** The same once something else says that it has gone. */
const SUSPECT_TURNS = 2;

/** Why a connection ended. `refused`: the other end, or somebody between, did what is not allowed; these are counted. */
export interface EndReason {
  readonly code: string;
  readonly refused: boolean;
  /** The channel was left open, so that the other end too can come to its own verdict; hang up a moment later. */
  readonly lingers: boolean;
  readonly words: string;
}

export interface ConnectionOptions {
  readonly id: string;
  readonly self: NodeId;
  readonly peer: NodeId;
  readonly initiator: boolean;
  readonly authKey: CryptoKey;
  readonly generation: GenerationMark | null;
  readonly clock: Clock;
  /** Runs a callback after the current turn. */
  readonly defer: (run: () => void) => void;
  readonly maxQueuedBytes?: number;
  /** The handshake has succeeded. */
  readonly onUp: () => void;
  /** Calls `deliver` for what comes from, or goes to, the peer: at once, or as the faults that were made on purpose have it. */
  readonly carry: (direction: "in" | "out", deliver: () => void) => void;
  /** From the proven peer, written for this very connection. */
  readonly onBody: (body: Exclude<Body, { kind: "ping" | "pong" }>) => void;
  /** A first answer came: the connection is of use. */
  readonly onAnswer: () => void;
  /** Bytes that were handed to the channel's queue, or came from the channel. */
  readonly onTraffic?: (direction: "in" | "out", bytes: number) => void;
  /** Dropped, without an end of the connection. */
  readonly onDropped: (code: string) => void;
  /** Called once, and nothing else after it; never after `stop`. */
  readonly onEnd: (reason: EndReason) => void;
}

export class Connection {
  readonly id: string;
  readonly initiator: boolean;
  readonly #handshake: Handshake;
  readonly #receiver = new FrameReceiver();
  readonly #early: Uint8Array[] = [];
  readonly #pings = new Map<number, Millis>();
  #channel: ChannelLike | null = null;
  #sender: FrameSender | null = null;
  #cancelTimeout: () => void = () => undefined;
  #epoch: number | null = null;
  #nonce = 0;
  #silentTurns = 0;
  #stopped = false;
  roundTripMs: Millis | null = null;
  lastHeardAt: Millis | null = null;
  generation: GenerationMark | null = null;

  constructor(private readonly options: ConnectionOptions) {
    this.id = options.id;
    this.initiator = options.initiator;
    this.#handshake = new Handshake({
      self: options.self,
      peer: options.peer,
      initiator: options.initiator,
      authKey: options.authKey,
      generation: options.generation,
      send: (bytes) => this.#sendRaw(bytes),
      onResult: (result) => this.#onHandshake(result),
    });
  }

  get up(): boolean {
    return this.#epoch !== null && !this.#stopped;
  }

  attach(channel: ChannelLike): void {
    if (this.#channel !== null || this.#stopped) {
      channel.close();
      return;
    }
    this.#channel = channel;
    channel.binaryType = "arraybuffer";
    channel.onmessage = (event) => this.#receive(event.data);
    channel.onclose = () => this.end("closedByPeer", false, "it closed the connection");
    channel.onopen = () => this.#open();
    if (channel.readyState === "open") this.#open();
  }

  fingerprints(fingerprints: Fingerprints): void {
    if (isFingerprint(fingerprints.local) && isFingerprint(fingerprints.remote)) this.#handshake.fingerprints(fingerprints);
    else this.end("badFingerprint", true);
  }

  /** Dropped before the handshake has succeeded. Never calls back from inside. */
  send(body: Body, lane: Lane = "control"): void {
    if (this.#epoch === null || this.#sender === null) return;
    const bytes = encodeBody(body, this.#epoch);
    this.options.onTraffic?.("out", bytes.byteLength);
    this.options.carry("out", () => this.#sendBytes(bytes, lane));
  }

  #sendBytes(bytes: Uint8Array, lane: Lane): void {
    if (this.#stopped || this.#sender === null) return;
    const outcome = this.#sender.send(lane, bytes);
    if (outcome === "tooLarge" || (outcome === "overflow" && lane === "bulk"))
      this.options.defer(() => this.options.onDropped(outcome));
    else if (outcome === "overflow") this.options.defer(() => this.end("overflow", true, "too much waits to be sent"));
  }

  /** One turn of the ping clock. Counted in turns, not in time: a node that itself slept must not take the others for dead. */
  turn(): void {
    if (!this.up) return;
    this.#silentTurns += 1;
    if (this.#silentTurns > SILENT_TURNS) this.end("silent", false, "it does not answer");
    else this.#ping();
  }

  /** Something else says that the peer has gone: ask it, and wait less long than usual. */
  suspect(): void {
    if (!this.up) return;
    this.#silentTurns = Math.max(this.#silentTurns, SILENT_TURNS - SUSPECT_TURNS);
    this.#ping();
  }

  end(code: string, refused = false, words = code): void {
    if (this.#stopped) return;
    this.stop();
    this.options.onEnd({ code, refused, words, lingers: false });
  }

  /** Ends it without a word. */
  stop(): void {
    if (this.#stopped) return;
    this.#detach()?.close();
  }

  /** From here on it hears and says nothing. */
  #detach(): ChannelLike | null {
    this.#stopped = true;
    this.#cancelTimeout();
    this.#handshake.stop();
    this.#sender?.stop();
    const channel = this.#channel;
    if (channel === null) return null;
    channel.onopen = null;
    channel.onmessage = null;
    channel.onclose = null;
    return channel;
  }

  #open(): void {
    if (this.#channel === null || this.#sender !== null || this.#stopped) return;
    const { clock, defer, maxQueuedBytes } = this.options;
    const onFailure = () => this.end("sendFailed", false, "the connection takes nothing any more");
    this.#sender = new FrameSender(
      this.#channel,
      maxQueuedBytes === undefined ? { defer, onFailure } : { defer, onFailure, maxQueuedBytes },
    );
    this.#cancelTimeout = clock.schedule(clock.now() + HANDSHAKE_TIMEOUT_MS, () => this.#handshake.timeout());
    this.#handshake.start();
  }

  #sendRaw(bytes: Uint8Array<ArrayBuffer>): void {
    try {
      this.#channel?.send(bytes);
    } catch {
      this.end("sendFailed", false, "the connection takes nothing any more");
    }
  }

  #receive(data: unknown): void {
    if (!(data instanceof ArrayBuffer)) {
      this.end("badFrame", true, "it sent text where bytes belong");
      return;
    }
    const bytes = new Uint8Array(data);
    this.options.onTraffic?.("in", bytes.byteLength);
    if (this.#handshake.wantsBytes) this.#handshake.receive(bytes);
    else if (this.#epoch !== null) this.#receiveFrame(bytes);
    else if (this.#early.length < MAX_EARLY_FRAMES) this.#early.push(bytes);
    else this.end("badHandshake", true);
  }

  #onHandshake(result: HandshakeResult): void {
    this.#cancelTimeout();
    if (this.#stopped) return;
    if ("refused" in result) {
      this.#detach();
      this.options.onEnd({ code: result.refused, refused: true, words: result.words, lingers: true });
      return;
    }
    this.#epoch = result.epoch;
    this.generation = result.generation;
    this.lastHeardAt = this.options.clock.now();
    this.options.onUp();
    this.#ping();
    for (const frame of this.#early.splice(0)) this.#receiveFrame(frame);
  }

  #receiveFrame(frame: Uint8Array): void {
    if (this.#stopped) return;
    const messages = this.#receiver.receive(frame);
    if (typeof messages === "string") {
      this.end(messages, true);
      return;
    }
    // A long message is still under way, and its sender's pings wait behind it.
    if (messages.length === 0) this.#silentTurns = 0;
    const link = { from: this.options.peer, to: this.options.self };
    for (const message of messages) {
      const envelope = decodeEnvelope(message, link);
      if ("refused" in envelope) this.end(envelope.refused, true);
      else this.#receiveEnvelope(envelope);
      // A listener may have ended it.
      if (this.#stopped) return;
    }
  }

  #receiveEnvelope(envelope: Envelope): void {
    if (envelope.epoch !== this.#epoch) {
      this.options.onDropped("otherEpoch");
      return;
    }
    this.options.carry("in", () => this.#take(envelope));
  }

  #take(envelope: Envelope): void {
    if (this.#stopped) return;
    this.#silentTurns = 0;
    this.lastHeardAt = this.options.clock.now();
    if (envelope.kind === "ping") this.send({ kind: "pong", nonce: envelope.nonce });
    else if (envelope.kind === "pong") this.#onPong(envelope.nonce);
    else this.options.onBody(envelope);
  }

  #ping(): void {
    this.#nonce = (this.#nonce + 1) >>> 0;
    this.#pings.set(this.#nonce, this.options.clock.now());
    const [oldest] = this.#pings.keys();
    if (this.#pings.size > MAX_OPEN_PINGS && oldest !== undefined) this.#pings.delete(oldest);
    this.send({ kind: "ping", nonce: this.#nonce });
  }

  #onPong(nonce: number): void {
    const sentAt = this.#pings.get(nonce);
    if (sentAt === undefined) {
      this.options.onDropped("unknownPong");
      return;
    }
    this.#pings.delete(nonce);
    const measuredMs = this.options.clock.now() - sentAt;
    if (this.roundTripMs === null) this.options.onAnswer();
    // As TCP smooths it (RFC 6298): an eighth of the newest.
    this.roundTripMs = this.roundTripMs === null ? measuredMs : this.roundTripMs * 0.875 + measuredMs * 0.125;
  }
}
