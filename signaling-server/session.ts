/** One WebSocket from its opening to its end: joins a room, hands sealed messages on, and is shown the door when it misbehaves. */
import type { Logger } from "pino";
import type { RawData, WebSocket } from "ws";
import { type IceConfiguration, iceServersFor } from "./ice.ts";
import { type Limits, TokenBucket } from "./limits.ts";
import type { Metrics, RefusalReason } from "./metrics.ts";
import {
  type ClientMessage,
  parseClientMessage,
  type ServerMessage,
  SIGNALING_ERRORS,
  SIGNALING_VERSION,
  type SignalingErrorCode,
} from "./protocol.ts";
import type { Rooms } from "./rooms.ts";

/** WebSocket close codes (RFC 6455 and its registry). */
const POLICY_VIOLATION = 1008;
const SERVICE_RESTART = 1012;

export interface SessionContext {
  readonly rooms: Rooms<Session>;
  readonly limits: Limits;
  readonly ice: IceConfiguration;
  readonly metrics: Metrics;
  readonly log: Logger;
}

export class Session {
  readonly #bucket: TokenBucket;
  readonly #joinTimer: NodeJS.Timeout;
  #joined: { readonly topic: string; readonly nodeId: string } | null = null;
  #malformed = 0;
  #alive = true;
  #closing = false;
  /** When the credentials that it was given have half of their life behind them. Milliseconds since the epoch. */
  #renewIceAt = Number.POSITIVE_INFINITY;

  constructor(
    private readonly socket: WebSocket,
    private readonly context: SessionContext,
  ) {
    const { limits } = context;
    this.#bucket = new TokenBucket(limits.burst, limits.messagesPerSecond, performance.now());
    this.#joinTimer = setTimeout(() => this.#end("joinTimeout"), limits.joinTimeoutMs);
    socket.on("message", (data, isBinary) => this.#onMessage(data, isBinary));
    socket.on("pong", () => {
      this.#alive = true;
    });
    socket.on("error", (error) => this.#onError(error));
    socket.on("close", () => this.#onClose());
  }

  /** Called at each ping interval: ends the socket if the last ping was not answered. */
  ping(): void {
    if (!this.#alive) {
      this.context.metrics.refuse("deadSocket");
      this.socket.terminate();
      return;
    }
    this.#alive = false;
    this.socket.ping();
    if (Date.now() >= this.#renewIceAt) this.#sendIce();
  }

  /** The server stops: tells when to come back, and closes. */
  restart(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.send({ kind: "stopping", retryMs: Math.floor(Math.random() * (this.context.limits.reconnectSpreadMs + 1)) });
    this.socket.close(SERVICE_RESTART, "stopping");
  }

  send(message: ServerMessage): void {
    if (this.socket.readyState !== this.socket.OPEN) return;
    if (this.socket.bufferedAmount > this.context.limits.maxBufferedBytes) {
      this.context.metrics.refuse("slowReader");
      this.socket.terminate();
      return;
    }
    this.socket.send(JSON.stringify(message));
  }

  #onMessage(data: RawData, isBinary: boolean): void {
    if (this.#closing) return;
    if (!this.#bucket.take(performance.now())) {
      this.#refuse("flooded");
      return;
    }
    if (isBinary) {
      this.context.metrics.refuse("binary");
      this.#refuseMalformed();
      return;
    }
    const message = parseClientMessage(data.toString());
    if (message === null) {
      this.#refuseMalformed();
      return;
    }
    if (message.kind === "join") this.#join(message);
    else this.#relay(message);
  }

  #join(message: Extract<ClientMessage, { kind: "join" }>): void {
    const { topic, nodeId, version } = message;
    if (version !== SIGNALING_VERSION) {
      this.#refuse("otherVersion");
      return;
    }
    if (this.#joined !== null) {
      this.#refuse("alreadyJoined");
      return;
    }
    const { rooms, log } = this.context;
    const outcome = rooms.join(topic, nodeId, this);
    if (typeof outcome === "string") {
      this.#refuse(outcome);
      return;
    }
    clearTimeout(this.#joinTimer);
    this.#joined = { topic, nodeId };
    outcome.replaced?.replace();
    const others = rooms.others(topic, nodeId);
    this.send({ kind: "roster", peers: others.map(([id]) => id) });
    for (const [, other] of others) other.send({ kind: "peer-joined", id: nodeId });
    this.#sendIce();
    log.debug({ room: topic.slice(0, 6), members: others.length + 1 }, "joined");
  }

  #sendIce(): void {
    const { ice } = this.context;
    const servers = this.#joined === null ? [] : iceServersFor(this.#joined.nodeId, ice, Date.now());
    if (servers.length === 0) return;
    this.send({ kind: "ice-servers", servers });
    if (ice.turnSecret !== null) this.#renewIceAt = Date.now() + ice.turnLifetimeS * 500;
  }

  /** A newer socket of the same node has come: this one goes, and nobody is told that the node went. */
  replace(): void {
    this.send({ kind: "error", code: "replaced" });
    this.#close("replaced");
  }

  #relay(message: Extract<ClientMessage, { kind: "relay" }>): void {
    if (this.#joined === null) {
      this.#refuse("notJoined");
      return;
    }
    const { topic, nodeId } = this.#joined;
    const target = message.to === nodeId ? null : this.context.rooms.member(topic, message.to);
    if (target === null) {
      this.#refuse("unknownPeer");
      return;
    }
    target.send({ kind: "relay", from: nodeId, to: message.to, box: message.box });
    this.context.metrics.relay();
  }

  #refuseMalformed(): void {
    this.#malformed += 1;
    this.#refuse("malformed");
    if (this.#malformed >= this.context.limits.maxMalformed) this.#close("malformed");
  }

  #refuse(code: Exclude<SignalingErrorCode, "replaced">): void {
    this.context.metrics.refuse(code);
    this.send({ kind: "error", code });
    if (SIGNALING_ERRORS[code]) this.#close(code);
  }

  #end(reason: RefusalReason): void {
    this.context.metrics.refuse(reason);
    this.#close(reason);
  }

  #close(reason: string): void {
    if (this.#closing) return;
    this.#closing = true;
    // Out of the room now, not when the other side has answered the closing handshake.
    this.#leave();
    this.socket.close(POLICY_VIOLATION, reason);
  }

  #onError(error: Error & { code?: string }): void {
    this.context.metrics.refuse(error.code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH" ? "oversize" : "socketError");
    this.context.log.debug({ error: error.message }, "socket error");
  }

  #onClose(): void {
    this.#closing = true;
    clearTimeout(this.#joinTimer);
    this.#leave();
  }

  #leave(): void {
    if (this.#joined === null) return;
    const { topic, nodeId } = this.#joined;
    this.#joined = null;
    if (!this.context.rooms.leave(topic, nodeId, this)) return;
    for (const [, other] of this.context.rooms.others(topic, nodeId)) other.send({ kind: "peer-gone", id: nodeId });
  }
}
