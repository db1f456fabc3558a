/** For tests: virtual time, channels in memory, a signaling server in memory that can be made hostile, and a host that connects as a page would. */
import type { Clock } from "../driver/interfaces.ts";
import type { Message, Millis, NodeId } from "../raft/types.ts";
import type { ChannelLike } from "./channel.ts";
import type { Digest } from "./digest.ts";
import type { ConnectionHost, PeerMeshOptions } from "./mesh-options.ts";
import { PeerMesh } from "./peer-mesh.ts";
import { deriveRoomKeys, type RoomKeys } from "./room-keys.ts";
import type { Signaling, SignalingHandlers, SignalingState } from "./signaling-client.ts";

/** Time that passes when a test says so. */
export class VirtualClock implements Clock {
  #now: Millis = 1000;
  readonly #timers = new Set<{ readonly at: Millis; readonly fire: () => void }>();

  now(): Millis {
    return this.#now;
  }

  wallTime(): Millis {
    return this.#now;
  }

  soon(run: () => void): void {
    queueMicrotask(run);
  }

  schedule(at: Millis, fire: () => void): () => void {
    const timer = { at, fire };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Lets time pass, and what is under way outside of it finish, in steps of at most `step`. */
  async advance(ms: Millis, step: Millis = 50): Promise<void> {
    const end = this.#now + ms;
    while (this.#now < end) {
      this.#now = Math.min(end, this.#now + step);
      for (const timer of [...this.#timers].sort((a, b) => a.at - b.at)) {
        if (timer.at <= this.#now && this.#timers.delete(timer)) timer.fire();
      }
      await turn();
    }
  }
}

/** Sealing and proving that is under way: it happens outside of the event loop, and virtual time must not run ahead of it. */
let cryptoPending = 0;
for (const name of ["sign", "verify", "encrypt", "decrypt"] as const) {
  const original: (...given: never[]) => Promise<unknown> = crypto.subtle[name];
  const counted = async (...given: unknown[]): Promise<unknown> => {
    cryptoPending += 1;
    try {
      return await Reflect.apply(original, crypto.subtle, given);
    } finally {
      cryptoPending -= 1;
    }
  };
  Object.defineProperty(crypto.subtle, name, { value: counted });
}

/** Lets everything go on that waits for nothing but the event loop or for cryptography. */
export async function turn(): Promise<void> {
  do await new Promise((resolve) => setImmediate(resolve));
  while (cryptoPending > 0);
}

/** Waits for a condition; virtual time, if given, passes meanwhile. */
export async function until(holds: () => boolean, clock?: VirtualClock): Promise<void> {
  for (let round = 0; round < 5000; round += 1) {
    if (holds()) return;
    if (clock === undefined) await turn();
    else await clock.advance(20, 20);
  }
  throw new Error(`Never came true: ${holds}`);
}

/** One end of a data channel. */
export class MemoryChannel implements ChannelLike {
  readyState: ChannelLike["readyState"] = "connecting";
  bufferedAmount = 0;
  bufferedAmountLowThreshold = 0;
  binaryType = "arraybuffer";
  onopen: ChannelLike["onopen"] = null;
  onmessage: ChannelLike["onmessage"] = null;
  onclose: ChannelLike["onclose"] = null;
  onbufferedamountlow: ChannelLike["onbufferedamountlow"] = null;
  /** While true, what is sent waits here. */
  stalled = false;
  /** What is sent is lost without a word, as on a cut path. */
  mute = false;
  readonly sent: Uint8Array[] = [];
  other: MemoryChannel | null = null;
  readonly #waiting: Uint8Array[] = [];

  static pair(): [MemoryChannel, MemoryChannel] {
    const a = new MemoryChannel();
    const b = new MemoryChannel();
    a.other = b;
    b.other = a;
    return [a, b];
  }

  open(): void {
    this.readyState = "open";
    this.onopen?.(new Event("open"));
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.readyState !== "open") throw new Error("The channel is not open.");
    const copy = bytes.slice();
    this.sent.push(copy);
    this.bufferedAmount += copy.length;
    this.#waiting.push(copy);
    if (!this.stalled) queueMicrotask(() => this.flush());
  }

  /** Delivers what waits, or so many messages of it. */
  flush(most = Number.POSITIVE_INFINITY): void {
    for (const bytes of this.#waiting.splice(0, most)) {
      this.bufferedAmount -= bytes.length;
      if (!this.mute) this.other?.deliver(bytes);
    }
    if (this.bufferedAmount <= this.bufferedAmountLowThreshold) this.onbufferedamountlow?.(new Event("bufferedamountlow"));
  }

  /** As if the other end had sent it. */
  deliver(bytes: Uint8Array | string): void {
    const data = typeof bytes === "string" ? bytes : bytes.slice().buffer;
    if (this.readyState === "open") this.onmessage?.(new MessageEvent("message", { data }));
  }

  close(): void {
    if (this.readyState === "closed") return;
    this.readyState = "closed";
    this.onclose?.(new Event("close"));
    const { other } = this;
    queueMicrotask(() => other?.close());
  }
}

export interface Relayed {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly box: string;
}

/** A signaling server in memory. A test may read, alter, repeat and make up what it relays. */
export class MemorySignaling {
  readonly members = new Map<NodeId, SignalingHandlers>();
  readonly relayed: Relayed[] = [];
  /** Decides what becomes of each message; by default it is handed on. */
  tamper: (message: Relayed) => readonly Relayed[] = (message) => [message];

  join(self: NodeId): Signaling {
    let state: SignalingState = "waiting";
    return {
      get state() {
        return state;
      },
      start: (handlers) => {
        state = "connected";
        const others = [...this.members];
        this.members.set(self, handlers);
        queueMicrotask(() => {
          handlers.onRoster(others.map(([id]) => id));
          for (const [, other] of others) other.onPeerJoined(self);
        });
      },
      send: (to, box) => {
        const message = { from: self, to, box };
        this.relayed.push(message);
        for (const changed of this.tamper(message)) this.deliver(changed);
      },
      refused: () => ({}),
      close: () => {
        state = "off";
        if (!this.members.delete(self)) return;
        for (const [, other] of this.members) queueMicrotask(() => other.onPeerGone(self));
      },
    };
  }

  deliver({ from, to, box }: Relayed): void {
    queueMicrotask(() => this.members.get(to)?.onBox(from, box));
  }
}

function fingerprint(seed: string): string {
  const bytes = Array.from({ length: 32 }, (_, at) => (seed.charCodeAt(at % seed.length) + at) % 256);
  return bytes.map((byte) => byte.toString(16).padStart(2, "0").toUpperCase()).join(":");
}

interface Half {
  readonly mesh: () => PeerMesh;
  readonly self: NodeId;
  readonly initiator: boolean;
  remoteFingerprint: string | null;
  channel: MemoryChannel | null;
}

/** Pages that connect at once whom signaling has brought together. */
export class MemoryPages {
  readonly #halves = new Map<string, Map<NodeId, Half>>();
  /** Both ends of each connection, by its id. */
  readonly channels = new Map<string, [MemoryChannel, MemoryChannel]>();
  /** How many connections each node has made, and has now. */
  readonly dialled = new Map<NodeId, number>();
  /** Somebody between the two, with a certificate of its own. */
  interposed = false;
  /** May alter a pair of channels before they open; the first is the end of who offers. */
  onPair: (pair: [MemoryChannel, MemoryChannel]) => void = () => undefined;
  /** No connection comes about. */
  blocked = false;

  host(self: NodeId, mesh: () => PeerMesh): ConnectionHost {
    return {
      dial: (connectionId, initiator) => {
        const halves = this.#halves.get(connectionId) ?? new Map<NodeId, Half>();
        halves.set(self, { mesh, self, initiator, remoteFingerprint: null, channel: null });
        this.#halves.set(connectionId, halves);
        this.dialled.set(self, (this.dialled.get(self) ?? 0) + 1);
        if (initiator) queueMicrotask(() => mesh().onSignal(connectionId, { type: "offer", sdp: fingerprint(self) }));
      },
      signal: (connectionId, data) => {
        const half = this.#halves.get(connectionId)?.get(self);
        const description = data as { type: string; sdp: string };
        if (half === undefined) return;
        half.remoteFingerprint = description.sdp;
        if (!half.initiator) queueMicrotask(() => mesh().onSignal(connectionId, { type: "answer", sdp: fingerprint(self) }));
        this.#connect(connectionId);
      },
      hangUp: (connectionId) => {
        this.#halves.get(connectionId)?.get(self)?.channel?.close();
        this.#halves.get(connectionId)?.delete(self);
      },
    };
  }

  /** Connections that a node has not hung up. */
  open(self: NodeId): number {
    return [...this.#halves.values()].filter((halves) => halves.has(self)).length;
  }

  #connect(connectionId: string): void {
    const [a, b] = [...(this.#halves.get(connectionId)?.values() ?? [])];
    if (this.blocked || a === undefined || b === undefined || a.remoteFingerprint === null || b.remoteFingerprint === null)
      return;
    const pair = MemoryChannel.pair();
    this.channels.set(connectionId, pair);
    this.onPair(pair);
    for (const [half, channel] of [
      [a, pair[0]],
      [b, pair[1]],
    ] as const) {
      half.channel = channel;
      half.mesh().onChannel(connectionId, channel);
    }
    for (const channel of pair) queueMicrotask(() => channel.open());
    for (const half of [a, b]) {
      const remote = this.interposed ? fingerprint("the one between") : (half.remoteFingerprint ?? "");
      queueMicrotask(() => half.mesh().onConnected(connectionId, { local: fingerprint(half.self), remote }));
    }
  }
}

/** A node's mesh and all that it heard. */
export interface TestNode {
  readonly id: NodeId;
  readonly mesh: PeerMesh;
  readonly messages: Message[];
  readonly up: Set<NodeId>;
  /** What it was told beside up and down: `gone` or `closed`, with the peer's id. */
  readonly hints: string[];
  readonly digests: Digest[];
  readonly events: string[];
}

/** Nodes in one room, in memory and in virtual time. */
export class TestRoom {
  readonly clock = new VirtualClock();
  readonly signaling = new MemorySignaling();
  readonly pages = new MemoryPages();

  private constructor(readonly keys: RoomKeys) {}

  static async create(secret = "AAAAAAAAAAAAAAAAAAAAAA"): Promise<TestRoom> {
    return new TestRoom(await deriveRoomKeys(secret));
  }

  /** Not started. */
  mesh(id: NodeId, options: Partial<PeerMeshOptions> = {}): PeerMesh {
    const mesh: PeerMesh = new PeerMesh({
      self: id,
      keys: this.keys,
      signaling: this.signaling.join(id),
      host: this.pages.host(id, () => mesh),
      clock: this.clock,
      random: () => 0.5,
      ...options,
    });
    return mesh;
  }

  node(id: NodeId, options: Partial<PeerMeshOptions> = {}): TestNode {
    const digests: Digest[] = [];
    const events: string[] = [];
    const messages: Message[] = [];
    const up = new Set<NodeId>();
    const hints: string[] = [];
    const mesh = this.mesh(id, {
      onDigest: (digest) => digests.push(digest),
      onEvent: (text) => events.push(text),
      ...options,
    });
    mesh.start({
      onMessage: (message) => messages.push(message),
      onPeer: (event) => {
        if (event.up) up.add(event.id);
        else up.delete(event.id);
        if (event.hint !== undefined) hints.push(`${event.hint} ${event.id}`);
      },
    });
    return { id, mesh, messages, up, hints, digests, events };
  }

  until(holds: () => boolean): Promise<void> {
    return until(holds, this.clock);
  }
}
