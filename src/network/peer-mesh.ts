/**
 * The connections of one node to the others of its room, as the network that Raft sends on. The node with the higher id offers, so the two of
 * a pair never offer at once; the other one knocks when it misses a connection. One connection per pair is live; a newer one takes its place
 * once its handshake has succeeded, never before, so nothing that a hostile server repeats or makes up can end a connection that works.
 */
import type { RaftNetwork } from "../driver/interfaces.ts";
import type { Message, Millis, NodeId } from "../raft/types.ts";
import { Backoff } from "./backoff.ts";
import { toBase64Url } from "./base64url.ts";
import type { ChannelLike } from "./channel.ts";
import type { Body } from "./codec.ts";
import { Connection, type EndReason } from "./connection.ts";
import { Counters } from "./counters.ts";
import type { Digest, PeerStatus } from "./digest.ts";
import type { Lane } from "./frames.ts";
import type { Fingerprints } from "./handshake.ts";
import { LinkFaults } from "./link-faults.ts";
import { EVERYBODY, type PeerMeshOptions, type PeerPolicy } from "./mesh-options.ts";
import { MessageFaults } from "./message-faults.ts";
import { checkSignalData, type PeerSignal, type SignalData } from "./peer-signals.ts";
import { type Peer, PeerTable } from "./peer-table.ts";
import { SealedSignaling } from "./sealed-signaling.ts";

const PING_INTERVAL_MS: Millis = 1000;
const FIRST_RETRY_MS: Millis = 500;
const LAST_RETRY_MS: Millis = 15_000;
/** From dialling to the handshake's success. */
const ATTEMPT_TIMEOUT_MS: Millis = 15_000;
/** Offers of one peer that come faster than this are refused: each costs a peer connection. */
const LEAST_OFFER_GAP_MS: Millis = 200;
/** How long a connection whose handshake failed is left open, so that the other end can read why. */
const LINGER_MS: Millis = 1000;
const MAX_ENDED_IDS = 256;
/** Connections at once, made or being made: each costs the browser memory, sockets and, while many stand, time. */
const MAX_CONNECTIONS = 64;

type Handlers = Parameters<RaftNetwork["start"]>[0];

export class PeerMesh implements RaftNetwork {
  readonly #counters = new Counters();
  readonly #peers: PeerTable;
  /** So that what comes late for an ended connection is known as such. */
  readonly #endedIds = new Set<string>();
  readonly #sealed: SealedSignaling;
  readonly #faults: LinkFaults;
  readonly #messageFaults: MessageFaults;
  readonly #policy: PeerPolicy;
  readonly #maxConnections: number;
  #iceServers: readonly RTCIceServer[];
  #handlers: Handlers | null = null;
  #digest: Digest | null = null;
  #cancelPing: () => void = () => undefined;
  #closed = false;

  constructor(private readonly options: PeerMeshOptions) {
    this.#faults = options.faults ?? new LinkFaults();
    this.#messageFaults = options.messageFaults ?? new MessageFaults(options.clock, options.random);
    this.#policy = options.policy ?? EVERYBODY;
    this.#maxConnections = options.maxConnections ?? MAX_CONNECTIONS;
    this.#iceServers = options.iceServers ?? [];
    this.#peers = new PeerTable(options.self, () => new Backoff(FIRST_RETRY_MS, LAST_RETRY_MS, options.random));
    this.#sealed = new SealedSignaling({
      self: options.self,
      keys: options.keys,
      signaling: options.signaling,
      onSignal: (from, signal) => this.#onPeerSignal(from, signal),
      onRefused: (reason) => this.#counters.add(reason),
    });
    this.#faults.onHeal(() => this.#onHeal());
  }

  start(handlers: Handlers): void {
    this.#handlers = handlers;
    this.options.signaling.start({
      onRoster: (ids) => this.#onRoster(ids),
      onPeerJoined: (id) => this.#onPeerJoined(id),
      onPeerGone: (id) => this.#onPeerGone(id),
      onBox: (from, box) => this.#sealed.receive(from, box),
      onIceServers: (servers) => {
        this.#iceServers = servers as readonly RTCIceServer[];
      },
      onState: (state) => this.options.onSignalingState?.(state),
    });
    this.#armPing();
  }

  /** Snapshots give way to everything else: a heartbeat does not wait for them. */
  send(message: Message): void {
    const lane = message.kind === "installSnapshot" ? "bulk" : "control";
    this.#sendTo(this.#peers.get(message.to), { kind: "raft", message }, lane);
  }

  /** Tells all peers, those to come as well. */
  publish(digest: Digest): void {
    this.#digest = digest;
    for (const peer of this.#peers) this.#sendTo(peer, { kind: "digest", digest });
  }

  /** All that are there or were connected once, by id. */
  peers(): PeerStatus[] {
    // Where signaling is away for a while, nobody can tell who has gone.
    return this.#peers.statuses(this.options.clock.now(), this.options.signaling.state !== "waiting");
  }

  /** The policy's answers have changed: unwanted connections end, wanted ones are made. */
  reconsider(): void {
    for (const peer of this.#peers) {
      if (this.#policy.wants(peer.id)) this.#reach(peer, 0);
      else if (!this.#policy.accepts(peer.id)) (peer.live ?? peer.attempt)?.end("unwanted", false, "it is not needed any more");
    }
  }

  /** Whether a tab that is there could not be talked to, since one of the two is of another version of this program. */
  otherVersion(): "newer" | "older" | null {
    return this.#peers.otherVersion();
  }

  /** How often something of peers or signaling was refused or dropped, by reason. */
  refused(): { readonly [reason: string]: number } {
    return { ...this.options.signaling.refused(), ...this.#counters.all() };
  }

  /** The page: what the other side of this connection must be told. */
  onSignal(connectionId: string, data: unknown): void {
    const peer = this.#peers.ofConnection(connectionId);
    const checked = checkSignalData(data);
    if (checked === null) this.#counters.add("badPageSignal");
    else if (peer !== null) this.#sealed.send(peer.id, { kind: "signal", connectionId, data: checked });
  }

  /** The page: the channel for the node's own bytes, open already or not. */
  onChannel(connectionId: string, channel: ChannelLike): void {
    const connection = this.#peers.connection(connectionId);
    if (connection === null) channel.close();
    else connection.attach(channel);
  }

  /** The page: the certificates' fingerprints, from the connection's actual descriptions. */
  onConnected(connectionId: string, fingerprints: Fingerprints): void {
    this.#peers.connection(connectionId)?.fingerprints(fingerprints);
  }

  /** The page: the connection has ended or failed. `reason`: in words; `closed`: the other side closed it. */
  onClosed(connectionId: string, reason: string): void {
    this.#peers.connection(connectionId)?.end(reason === "closed" ? "closedByPeer" : "failed", false, reason);
  }

  close(): void {
    this.#closed = true;
    this.#cancelPing();
    for (const peer of this.#peers) {
      peer.cancelRetry?.();
      peer.cancelAttemptTimeout();
      for (const connection of [peer.attempt, peer.live]) {
        connection?.stop();
        if (connection) this.options.host.hangUp(connection.id);
      }
      peer.attempt = null;
      peer.live = null;
    }
    this.options.signaling.close();
  }

  // Signaling

  #onRoster(ids: readonly NodeId[]): void {
    const there = new Set(ids);
    for (const peer of this.#peers) peer.listed = there.has(peer.id);
    for (const id of there) this.#onPeerJoined(id);
  }

  #onPeerJoined(id: NodeId): void {
    const peer = this.#peers.add(id);
    if (peer === null) {
      this.#counters.add("tooManyPeers");
      return;
    }
    peer.listed = true;
    // It is new there: whatever kept it away before is over.
    peer.backoff.reset();
    this.#reach(peer, 0);
    // It may have started anew and not know of the connection that we believe in.
    peer.live?.suspect();
  }

  #onPeerGone(id: NodeId): void {
    const peer = this.#peers.get(id);
    if (peer === undefined) return;
    peer.listed = false;
    if (peer.live === null) return;
    this.#handlers?.onPeer({ id, up: true, hint: "gone", roundTripMs: peer.live.roundTripMs });
    peer.live?.suspect();
  }

  #onPeerSignal(from: NodeId, signal: PeerSignal): void {
    const peer = this.#peers.add(from);
    if (peer === null || this.#closed || !this.#reachable(peer)) return;
    if (signal.kind === "knock") this.#onKnock(peer);
    else if (this.#peers.ofConnection(signal.connectionId) === peer) {
      if (peer.attempt?.id === signal.connectionId) peer.attemptAnswered = true;
      this.options.host.signal(signal.connectionId, signal.data);
    } else this.#onUnknownConnection(peer, signal.connectionId, signal.data);
  }

  #onKnock(peer: Peer): void {
    if (!this.#offersTo(peer)) this.#counters.add("wrongInitiator");
    else if (!this.#mayConnect(peer)) this.#counters.add("unwantedPeer");
    else if (peer.attempt !== null) this.#restartUnanswered(peer, peer.attempt);
    else if (peer.cancelRetry === null || peer.live === null) this.#plan(peer, peer.live === null ? 0 : peer.backoff.next());
  }

  /** Whoever knocks has not taken up our offer of a while ago: it was lost, or the way was cut. */
  #restartUnanswered(peer: Peer, attempt: Connection): void {
    if (peer.attemptAnswered || this.options.clock.now() - peer.attemptAt < FIRST_RETRY_MS) return;
    this.#hangUp(attempt);
    peer.attempt = null;
    this.#plan(peer, 0);
  }

  #onUnknownConnection(peer: Peer, connectionId: string, data: SignalData): void {
    const { clock, host } = this.options;
    const now = clock.now();
    if (data.type !== "offer" || this.#endedIds.has(connectionId)) this.#counters.add("staleSignal");
    else if (this.#offersTo(peer)) this.#counters.add("wrongInitiator");
    else if (!this.#mayConnect(peer)) this.#counters.add("unwantedPeer");
    else if (now - peer.lastOfferAt < LEAST_OFFER_GAP_MS) this.#counters.add("tooManyOffers");
    else {
      peer.lastOfferAt = now;
      this.#attempt(peer, connectionId, false);
      host.dial(connectionId, false, this.#iceServers);
      host.signal(connectionId, data);
    }
  }

  // Dialling

  #offersTo(peer: Peer): boolean {
    return this.options.self > peer.id;
  }

  /** Whether one more connection, with this peer, is wanted by either and within the bound. */
  #mayConnect(peer: Peer): boolean {
    if (!this.#policy.wants(peer.id) && !this.#policy.accepts(peer.id)) return false;
    if (peer.live !== null || peer.attempt !== null) return true;
    return this.#peers.connections() < this.#maxConnections;
  }

  #reachable(peer: Peer): boolean {
    return this.#faults.passes(peer.id, "in") && this.#faults.passes(peer.id, "out");
  }

  /** Sees to it that there will be a connection. */
  #reach(peer: Peer, delayMs: Millis): void {
    if (this.#closed || !peer.listed || peer.live !== null || peer.attempt !== null) return;
    if (this.#policy.wants(peer.id) && this.#mayConnect(peer)) this.#plan(peer, delayMs);
  }

  #plan(peer: Peer, delayMs: Millis): void {
    peer.cancelRetry?.();
    const { clock } = this.options;
    peer.cancelRetry = clock.schedule(clock.now() + delayMs, () => {
      peer.cancelRetry = null;
      if (this.#closed || peer.attempt !== null || !this.#reachable(peer)) return;
      if (this.#offersTo(peer)) this.#dial(peer);
      else if (peer.live === null && peer.listed) this.#knock(peer);
    });
  }

  #dial(peer: Peer): void {
    const connectionId = toBase64Url(crypto.getRandomValues(new Uint8Array(16)));
    this.#attempt(peer, connectionId, true);
    this.options.host.dial(connectionId, true, this.#iceServers);
  }

  /** Again and again, until the other has offered. */
  #knock(peer: Peer): void {
    this.#sealed.send(peer.id, { kind: "knock" });
    this.#plan(peer, Math.max(peer.backoff.next(), FIRST_RETRY_MS));
  }

  #attempt(peer: Peer, connectionId: string, initiator: boolean): void {
    if (peer.attempt !== null) this.#hangUp(peer.attempt);
    peer.cancelAttemptTimeout();
    peer.cancelRetry?.();
    peer.cancelRetry = null;
    const { self, keys, clock, generation } = this.options;
    const connection: Connection = new Connection({
      id: connectionId,
      self,
      peer: peer.id,
      initiator,
      authKey: keys.authKey,
      generation: generation?.() ?? null,
      clock,
      defer: (run) => clock.soon(run),
      carry: (direction, deliver) => {
        if (this.#faults.passes(peer.id, direction)) this.#messageFaults.carry(deliver);
      },
      onTraffic: (direction, bytes) => this.options.onTraffic?.(direction, bytes),
      onUp: () => this.#onUp(peer, connection),
      onBody: (body) => this.#onBody(peer, body),
      onAnswer: () => peer.backoff.reset(),
      onDropped: (code) => this.#counters.add(code),
      onEnd: (reason) => this.#onEnd(peer, connection, reason),
    });
    peer.attempt = connection;
    peer.attemptAt = clock.now();
    peer.attemptAnswered = false;
    peer.cancelAttemptTimeout = clock.schedule(clock.now() + ATTEMPT_TIMEOUT_MS, () => connection.end("noConnection"));
  }

  #hangUp(connection: Connection): void {
    connection.stop();
    this.#forget(connection.id);
    this.options.host.hangUp(connection.id);
  }

  #forget(connectionId: string): void {
    this.#endedIds.add(connectionId);
    const [oldest] = this.#endedIds;
    if (this.#endedIds.size > MAX_ENDED_IDS && oldest !== undefined) this.#endedIds.delete(oldest);
  }

  // Connections

  #onUp(peer: Peer, connection: Connection): void {
    peer.cancelAttemptTimeout();
    peer.attempt = null;
    peer.refusedFor = null;
    const old = peer.live;
    peer.live = connection;
    if (old !== null) {
      this.#hangUp(old);
      this.#handlers?.onPeer({ id: peer.id, up: false });
    }
    this.options.onEvent?.(`Connected to ${this.#nameOf(peer)}.`);
    this.#handlers?.onPeer({ id: peer.id, up: true });
    if (this.#digest !== null) this.#sendTo(peer, { kind: "digest", digest: this.#digest });
  }

  #onEnd(peer: Peer, connection: Connection, reason: EndReason): void {
    const { clock, host } = this.options;
    if (reason.refused) this.#counters.add(reason.code);
    this.#forget(connection.id);
    if (reason.lingers) clock.schedule(clock.now() + LINGER_MS, () => host.hangUp(connection.id));
    else host.hangUp(connection.id);
    if (peer.attempt === connection) {
      peer.cancelAttemptTimeout();
      peer.attempt = null;
      peer.refusedFor = reason.refused ? reason.code : null;
      if (reason.refused) this.options.onEvent?.(`${this.#nameOf(peer)} was refused: ${reason.words}`);
    } else if (peer.live === connection) {
      peer.lastHeardAt = connection.lastHeardAt;
      peer.live = null;
      this.options.onEvent?.(`Lost ${this.#nameOf(peer)}: ${reason.words}.`);
      const { roundTripMs } = connection;
      const closed = reason.code === "closedByPeer";
      this.#handlers?.onPeer({ id: peer.id, up: false, ...(closed ? { hint: "closed", roundTripMs } : {}) });
    }
    if (reason.refused) peer.backoff.slowest();
    this.#reach(peer, peer.backoff.next());
  }

  #onBody(peer: Peer, body: Exclude<Body, { kind: "ping" | "pong" }>): void {
    if (body.kind === "raft") {
      this.#handlers?.onMessage(body.message);
    } else {
      peer.digest = body.digest;
      this.options.onDigest?.(body.digest);
    }
  }

  #onHeal(): void {
    for (const peer of this.#peers) {
      if (peer.attempt !== null) this.#hangUp(peer.attempt);
      peer.attempt = null;
      peer.backoff.reset();
      this.#reach(peer, 0);
      peer.live?.suspect();
    }
  }

  #armPing(): void {
    const { clock } = this.options;
    this.#cancelPing = clock.schedule(clock.now() + PING_INTERVAL_MS, () => {
      for (const peer of this.#peers) peer.live?.turn();
      this.#armPing();
    });
  }

  // Look-ups

  #sendTo(peer: Peer | undefined, body: Body, lane: Lane = "control"): void {
    peer?.live?.send(body, lane);
  }

  #nameOf(peer: Peer): string {
    return peer.digest?.name ?? `node ${peer.id.slice(0, 6)}`;
  }
}
