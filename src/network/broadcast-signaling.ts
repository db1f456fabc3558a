/**
 * The way to the tabs of the same browser, without any server: a BroadcastChannel of the room's topic. Each node holds a Web Lock for as long as
 * its worker lives; whoever knows of it waits for that lock, so the end of a tab, crash included, is known within milliseconds. The boxes are
 * sealed as they are for a server, since any script of the origin may listen.
 */
import * as v from "valibot";
import { MAX_BOX_LENGTH } from "../../signaling-server/protocol.ts";
import type { NodeId } from "../raft/types.ts";
import { isNodeId } from "./bytes.ts";
import { Counters } from "./counters.ts";
import type { Signaling, SignalingHandlers, SignalingState } from "./signaling-client.ts";

const nodeId = v.pipe(v.string(), v.check(isNodeId));
const said = v.variant("kind", [
  /** `asks`: it has just come, and wants to know who else is here. */
  v.strictObject({ kind: v.literal("here"), id: nodeId, asks: v.boolean() }),
  v.strictObject({ kind: v.literal("relay"), from: nodeId, to: nodeId, box: v.pipe(v.string(), v.maxLength(MAX_BOX_LENGTH)) }),
]);
type Said = v.InferOutput<typeof said>;

/** As much of a BroadcastChannel as is used. */
export interface BroadcastLike {
  onmessage: ((event: MessageEvent) => void) | null;
  postMessage(data: unknown): void;
  close(): void;
}

/** As much of the browser's LockManager as is used. */
export interface PresenceLocks {
  request(
    name: string,
    options: { readonly mode: "exclusive" | "shared"; readonly signal: AbortSignal },
    callback: () => Promise<void>,
  ): Promise<unknown>;
}

export interface BroadcastSignalingOptions {
  readonly topic: string;
  readonly self: NodeId;
  readonly locks: PresenceLocks;
  readonly createChannel?: (name: string) => BroadcastLike;
}

/** Peers of one browser that are listened to. */
const MAX_PEERS = 1024;

export class BroadcastSignaling implements Signaling {
  readonly #counters = new Counters();
  readonly #here = new Set<NodeId>();
  readonly #over = new AbortController();
  #handlers: SignalingHandlers | null = null;
  #channel: BroadcastLike | null = null;
  #letGo: () => void = () => undefined;

  constructor(private readonly options: BroadcastSignalingOptions) {}

  get state(): SignalingState {
    return this.#channel === null ? "off" : "connected";
  }

  refused(): { readonly [reason: string]: number } {
    return this.#counters.all();
  }

  start(handlers: SignalingHandlers): void {
    this.#handlers = handlers;
    const { topic, self } = this.options;
    const held = new Promise<void>((resolve) => {
      this.#letGo = resolve;
    });
    // Others wait for this lock as soon as they hear of this node, so it is held first.
    this.#lock(self, "exclusive", () => {
      const createChannel = this.options.createChannel ?? ((name: string): BroadcastLike => new BroadcastChannel(name));
      this.#channel = createChannel(`tabraft:${topic}`);
      this.#channel.onmessage = (event) => this.#receive(event.data);
      this.#say({ kind: "here", id: self, asks: true });
      return held;
    });
  }

  send(to: NodeId, box: string): void {
    this.#say({ kind: "relay", from: this.options.self, to, box });
  }

  close(): void {
    this.#over.abort();
    this.#letGo();
    if (this.#channel !== null) this.#channel.onmessage = null;
    this.#channel?.close();
    this.#channel = null;
    this.#here.clear();
  }

  #say(message: Said): void {
    this.#channel?.postMessage(message);
  }

  #receive(data: unknown): void {
    const result = v.safeParse(said, data, { abortEarly: true });
    const { self } = this.options;
    if (!result.success) this.#counters.add("badBroadcast");
    else if (result.output.kind === "here") this.#onHere(result.output.id, result.output.asks);
    else if (result.output.to === self && result.output.from !== self)
      this.#handlers?.onBox(result.output.from, result.output.box);
  }

  #onHere(id: NodeId, asks: boolean): void {
    const { self } = this.options;
    if (id === self) return;
    if (asks) this.#say({ kind: "here", id: self, asks: false });
    if (!this.#here.has(id)) {
      if (this.#here.size >= MAX_PEERS) {
        this.#counters.add("tooManyPeers");
        return;
      }
      this.#here.add(id);
      this.#watch(id);
    } else if (!asks) return;
    this.#handlers?.onPeerJoined(id);
  }

  /** Shared, so that all who wait get it at once, and whoever starts that node anew need not wait for one after the other. */
  #watch(id: NodeId): void {
    this.#lock(id, "shared", async () => {
      if (this.#channel !== null && this.#here.delete(id)) this.#handlers?.onPeerGone(id);
    });
  }

  #lock(id: NodeId, mode: "exclusive" | "shared", work: () => Promise<void>): void {
    const name = `tabraft-here:${this.options.topic}/${id}`;
    this.options.locks.request(name, { mode, signal: this.#over.signal }, work).catch((error: unknown) => {
      if (!this.#over.signal.aborted) this.#counters.add(`locks:${error instanceof Error ? error.name : "error"}`);
    });
  }
}
