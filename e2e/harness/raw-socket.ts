/** A program that speaks WebSocket to the signaling server and is no tab: for what no tab would say. */
import { WebSocket } from "ws";
import { until } from "./until.ts";

/** What the server says, as far as tests look at it. */
export interface Said {
  readonly kind: string;
  readonly code?: string;
  readonly peers?: readonly string[];
  readonly from?: string;
  readonly box?: string;
}

export class RawSocket {
  readonly received: Said[] = [];
  /** The close code. */
  readonly closed: Promise<number>;

  private constructor(private readonly socket: WebSocket) {
    socket.on("message", (data) => this.received.push(JSON.parse(String(data)) as Said));
    this.closed = new Promise((resolve) => socket.once("close", resolve));
  }

  /** Rejects if the server refuses it. */
  static async open(url: string, origin?: string): Promise<RawSocket> {
    const socket = new WebSocket(url, origin === undefined ? {} : { origin });
    const raw = new RawSocket(socket);
    await new Promise((resolve, reject) => {
      socket.once("open", resolve);
      socket.once("error", reject);
    });
    // What follows an error is a close, which tests wait for.
    socket.on("error", () => undefined);
    return raw;
  }

  send(data: string | Uint8Array): void {
    this.socket.send(data);
  }

  /** The first of what the server said that passes. */
  async untilSaid(what: string, passes: (said: Said) => boolean): Promise<Said> {
    const ask = async () => this.received.find(passes) ?? null;
    return await until(what, ask, async () => JSON.stringify(this.received));
  }

  close(): void {
    this.socket.terminate();
  }
}
