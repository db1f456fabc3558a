import { createServer } from "node:http";
import { afterEach, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import type { IceServer } from "../../signaling-server/protocol.ts";
import { createSignalingServer, type SignalingServer } from "../../signaling-server/server.ts";
import type { Clock } from "../driver/interfaces.ts";
import type { NodeId } from "../raft/types.ts";
import { SignalingClient, type SignalingState, type WebSocketLike } from "./signaling-client.ts";
import { probeSignaling } from "./signaling-probe.ts";

const clock: Clock = {
  now: () => performance.now(),
  wallTime: () => Date.now(),
  soon: (run) => queueMicrotask(run),
  schedule: (at, fire) => {
    // A tenth of the time, so that the test need not wait for whole seconds.
    const timer = setTimeout(fire, (at - performance.now()) / 10);
    return () => clearTimeout(timer);
  },
};

/** Real sockets: until the condition holds or the test's own time is up. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1));
}

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function startServer(port = 0): Promise<SignalingServer> {
  const server = await createSignalingServer({ port });
  cleanups.push(() => server.close());
  return server;
}

/** Node 20 has none of its own; this one has the browser's face. */
const createSocket = (url: string) => new WebSocket(url) as unknown as WebSocketLike;

interface TestClient {
  readonly client: SignalingClient;
  roster: readonly NodeId[] | null;
  readonly joined: NodeId[];
  readonly gone: NodeId[];
  readonly boxes: [NodeId, string][];
  readonly iceServers: IceServer[];
  readonly states: SignalingState[];
}

function join(port: number | null, self: NodeId, itsClock = clock): TestClient {
  const url = port === null ? null : `ws://127.0.0.1:${port}/signal`;
  const client = new SignalingClient({ url, topic: "t".repeat(22), self, clock: itsClock, random: () => 0.5, createSocket });
  const made: TestClient = { client, roster: null, joined: [], gone: [], boxes: [], iceServers: [], states: [] };
  client.start({
    onRoster: (ids) => {
      made.roster = ids;
    },
    onPeerJoined: (id) => made.joined.push(id),
    onPeerGone: (id) => made.gone.push(id),
    onBox: (from, box) => made.boxes.push([from, box]),
    onIceServers: (servers) => made.iceServers.push(...servers),
    onState: (state) => made.states.push(state),
  });
  cleanups.push(() => client.close());
  return made;
}

test("finds the others, talks to them, and hears them go", async () => {
  const { port } = await startServer();
  const a = join(port, "a");
  expect(a.client.state).toBe("waiting");
  await until(() => a.client.state === "connected");
  const b = join(port, "b");
  await until(() => b.roster?.[0] === "a" && a.joined[0] === "b");
  a.client.send("b", "Ym94");
  await until(() => b.boxes.length === 1);
  expect(b.boxes).toEqual([["a", "Ym94"]]);
  b.client.close();
  await until(() => a.gone[0] === "b");
  expect(b.states).toEqual(["connected", "off"]);
});

test("comes back by itself when the server does", async () => {
  const server = await startServer();
  const a = join(server.port, "a");
  await until(() => a.client.state === "connected");
  await server.close();
  await until(() => a.client.state === "waiting");
  a.client.send("b", "bG9zdA");
  await startServer(server.port);
  await until(() => a.client.state === "connected");
  expect(a.states).toEqual(["connected", "waiting", "connected"]);
});

test("without a server it is off and says nothing", () => {
  const a = join(null, "a");
  a.client.send("b", "eA");
  expect(a.client.state).toBe("off");
});

test("an address that is none is counted and tried again, not thrown", async () => {
  const client = new SignalingClient({ url: "nonsense", topic: "t".repeat(22), self: "a", clock, random: () => 0, createSocket });
  cleanups.push(() => client.close());
  client.start({
    onRoster: () => undefined,
    onPeerJoined: () => undefined,
    onPeerGone: () => undefined,
    onBox: () => undefined,
    onIceServers: () => undefined,
    onState: () => undefined,
  });
  await until(() => (client.refused()["signalingUrl"] ?? 0) >= 2);
  expect(client.state).toBe("waiting");
});

test("nonsense from the server is counted and harms nothing", async () => {
  const sockets = new WebSocketServer({ port: 0 });
  cleanups.push(() => sockets.close());
  const bad = [
    "nonsense",
    "{}",
    Buffer.from([1, 2]),
    JSON.stringify({ kind: "relay", from: "b", to: "a", box: "ZWFybHk" }),
    JSON.stringify({ kind: "roster", peers: ["not an id!"] }),
    JSON.stringify({ kind: "error", code: "unheard-of" }),
  ];
  const late = [
    JSON.stringify({ kind: "relay", from: "b", to: "somebody", box: "eA" }),
    JSON.stringify({ kind: "relay", from: "a", to: "a", box: "eA" }),
  ];
  sockets.on("connection", (socket) => {
    socket.on("message", () => {
      for (const text of bad) socket.send(text);
      socket.send(JSON.stringify({ kind: "roster", peers: ["a", "b"] }));
      for (const text of late) socket.send(text);
      socket.send(JSON.stringify({ kind: "error", code: "flooded" }));
      socket.send(JSON.stringify({ kind: "relay", from: "b", to: "a", box: "Z29vZA" }));
    });
  });
  const address = sockets.address();
  if (address === null || typeof address === "string") throw new Error("A TCP server has an address object.");
  const a = join(address.port, "a");
  await until(() => a.boxes.length === 1);
  expect(a.boxes).toEqual([["b", "Z29vZA"]]);
  expect(a.roster).toEqual(["b"]);
  expect(a.client.refused()).toEqual({ badSignaling: bad.length + late.length, "signaling:flooded": 1 });
});

test("of two sockets of one node, the one that was thrown out takes its time to come back", async () => {
  const { port } = await startServer();
  const delays: number[] = [];
  const first = join(port, "a", {
    ...clock,
    schedule: (at, fire) => {
      delays.push(at - clock.now());
      return clock.schedule(at, fire);
    },
  });
  await until(() => first.client.state === "connected");
  const second = join(port, "a");
  await until(() => first.client.refused()["signaling:replaced"] === 1);
  await until(() => first.client.state === "waiting" && second.client.state === "connected");
  expect(delays.at(-1)).toBeGreaterThan(3000);
});

/** A server that is none: files alone, or a proxy whose server is down. */
async function listen(status: number): Promise<number> {
  const server = createServer((_request, response) => response.writeHead(status).end());
  server.on("upgrade", (_request, socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => new Promise((resolve) => server.close(resolve)));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("A TCP server has an address object.");
  return address.port;
}

test.each([
  [404, "absent", ["off"]],
  [200, "absent", ["off"]],
  [502, "unknown", []],
] as const)("a host that answers %i: %s", async (status, found, states) => {
  const port = await listen(status);
  expect(await probeSignaling(`ws://127.0.0.1:${port}/signal`)).toBe(found);
  const a = join(port, "a");
  if (found === "absent") await until(() => a.client.state === "off");
  else await until(() => (a.client.refused()["signalingError"] ?? 0) >= 3);
  expect(a.states).toEqual(states);
});

test("a signaling server that takes nobody is there all the same", async () => {
  const server = await createSignalingServer({ limits: { maxSockets: 0 } });
  cleanups.push(() => server.close());
  expect(await probeSignaling(`ws://127.0.0.1:${server.port}/signal`)).toBe("present");
  expect(await probeSignaling("ws://127.0.0.1:1/signal")).toBe("unknown");
});

test("a server that stops in good order says when to come back, and is not called before", async () => {
  const server = await createSignalingServer({ limits: { reconnectSpreadMs: 60_000 } });
  const delays: number[] = [];
  const spread: Clock = {
    ...clock,
    schedule: (at, fire) => {
      delays.push(at - clock.now());
      return clock.schedule(at, fire);
    },
  };
  const all = Array.from({ length: 10 }, (_, at) => join(server.port, `n${at}`, spread));
  await until(() => all.every(({ client }) => client.state === "connected"));
  delays.length = 0;
  await server.close();
  await until(() => all.every(({ client }) => client.state === "waiting"));
  // Without the hint each would come back within half a second.
  expect(Math.max(...delays)).toBeGreaterThan(2000);
  expect(Math.max(...delays)).toBeLessThanOrEqual(60_000);
});

test("hears of STUN and TURN from the server", async () => {
  const ice = { stunUrls: ["stun:s.example"], turnUrls: [], turnSecret: null, turnLifetimeS: 60 };
  const server = await createSignalingServer({ ice });
  cleanups.push(() => server.close());
  const a = join(server.port, "a");
  await until(() => a.iceServers.length === 1);
  expect(a.iceServers).toEqual([{ urls: ["stun:s.example"] }]);
});
