/**
 * The way to nodes that are not connected yet: who is in the room, and sealed messages to and from them. The server behind it may come and
 * go; a running cluster does not need it.
 */
import {
  type ClientMessage,
  type IceServer,
  MAX_SIGNALING_BYTES,
  parseServerMessage,
  type ServerMessage,
  SIGNALING_VERSION,
} from "../../signaling-server/protocol.ts";
import type { Clock } from "../driver/interfaces.ts";
import type { Millis, NodeId } from "../raft/types.ts";
import { Backoff } from "./backoff.ts";
import { Counters } from "./counters.ts";
import { type ProbeResult, probeSignaling } from "./signaling-probe.ts";

/** `waiting`: not reached yet or lost, trying again. `off`: there is none. */
export type SignalingState = "connected" | "waiting" | "off";

export interface SignalingHandlers {
  /** Who else is in the room, after each (re)connection. Whoever is missing has gone meanwhile. */
  onRoster(ids: readonly NodeId[]): void;
  onPeerJoined(id: NodeId): void;
  onPeerGone(id: NodeId): void;
  onBox(from: NodeId, box: string): void;
  /** What connections that are made from now on may use, STUN and TURN; in place of what was said before. */
  onIceServers(servers: readonly IceServer[]): void;
  onState(state: SignalingState): void;
}

/** What the mesh needs of it. */
export interface Signaling {
  readonly state: SignalingState;
  start(handlers: SignalingHandlers): void;
  /** Dropped while there is no connection. */
  send(to: NodeId, box: string): void;
  /** What the server said that was not understood, or its errors, by reason. */
  refused(): { readonly [reason: string]: number };
  close(): void;
}

/** As much of a WebSocket as is used. */
export interface WebSocketLike {
  readonly readyState: number;
  onopen: ((event: Event) => void) | null;
  onmessage: ((event: MessageEvent) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
  onerror: ((event: Event) => void) | null;
  send(text: string): void;
  close(): void;
}

export interface SignalingClientOptions {
  /** `ws:` or `wss:`; `null`: no server, the state stays `off`. */
  readonly url: string | null;
  readonly topic: string;
  readonly self: NodeId;
  readonly clock: Clock;
  /** From 0 up to 1. */
  readonly random: () => number;
  readonly createSocket?: (url: string) => WebSocketLike;
  /** Whether there is a server at all, asked when the first connection fails. */
  readonly probe?: (url: string) => Promise<ProbeResult>;
}

const OPEN = 1;
const FIRST_RETRY_MS: Millis = 250;
const LAST_RETRY_MS: Millis = 5000;
/** Where there is no server there may be one another day. */
const ABSENT_RETRY_MS: Millis = 60_000;
/** From dialling to the roster. */
const JOIN_TIMEOUT_MS: Millis = 10_000;

export class SignalingClient implements Signaling {
  readonly #counters = new Counters();
  readonly #backoff: Backoff;
  #handlers: SignalingHandlers | null = null;
  #state: SignalingState;
  #socket: WebSocketLike | null = null;
  #cancelTimer: () => void = () => undefined;
  #closed = false;
  #everConnected = false;
  /** When the server, as it stopped, asked to be called again: not all at once. */
  #retryAfterMs: Millis = 0;

  constructor(private readonly options: SignalingClientOptions) {
    this.#state = options.url === null ? "off" : "waiting";
    this.#backoff = new Backoff(FIRST_RETRY_MS, LAST_RETRY_MS, options.random);
  }

  get state(): SignalingState {
    return this.#state;
  }

  refused(): { readonly [reason: string]: number } {
    return this.#counters.all();
  }

  start(handlers: SignalingHandlers): void {
    this.#handlers = handlers;
    this.#dial();
  }

  send(to: NodeId, box: string): void {
    if (this.#state === "connected") this.#say({ kind: "relay", to, box });
  }

  close(): void {
    this.#closed = true;
    this.#cancelTimer();
    this.#drop();
    this.#setState("off");
  }

  #dial(): void {
    const { url } = this.options;
    if (url === null || this.#closed) return;
    const createSocket = this.options.createSocket ?? ((address: string): WebSocketLike => new WebSocket(address));
    let socket: WebSocketLike;
    try {
      socket = createSocket(url);
    } catch (error) {
      // A URL that no WebSocket can have, or one that the page's policy forbids; all else is a mistake of this program.
      if (!(error instanceof DOMException || error instanceof SyntaxError)) throw error;
      this.#counters.add("signalingUrl");
      this.#retry();
      return;
    }
    this.#socket = socket;
    this.#after(JOIN_TIMEOUT_MS, () => this.#lost());
    socket.onopen = () => {
      const { topic, self } = this.options;
      this.#say({ kind: "join", version: SIGNALING_VERSION, topic, nodeId: self });
    };
    socket.onmessage = (event) => this.#receive(event.data);
    socket.onclose = () => this.#lost();
    // What follows is always a close event.
    socket.onerror = () => this.#counters.add("signalingError");
  }

  #say(message: ClientMessage): void {
    const text = JSON.stringify(message);
    if (this.#socket?.readyState !== OPEN) return;
    if (text.length > MAX_SIGNALING_BYTES) this.#counters.add("signalingTooLarge");
    else this.#socket.send(text);
  }

  #receive(data: unknown): void {
    const message = typeof data === "string" ? parseServerMessage(data) : null;
    if (message === null) this.#counters.add("badSignaling");
    else if (message.kind === "error") this.#receiveError(message);
    else this.#dispatch(message);
  }

  #receiveError(message: Extract<ServerMessage, { kind: "error" }>): void {
    // Only tells that the other has left meanwhile, which `peer-gone` says too.
    if (message.code !== "unknownPeer") this.#counters.add(`signaling:${message.code}`);
    // Two sockets of one node must not throw each other out in turn: the one that lost takes its time.
    if (message.code === "replaced") this.#backoff.slowest();
  }

  #dispatch(message: Exclude<ServerMessage, { kind: "error" }>): void {
    const { self } = this.options;
    if (message.kind === "roster") {
      this.#cancelTimer();
      this.#backoff.reset();
      this.#everConnected = true;
      this.#setState("connected");
      this.#handlers?.onRoster(message.peers.filter((id) => id !== self));
    } else if (this.#state !== "connected") {
      this.#counters.add("badSignaling");
    } else if (message.kind === "relay") {
      if (message.to === self && message.from !== self) this.#handlers?.onBox(message.from, message.box);
      else this.#counters.add("badSignaling");
    } else if (message.kind === "ice-servers") {
      this.#handlers?.onIceServers(message.servers);
    } else if (message.kind === "stopping") {
      this.#retryAfterMs = message.retryMs;
    } else if (message.id !== self) {
      if (message.kind === "peer-joined") this.#handlers?.onPeerJoined(message.id);
      else this.#handlers?.onPeerGone(message.id);
    }
  }

  #lost(): void {
    this.#drop();
    if (this.#state !== "off") this.#setState("waiting");
    this.#retry();
    if (!this.#everConnected) this.#probe();
  }

  #retry(): void {
    const waitMs = this.#state === "off" ? ABSENT_RETRY_MS : Math.max(this.#retryAfterMs, this.#backoff.next());
    this.#retryAfterMs = 0;
    this.#after(waitMs, () => this.#dial());
  }

  #probe(): void {
    const { url, probe = probeSignaling } = this.options;
    if (url === null) return;
    probe(url).then((result) => {
      if (this.#closed || this.#everConnected || this.#socket !== null) return;
      if (result === "unknown" || (result === "absent") === (this.#state === "off")) return;
      this.#setState(result === "absent" ? "off" : "waiting");
      this.#retry();
    });
  }

  #drop(): void {
    const socket = this.#socket;
    if (socket === null) return;
    this.#socket = null;
    socket.onopen = null;
    socket.onmessage = null;
    socket.onclose = null;
    socket.onerror = null;
    socket.close();
  }

  #after(delayMs: Millis, run: () => void): void {
    this.#cancelTimer();
    this.#cancelTimer = this.options.clock.schedule(this.options.clock.now() + delayMs, run);
  }

  #setState(state: SignalingState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#handlers?.onState(state);
  }
}
