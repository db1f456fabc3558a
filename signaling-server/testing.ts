/** For tests: a WebSocket client that keeps what it hears and lets a test wait for it. */
import { once } from "node:events";
import { WebSocket } from "ws";
import { type ClientMessage, parseServerMessage, type ServerMessage, SIGNALING_PATH, SIGNALING_VERSION } from "./protocol.ts";
import type { SignalingServer } from "./server.ts";

export const TOPIC = "a".repeat(22);

export class TestClient {
  readonly heard: ServerMessage[] = [];
  readonly closed: Promise<number>;
  #wake: () => void = () => undefined;

  private constructor(readonly socket: WebSocket) {
    socket.on("message", (data) => {
      const message = parseServerMessage(data.toString());
      if (message === null) throw new Error(`The server said what no client understands: ${data}`);
      this.heard.push(message);
      this.#wake();
    });
    socket.on("error", () => undefined);
    this.closed = new Promise((resolve) => socket.on("close", resolve));
  }

  static async open(
    server: SignalingServer,
    options: { readonly origin?: string; readonly headers?: Readonly<Record<string, string>> } = {},
  ): Promise<TestClient> {
    const client = new TestClient(new WebSocket(`ws://127.0.0.1:${server.port}${SIGNALING_PATH}`, options));
    await once(client.socket, "open");
    return client;
  }

  static async joined(server: SignalingServer, nodeId: string, topic = TOPIC): Promise<TestClient> {
    const client = await TestClient.open(server);
    client.send({ kind: "join", version: SIGNALING_VERSION, topic, nodeId });
    await client.hear("roster");
    return client;
  }

  send(message: ClientMessage): void {
    this.socket.send(JSON.stringify(message));
  }

  /** The first message of this kind, heard already or to come; it is taken off the list. */
  async hear<Kind extends ServerMessage["kind"]>(kind: Kind): Promise<Extract<ServerMessage, { kind: Kind }>> {
    for (;;) {
      const at = this.heard.findIndex((message) => message.kind === kind);
      const message = this.heard[at];
      if (message !== undefined) {
        this.heard.splice(at, 1);
        return message as Extract<ServerMessage, { kind: Kind }>;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  close(): void {
    this.socket.close();
  }
}
