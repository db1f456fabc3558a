/** The signaling server: one port for the page, the WebSocket of the rooms, the health check and the figures. It stores nothing. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type Logger, pino } from "pino";
import { WebSocketServer } from "ws";
import { AddressCounts, addressOf } from "./addresses.ts";
import { type IceConfiguration, NO_ICE } from "./ice.ts";
import { DEFAULT_LIMITS, type Limits } from "./limits.ts";
import { Metrics, type RefusalReason } from "./metrics.ts";
import { MAX_SIGNALING_BYTES, SIGNALING_PATH } from "./protocol.ts";
import { Rooms } from "./rooms.ts";
import { Session } from "./session.ts";
import { respondText, serveStatic } from "./static.ts";

export interface SignalingServerOptions {
  /** 0, the default, takes a free one. */
  readonly port?: number;
  /** The address to listen on; 127.0.0.1 by default, so that only this machine can reach it. */
  readonly host?: string;
  /** The folder of the built page; `null` or absent: no page is served. */
  readonly dist?: string | null;
  /** Origins (`https://example.org`) whose pages may connect, beside pages of the host that is asked. */
  readonly allowedOrigins?: readonly string[];
  readonly limits?: Partial<Limits>;
  /** So many proxies of one's own stand before it; their word on who asks counts. Default 0. */
  readonly trustedProxies?: number;
  /** STUN and TURN for those that join; by default none. */
  readonly ice?: IceConfiguration;
  readonly log?: Logger;
}

export interface SignalingServer {
  readonly port: number;
  readonly address: string;
  /** How often something was refused for this reason since the start. */
  refused(reason: RefusalReason): number;
  /** Ends every socket and stops listening. Resolves when all are gone. */
  close(): Promise<void>;
}

/** Rejects with the system's error, such as EADDRINUSE, if it cannot listen. */
export async function createSignalingServer(options: SignalingServerOptions = {}): Promise<SignalingServer> {
  const hub = new Hub(options);
  return hub.listen(options.port ?? 0, options.host ?? "127.0.0.1");
}

/** How often refusals are logged, summed up. Milliseconds. */
const REFUSAL_LOG_MS = 60_000;
/** Connections that are no WebSocket: the page being loaded, and whoever says nothing. */
const SPARE_CONNECTIONS = 1000;

class Hub {
  readonly #limits: Limits;
  readonly #log: Logger;
  readonly #rooms: Rooms<Session>;
  readonly #sessions = new Set<Session>();
  readonly #metrics: Metrics;
  readonly #http: Server;
  readonly #sockets: WebSocketServer;
  readonly #addresses: AddressCounts;
  readonly #timers: NodeJS.Timeout[] = [];

  constructor(private readonly options: SignalingServerOptions) {
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#log = options.log ?? pino({ level: "silent" });
    this.#addresses = new AddressCounts(this.#limits.maxSocketsPerAddress);
    this.#rooms = new Rooms(this.#limits.maxRooms, this.#limits.maxMembersPerRoom);
    this.#metrics = new Metrics({ sockets: () => this.#sessions.size, rooms: () => this.#rooms.size });
    this.#sockets = new WebSocketServer({
      noServer: true,
      maxPayload: MAX_SIGNALING_BYTES,
      perMessageDeflate: false,
      clientTracking: true,
    });
    const timeouts = {
      requestTimeout: 10_000,
      headersTimeout: 10_000,
      connectionsCheckingInterval: 2000,
      keepAliveTimeout: 5000,
    };
    this.#http = createServer(timeouts, (request, response) => {
      this.#onRequest(request, response).catch((error: unknown) => {
        this.#log.error({ error: String(error) }, "request failed");
        response.destroy();
      });
    });
    this.#http.maxConnections = this.#limits.maxSockets + SPARE_CONNECTIONS;
    this.#http.on("clientError", (_error, socket) => this.#refuseUpgrade(socket, 400, "badRequest"));
    this.#http.on("upgrade", (request, socket, head) => this.#onUpgrade(request, socket, head));
  }

  async listen(port: number, host: string): Promise<SignalingServer> {
    await new Promise<void>((resolve, reject) => {
      this.#http.once("error", reject);
      this.#http.listen(port, host, () => {
        this.#http.off("error", reject);
        resolve();
      });
    });
    this.#http.on("error", (error) => this.#log.error({ error: error.message }, "server error"));
    this.#every(this.#limits.pingIntervalMs, () => {
      for (const session of this.#sessions) session.ping();
    });
    this.#every(REFUSAL_LOG_MS, () => this.#logRefusals());
    const bound = this.#http.address();
    if (bound === null || typeof bound === "string") throw new Error("A TCP server has an address object once it listens.");
    return {
      port: bound.port,
      address: bound.address,
      refused: (reason) => this.#metrics.refused(reason),
      close: () => this.#close(),
    };
  }

  async #onRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.setHeader("Allow", "GET, HEAD");
      respondText(response, 405, "Only GET and HEAD are answered here.");
      return;
    }
    const path = request.url?.split("?", 1)[0];
    if (path === "/healthz") {
      respondText(response, 200, "ok");
      return;
    }
    if (path === "/metrics") {
      response.writeHead(200, { "Content-Type": this.#metrics.contentType, "Cache-Control": "no-store" });
      response.end(await this.#metrics.text());
      return;
    }
    if (path === SIGNALING_PATH) {
      respondText(response, 426, "This address speaks WebSocket.");
      return;
    }
    const { dist } = this.options;
    if (dist === undefined || dist === null) {
      respondText(response, 404, "No page is served here.");
      return;
    }
    await serveStatic(dist, request, response);
  }

  #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // Until ws takes over nobody else listens, and an unheard error would end the process.
    const onError = () => this.#metrics.refuse("socketError");
    socket.on("error", onError);
    if (request.url?.split("?", 1)[0] !== SIGNALING_PATH) {
      this.#refuseUpgrade(socket, 404, "wrongPath");
      return;
    }
    if (!this.#originAllowed(request)) {
      this.#refuseUpgrade(socket, 403, "wrongOrigin");
      return;
    }
    if (this.#sessions.size >= this.#limits.maxSockets) {
      this.#refuseUpgrade(socket, 503, "tooManySockets");
      return;
    }
    const address = addressOf(request, this.options.trustedProxies ?? 0);
    if (!this.#addresses.hasRoom(address)) {
      this.#refuseUpgrade(socket, 429, "tooManySocketsOfAddress");
      return;
    }
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) => {
      socket.off("error", onError);
      const session = new Session(webSocket, {
        rooms: this.#rooms,
        limits: this.#limits,
        ice: this.options.ice ?? NO_ICE,
        metrics: this.#metrics,
        log: this.#log,
      });
      this.#sessions.add(session);
      this.#addresses.add(address);
      webSocket.on("close", () => {
        this.#sessions.delete(session);
        this.#addresses.remove(address);
      });
    });
  }

  /** A browser always says which page asks; a program that says nothing could as well lie, so it is let in. */
  #originAllowed(request: IncomingMessage): boolean {
    const { origin, host } = request.headers;
    if (origin === undefined) return true;
    if (this.options.allowedOrigins?.includes(origin) === true) return true;
    return host !== undefined && (origin === `http://${host}` || origin === `https://${host}`);
  }

  #refuseUpgrade(socket: Duplex, status: 400 | 403 | 404 | 429 | 503, reason: RefusalReason): void {
    this.#metrics.refuse(reason);
    if (socket.writable) socket.end(`HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    else socket.destroy();
    // A peer that never closes its half must not hold the socket.
    (socket as Socket).setTimeout(1000, () => socket.destroy());
  }

  #every(ms: number, work: () => void): void {
    const timer = setInterval(work, ms);
    timer.unref();
    this.#timers.push(timer);
  }

  /** Summed up, since whoever floods the server must not flood its log. */
  #logRefusals(): void {
    const refused = this.#metrics.takeRefused();
    if (Object.keys(refused).length === 0) return;
    this.#log.warn({ refused, sockets: this.#sessions.size, rooms: this.#rooms.size }, "refused");
  }

  async #close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#logRefusals();
    const stopped = new Promise<void>((resolve) => this.#http.close(() => resolve()));
    for (const session of this.#sessions) session.restart();
    this.#http.closeIdleConnections();
    const late = setTimeout(() => {
      for (const socket of this.#sockets.clients) socket.terminate();
      this.#http.closeAllConnections();
    }, this.#limits.closeTimeoutMs);
    await stopped;
    clearTimeout(late);
  }
}
