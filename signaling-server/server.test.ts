import { createHmac } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { iceServersFor, NO_ICE } from "./ice.ts";
import { MAX_SIGNALING_BYTES, SIGNALING_PATH, SIGNALING_VERSION } from "./protocol.ts";
import { createSignalingServer, type SignalingServer, type SignalingServerOptions } from "./server.ts";
import { TestClient, TOPIC } from "./testing.ts";

const open: SignalingServer[] = [];
async function start(options: SignalingServerOptions = {}): Promise<SignalingServer> {
  const server = await createSignalingServer(options);
  open.push(server);
  return server;
}
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

/** The status with which the upgrade is refused. */
async function refusedUpgrade(server: SignalingServer, path: string, origin?: string): Promise<number | undefined> {
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}${path}`, origin === undefined ? {} : { origin });
  socket.on("error", () => undefined);
  const [request, response] = await once(socket, "unexpected-response");
  response.resume();
  request.destroy();
  return response.statusCode;
}

describe("rooms", () => {
  test("a joiner hears who is there, and they hear of it", async () => {
    const server = await start();
    const a = await TestClient.joined(server, "a");
    const b = await TestClient.open(server);
    b.send({ kind: "join", version: SIGNALING_VERSION, topic: TOPIC, nodeId: "b" });
    expect(await b.hear("roster")).toEqual({ kind: "roster", peers: ["a"] });
    expect(await a.hear("peer-joined")).toEqual({ kind: "peer-joined", id: "b" });
  });

  test("the end of a socket is told at once, whether it was closed or torn", async () => {
    const server = await start();
    const a = await TestClient.joined(server, "a");
    const b = await TestClient.joined(server, "b");
    const c = await TestClient.joined(server, "c");
    b.close();
    expect(await a.hear("peer-gone")).toEqual({ kind: "peer-gone", id: "b" });
    c.socket.terminate();
    expect(await a.hear("peer-gone")).toEqual({ kind: "peer-gone", id: "c" });
  });

  test("a sealed message reaches the one it is for, with its true sender", async () => {
    const server = await start();
    const a = await TestClient.joined(server, "a");
    const b = await TestClient.joined(server, "b");
    const c = await TestClient.joined(server, "c");
    a.send({ kind: "relay", to: "b", box: "c2VhbGVk" });
    expect(await b.hear("relay")).toEqual({ kind: "relay", from: "a", to: "b", box: "c2VhbGVk" });
    b.send({ kind: "relay", to: "c", box: "bGF0ZXI" });
    expect(await c.hear("relay")).toEqual({ kind: "relay", from: "b", to: "c", box: "bGF0ZXI" });
    expect(c.heard).toEqual([]);
  });

  test("nothing crosses from one room to another", async () => {
    const server = await start();
    const a = await TestClient.joined(server, "a");
    const stranger = await TestClient.joined(server, "s", "b".repeat(22));
    stranger.send({ kind: "relay", to: "a", box: "aGk" });
    expect(await stranger.hear("error")).toEqual({ kind: "error", code: "unknownPeer" });
    stranger.close();
    await stranger.closed;
    const b = await TestClient.joined(server, "b");
    expect(await a.hear("peer-joined")).toEqual({ kind: "peer-joined", id: "b" });
    expect(a.heard).toEqual([]);
    b.close();
  });

  test("a newer socket takes a node's place; nobody hears that the node went", async () => {
    const server = await start();
    const a = await TestClient.joined(server, "a");
    const old = await TestClient.joined(server, "b");
    await a.hear("peer-joined");
    const young = await TestClient.joined(server, "b");
    expect(await old.hear("error")).toEqual({ kind: "error", code: "replaced" });
    await old.closed;
    expect(await a.hear("peer-joined")).toEqual({ kind: "peer-joined", id: "b" });
    a.send({ kind: "relay", to: "b", box: "eA" });
    expect(await young.hear("relay")).toMatchObject({ from: "a" });
    expect(a.heard).toEqual([]);
  });
});

describe("what is refused", () => {
  const malformed = [
    "",
    "{",
    "null",
    "[]",
    "\u0000",
    '{"kind":"join"}',
    '{"kind":"toString"}',
    '{"kind":"__proto__","topic":"x"}',
    JSON.stringify({ kind: "join", version: 1, topic: "short", nodeId: "a" }),
    JSON.stringify({ kind: "join", version: 1, topic: TOPIC, nodeId: "a b" }),
    JSON.stringify({ kind: "join", version: 1.5, topic: TOPIC, nodeId: "a" }),
    JSON.stringify({ kind: "join", version: 1, topic: TOPIC, nodeId: "a", more: 1 }),
    JSON.stringify({ kind: "relay", to: "a", box: "not base64url!" }),
    JSON.stringify({ kind: "relay", to: "a", box: "x".repeat(60_001) }),
    JSON.stringify({ kind: "relay", to: "a", box: "eA", from: "forged" }),
  ];
  test.each(malformed)("malformed: %j", async (text) => {
    const server = await start();
    const a = await TestClient.open(server);
    a.socket.send(text);
    expect(await a.hear("error")).toEqual({ kind: "error", code: "malformed" });
    expect(server.refused("malformed")).toBe(1);
    a.send({ kind: "join", version: SIGNALING_VERSION, topic: TOPIC, nodeId: "a" });
    await a.hear("roster");
  });

  test("the fifth malformed message closes the socket, and harms no other", async () => {
    const server = await start();
    const a = await TestClient.joined(server, "a");
    const b = await TestClient.joined(server, "b");
    for (let i = 0; i < 4; i += 1) b.socket.send("nonsense");
    b.socket.send(Buffer.from([1, 2, 3]));
    expect(await b.closed).toBe(1008);
    expect(server.refused("malformed")).toBe(5);
    expect(server.refused("binary")).toBe(1);
    expect(await a.hear("peer-gone")).toEqual({ kind: "peer-gone", id: "b" });
  });

  test("whoever is shown the door is out of the room at once, also if it does not answer", async () => {
    const server = await start();
    const a = await TestClient.joined(server, "a");
    const b = await TestClient.joined(server, "b");
    for (let i = 0; i < 5; i += 1) b.socket.send("nonsense");
    b.socket.pause();
    expect(await a.hear("peer-gone")).toEqual({ kind: "peer-gone", id: "b" });
    b.socket.terminate();
  });

  test("a message to oneself", async () => {
    const server = await start();
    const a = await TestClient.joined(server, "a");
    a.send({ kind: "relay", to: "a", box: "eA" });
    expect(await a.hear("error")).toEqual({ kind: "error", code: "unknownPeer" });
  });

  test("more than 64 KiB", async () => {
    const server = await start();
    const a = await TestClient.joined(server, "a");
    a.socket.send("x".repeat(MAX_SIGNALING_BYTES + 1));
    expect(await a.closed).toBe(1009);
    expect(server.refused("oversize")).toBe(1);
  });

  test("a flood", async () => {
    const server = await start({ limits: { burst: 10, messagesPerSecond: 1 } });
    const a = await TestClient.joined(server, "a");
    for (let i = 0; i < 30; i += 1) a.send({ kind: "relay", to: "nobody", box: "eA" });
    expect(await a.closed).toBe(1008);
    expect(server.refused("flooded")).toBe(1);
    expect(server.refused("unknownPeer")).toBeLessThanOrEqual(10);
  });

  test("relay before join, a second join, another version", async () => {
    const server = await start();
    const a = await TestClient.open(server);
    a.send({ kind: "relay", to: "b", box: "eA" });
    expect(await a.hear("error")).toEqual({ kind: "error", code: "notJoined" });
    a.send({ kind: "join", version: SIGNALING_VERSION, topic: TOPIC, nodeId: "a" });
    a.send({ kind: "join", version: SIGNALING_VERSION, topic: "c".repeat(22), nodeId: "a" });
    expect(await a.hear("error")).toEqual({ kind: "error", code: "alreadyJoined" });
    const b = await TestClient.open(server);
    b.send({ kind: "join", version: SIGNALING_VERSION + 1, topic: TOPIC, nodeId: "b" });
    expect(await b.hear("error")).toEqual({ kind: "error", code: "otherVersion" });
    await b.closed;
  });

  test("a full room, too many rooms, too many sockets", async () => {
    const server = await start({ limits: { maxMembersPerRoom: 1, maxRooms: 1, maxSockets: 3 } });
    const a = await TestClient.joined(server, "a");
    const b = await TestClient.open(server);
    const c = await TestClient.open(server);
    expect(await refusedUpgrade(server, SIGNALING_PATH)).toBe(503);
    b.send({ kind: "join", version: SIGNALING_VERSION, topic: TOPIC, nodeId: "b" });
    expect(await b.hear("error")).toEqual({ kind: "error", code: "roomFull" });
    c.send({ kind: "join", version: SIGNALING_VERSION, topic: "c".repeat(22), nodeId: "c" });
    expect(await c.hear("error")).toEqual({ kind: "error", code: "tooManyRooms" });
    await Promise.all([b.closed, c.closed]);
    a.close();
    await a.closed;
    await TestClient.joined(server, "d", "d".repeat(22));
  });

  test("too many sockets of one address; behind a proxy, of the address that the proxy names", async () => {
    const server = await start({ limits: { maxSocketsPerAddress: 1 } });
    const a = await TestClient.open(server);
    expect(await refusedUpgrade(server, SIGNALING_PATH)).toBe(429);
    expect(server.refused("tooManySocketsOfAddress")).toBe(1);
    a.close();
    await a.closed;
    const proxied = await start({ limits: { maxSocketsPerAddress: 1 }, trustedProxies: 1 });
    const open = (forwarded: string) => TestClient.open(proxied, { headers: { "X-Forwarded-For": forwarded } });
    await open("192.0.2.1");
    // What a client says itself stands before what the proxy adds.
    await expect(open("198.51.100.7, 192.0.2.1")).rejects.toThrow("429");
    await open("192.0.2.2");
    await open("2001:db8::1");
    await expect(open("2001:db8:0:0:ffff::2")).rejects.toThrow("429");
    await open("2001:db8:0:1::1");
  });

  test("a page of another origin", async () => {
    const server = await start({ allowedOrigins: ["https://friend.example"] });
    expect(await refusedUpgrade(server, SIGNALING_PATH, "https://evil.example")).toBe(403);
    expect(await refusedUpgrade(server, SIGNALING_PATH, "null")).toBe(403);
    expect(server.refused("wrongOrigin")).toBe(2);
    await TestClient.open(server, { origin: `http://127.0.0.1:${server.port}` });
    await TestClient.open(server, { origin: "https://friend.example" });
  });

  test("another path, and bytes that are not HTTP", async () => {
    const server = await start();
    expect(await refusedUpgrade(server, "/other")).toBe(404);
    const raw = connect(server.port, "127.0.0.1");
    raw.on("error", () => undefined);
    raw.write("\u0000\u0001 nonsense\r\n\r\n");
    await once(raw.resume(), "close");
    expect(server.refused("badRequest")).toBe(1);
  });

  test("a socket that never joins, and one that does not answer pings", async () => {
    const server = await start({ limits: { joinTimeoutMs: 20, pingIntervalMs: 250 } });
    const idle = await TestClient.open(server);
    expect(await idle.closed).toBe(1008);
    const a = await TestClient.joined(server, "a");
    const dead = await TestClient.joined(server, "dead");
    dead.socket.pause();
    expect(await a.hear("peer-gone")).toEqual({ kind: "peer-gone", id: "dead" });
    expect(server.refused("joinTimeout")).toBe(1);
    expect(server.refused("deadSocket")).toBe(1);
    dead.socket.terminate();
  });

  test("a reader that lets too much wait", async () => {
    const server = await start({ limits: { burst: 100_000, maxBufferedBytes: 10_000 } });
    const a = await TestClient.joined(server, "a");
    const slow = await TestClient.joined(server, "slow");
    slow.socket.pause();
    const box = "x".repeat(60_000);
    while (server.refused("slowReader") === 0) {
      for (let i = 0; i < 50; i += 1) a.send({ kind: "relay", to: "slow", box });
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await a.hear("peer-gone")).toEqual({ kind: "peer-gone", id: "slow" });
    slow.socket.terminate();
  });
});

describe("the server itself", () => {
  test("tells that it is healthy, and its figures", async () => {
    const server = await start();
    await TestClient.joined(server, "a");
    const base = `http://127.0.0.1:${server.port}`;
    expect(await (await fetch(`${base}/healthz`)).text()).toBe("ok\n");
    const figures = await (await fetch(`${base}/metrics`)).text();
    expect(figures).toContain("signaling_sockets 1");
    expect(figures).toContain("signaling_rooms 1");
    expect(figures).toContain("signaling_process_resident_memory_bytes");
    expect((await fetch(`${base}/metrics`)).headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(figures).not.toContain(TOPIC);
    expect((await fetch(`${base}/healthz`, { method: "POST" })).status).toBe(405);
  });

  test("a port in use is an error that can be told", async () => {
    const server = await start();
    await expect(createSignalingServer({ port: server.port })).rejects.toMatchObject({ code: "EADDRINUSE" });
  });

  test("stops in good order, and a new one takes the port", async () => {
    const server = await start();
    const a = await TestClient.joined(server, "a");
    const stopped = server.close();
    expect((await a.hear("stopping")).retryMs).toBeGreaterThanOrEqual(0);
    expect(await a.closed).toBe(1012);
    await stopped;
    open.splice(0);
    const again = await start({ port: server.port });
    await TestClient.joined(again, "a");
  });

  test("stops although a client does not answer", async () => {
    const server = await start({ limits: { closeTimeoutMs: 20 } });
    const a = await TestClient.joined(server, "a");
    a.socket.pause();
    await server.close();
    open.splice(0);
    a.socket.terminate();
  });
});

describe("the way to STUN and TURN", () => {
  const ice = {
    stunUrls: ["stun:stun.example:3478"],
    turnUrls: ["turn:turn.example:3478?transport=udp"],
    turnSecret: "north",
    turnLifetimeS: 3600,
  };

  test("is told to who has joined, with credentials that expire", async () => {
    const server = await start({ ice });
    const stranger = await TestClient.open(server);
    const before = Math.floor(Date.now() / 1000);
    const a = await TestClient.joined(server, "a");
    const [stun, turn] = (await a.hear("ice-servers")).servers;
    expect(stun).toEqual({ urls: ["stun:stun.example:3478"] });
    const [expiry = "", id] = turn?.username?.split(":") ?? [];
    expect([turn?.urls, id]).toEqual([["turn:turn.example:3478?transport=udp"], "a"]);
    expect(Number(expiry) - before).toBeGreaterThanOrEqual(3600);
    expect(Number(expiry) - before).toBeLessThan(3660);
    expect(turn?.credential).toBe(
      createHmac("sha1", "north")
        .update(turn?.username ?? "")
        .digest("base64"),
    );
    expect(stranger.heard).toEqual([]);
  });

  test("is told again before they expire", async () => {
    const server = await start({ ice: { ...ice, turnLifetimeS: 0 }, limits: { pingIntervalMs: 20 } });
    const a = await TestClient.joined(server, "a");
    await a.hear("ice-servers");
    await a.hear("ice-servers");
  });

  test("known answer: coturn's scheme", () => {
    expect(
      iceServersFor("node", { ...NO_ICE, turnUrls: ["turn:t"], turnSecret: "secret", turnLifetimeS: 60 }, 1_700_000_000_000),
    ).toEqual([
      {
        urls: ["turn:t"],
        username: "1700000060:node",
        credential: createHmac("sha1", "secret").update("1700000060:node").digest("base64"),
      },
    ]);
    expect(iceServersFor("node", NO_ICE, 0)).toEqual([]);
  });
});
