/** One abusive client of the signaling server, as a process of its own: `signaling-abuser.ts KIND PORT TOPIC`. It goes on until it is ended. */
import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import { WebSocket } from "ws";

const [kind = "", port = "", topic = ""] = process.argv.slice(2);
const url = `ws://127.0.0.1:${port}/signal`;
const soon = () => new Promise<void>((resolve) => setImmediate(resolve));
const later = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const join = (nodeId: string, room = topic) => JSON.stringify({ kind: "join", version: 1, topic: room, nodeId });

/** Opens, does its work until the server closes it, and comes back at once. */
async function again(work: (socket: WebSocket) => Promise<void>): Promise<never> {
  for (;;) {
    const socket = new WebSocket(url);
    const ended = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    socket.on("error", () => undefined);
    await Promise.race([new Promise((resolve) => socket.once("open", resolve)), ended]);
    if (socket.readyState === WebSocket.OPEN) await Promise.race([work(socket), ended]);
    socket.terminate();
    await later(5);
  }
}

async function sendWhileOpen(socket: WebSocket, texts: () => readonly (string | Uint8Array)[]): Promise<void> {
  while (socket.readyState === WebSocket.OPEN) {
    for (const text of texts()) socket.send(text, () => undefined);
    await soon();
  }
}

const kinds: Readonly<Record<string, () => Promise<void>>> = {
  flood: () =>
    again(async (socket) => {
      socket.send(join("flood"));
      const text = JSON.stringify({ kind: "relay", to: "nobody", box: "eA" });
      await sendWhileOpen(socket, () => Array<string>(50).fill(text));
    }),
  oversize: () => again((socket) => sendWhileOpen(socket, () => [Buffer.alloc(1024 * 1024, 120)])),
  garbage: () =>
    again((socket) => sendWhileOpen(socket, () => [randomBytes(2000), "{", "null", randomBytes(500).toString("latin1")])),
  /** Joins as fast as it can, each time in another room or under another name. */
  joins: () =>
    again((socket) =>
      sendWhileOpen(socket, () =>
        Array.from({ length: 100 }, () => join(randomBytes(6).toString("hex"), randomBytes(16).toString("base64url"))),
      ),
    ),
  /** One that does not read, and one that has much to say to it. */
  async slowReader() {
    const slow = new WebSocket(url);
    slow.on("error", () => undefined);
    await new Promise((resolve) => slow.once("open", resolve));
    slow.send(join("slow"));
    await new Promise((resolve) => slow.once("message", resolve));
    slow.pause();
    await again(async (socket) => {
      socket.send(join("talker"));
      const text = JSON.stringify({ kind: "relay", to: "slow", box: "x".repeat(59_000) });
      for (;;) {
        socket.send(text, () => undefined);
        await later(25);
      }
    });
  },
  /** Begins to ask, never to the end, and holds on. */
  async halfOpen() {
    const open = new Set<Socket>();
    for (;;) {
      while (open.size < 200) {
        const socket = connect(Number(port), "127.0.0.1");
        open.add(socket);
        socket.on("error", () => undefined);
        socket.once("close", () => open.delete(socket));
        socket.write(`GET /signal HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: webs`);
      }
      await later(20);
    }
  },
};

const run = kinds[kind];
if (run === undefined) throw new Error(`Kinds: ${Object.keys(kinds).join(", ")}`);
process.stdout.write("ready\n");
await run();
