import { describe, expect, test } from "vitest";
import type { Message } from "../raft/types.ts";
import { encodeEnvelope, PROTOCOL_VERSION } from "./codec.ts";
import { ask, connected, digestOf, generation, lastChannel, works } from "./mesh.test-kit.ts";
import { deriveRoomKeys } from "./room-keys.ts";
import { Seal } from "./seal.ts";
import { type MemoryChannel, TestRoom } from "./testing.ts";

const OTHER_SECRET = `${"A".repeat(21)}Q`;

describe("mesh", () => {
  test("three nodes find each other, each pair by one connection that the higher id offers", async () => {
    const room = await TestRoom.create();
    const [a, b, c] = [room.node("a"), room.node("b"), room.node("c")];
    await connected(room, a, b, c);
    expect(room.pages.channels.size).toBe(3);
    await room.clock.advance(30_000);
    expect(room.pages.channels.size).toBe(3);
    expect([a, b, c].map(({ mesh }) => mesh.refused())).toEqual([{}, {}, {}]);
    await works(room, a, c);
  });

  test("round trips are measured, digests arrive, at once for who comes later", async () => {
    const room = await TestRoom.create();
    const a = room.node("a");
    a.mesh.publish(digestOf("a"));
    const b = room.node("b");
    await connected(room, a, b);
    await room.until(() => b.digests.length === 1);
    a.mesh.publish({ ...digestOf("a"), term: 2 });
    await room.until(() => b.digests.length === 2);
    await room.clock.advance(2000);
    expect(b.mesh.peers()).toEqual([
      {
        id: "a",
        connected: true,
        roundTripMs: expect.any(Number),
        lastContactMs: expect.any(Number),
        gone: false,
        digest: { ...digestOf("a"), term: 2 },
      },
    ]);
    expect(b.mesh.peers()[0]?.lastContactMs).toBeLessThanOrEqual(1000);
  });

  test("the loss of signaling disturbs nobody", async () => {
    const room = await TestRoom.create();
    const [a, b] = [room.node("a"), room.node("b")];
    await connected(room, a, b);
    room.signaling.tamper = () => [];
    for (const handlers of room.signaling.members.values()) handlers.onState("waiting");
    await room.clock.advance(30_000);
    await works(room, a, b);
    // Back, and told that nobody else is there yet.
    for (const handlers of room.signaling.members.values()) handlers.onRoster([]);
    await room.clock.advance(10_000);
    await works(room, b, a);
    expect(room.pages.channels.size).toBe(1);
  });

  test("a connection that ends is made anew", async () => {
    const room = await TestRoom.create();
    const [a, b] = [room.node("a"), room.node("b")];
    await connected(room, a, b);
    lastChannel(room, 0).close();
    await room.until(() => !a.up.has("b") && !b.up.has("a"));
    await connected(room, a, b);
    await works(room, a, b);
    expect([room.pages.open("a"), room.pages.open("b")]).toEqual([1, 1]);
  });

  test("that a peer is said to be gone, or closes in good order, is told as a hint; a silence is none", async () => {
    const room = await TestRoom.create();
    const [a, b] = [room.node("a"), room.node("b")];
    await connected(room, a, b);
    // Its process is gone: signaling notices, the channel does not.
    for (const end of [0, 1] as const) lastChannel(room, end).mute = true;
    room.signaling.members.get("a")?.onPeerGone("b");
    expect(a.hints).toEqual(["gone b"]);
    expect(a.up.has("b")).toBe(true);
    await room.until(() => !a.up.has("b"));
    expect(a.hints).toEqual(["gone b"]);
    // Who is not connected cannot be asked.
    room.signaling.members.get("a")?.onPeerGone("b");
    expect(a.hints).toEqual(["gone b"]);
    room.signaling.members.get("a")?.onPeerJoined("b");
    await connected(room, a, b);
    b.hints.length = 0;
    a.mesh.close();
    await room.until(() => !b.up.has("a"));
    expect(b.hints[0]).toBe("closed a");
  });

  test("a peer that is silent for five seconds is given up and dialled anew", async () => {
    const room = await TestRoom.create();
    const [a, b] = [room.node("a"), room.node("b")];
    await connected(room, a, b);
    for (const end of [0, 1] as const) lastChannel(room, end).mute = true;
    await room.clock.advance(4000);
    expect(a.up.has("b")).toBe(true);
    await room.clock.advance(3000);
    expect(room.pages.channels.size).toBeGreaterThan(1);
    await connected(room, a, b);
    await works(room, a, b);
  });

  test("a peer whose long message is under way for longer than that is not silent", async () => {
    const room = await TestRoom.create();
    const [a, b] = [room.node("a"), room.node("b")];
    await connected(room, a, b);
    const channel = lastChannel(room, 0);
    channel.stalled = true;
    const command = new Uint8Array(200_000);
    b.mesh.send({ kind: "propose", from: "b", to: "a", term: 1, generation, requestId: 1, commands: [command] });
    await room.until(() => channel.bufferedAmount > 200_000);
    // One frame of it a second: its pings come after it.
    while (a.messages.length === 0) {
      channel.flush(1);
      await room.clock.advance(1000);
    }
    expect([room.pages.channels.size, a.messages[0]?.kind]).toEqual([1, "propose"]);
  });

  test("a node that slept itself does not give up the others", async () => {
    const room = await TestRoom.create();
    const [a, b] = [room.node("a"), room.node("b")];
    await connected(room, a, b);
    await room.clock.advance(60_000, 60_000);
    await room.clock.advance(3000);
    expect(room.pages.channels.size).toBe(1);
  });

  test("a node that started anew under its id is reached although the other believes in the old connection", async () => {
    for (const id of ["a", "z"]) {
      const room = await TestRoom.create();
      const [first, m] = [room.node(id), room.node("m")];
      await connected(room, first, m);
      // Its page is gone without a word: the channel stays open and mute.
      for (const end of [0, 1] as const) lastChannel(room, end).mute = true;
      room.signaling.members.delete(id);
      const again = room.node(id);
      await room.until(() => again.up.has("m") && m.mesh.peers().some((peer) => peer.connected));
      await works(room, again, m);
      await works(room, m, again);
      expect(room.pages.open("m")).toBe(1);
    }
  });

  test("attempts that come to nothing are hung up and tried less and less often", async () => {
    const room = await TestRoom.create();
    room.pages.blocked = true;
    const [a, b] = [room.node("a"), room.node("b")];
    await room.clock.advance(120_000, 200);
    const dialled = room.pages.dialled.get("b") ?? 0;
    expect(dialled).toBeGreaterThan(3);
    expect(dialled).toBeLessThan(12);
    expect(room.pages.open("a")).toBeLessThanOrEqual(1);
    expect(room.pages.open("b")).toBeLessThanOrEqual(1);
    room.pages.blocked = false;
    await connected(room, a, b);
  });

  test("a closed mesh is silent and leaves nothing behind", async () => {
    const room = await TestRoom.create();
    const [a, b] = [room.node("a"), room.node("b")];
    await connected(room, a, b);
    a.mesh.close();
    await room.until(() => !b.up.has("a"));
    expect(b.mesh.peers().map(({ id, connected, gone }) => ({ id, connected, gone }))).toEqual([
      { id: "a", connected: false, gone: true },
    ]);
    expect(room.pages.open("a")).toBe(0);
    a.mesh.send(ask("a", "b"));
    await room.clock.advance(60_000, 500);
    expect([b.messages.length, room.pages.open("a"), room.pages.open("b")]).toEqual([0, 0, 0]);
  });

  test("a peer that takes nothing any more is given up, and that is counted", async () => {
    const room = await TestRoom.create();
    const [a, b] = [room.node("a"), room.node("b")];
    await connected(room, a, b);
    // The initiator's end, which is b's, is the first of the pair.
    lastChannel(room, 0).stalled = true;
    const command = new Uint8Array(1024 * 1024);
    for (let count = 0; count < 6; count += 1) {
      b.mesh.send({ kind: "propose", from: "b", to: "a", term: 1, generation, requestId: count, commands: [command] });
    }
    expect(b.up.has("a")).toBe(true);
    await room.until(() => !b.up.has("a"));
    expect(b.mesh.refused()).toEqual({ overflow: 1 });
    expect(a.messages).toEqual([]);
  });
});

describe("a snapshot under way", () => {
  const chunkBytes = 50_000;
  const chunkAt = (offset: number): Message => ({
    kind: "installSnapshot",
    from: "b",
    to: "a",
    term: 1,
    generation,
    snapshot: {
      index: 1,
      term: 1,
      configuration: { voters: ["b"], votersOld: [], learners: ["a"] },
      configurationIndex: 1,
      size: 4_000_000,
      checksum: 0,
    },
    offset,
    data: new Uint8Array(chunkBytes),
  });
  const heartbeat: Message = {
    kind: "appendEntries",
    from: "b",
    to: "a",
    term: 1,
    generation,
    prevLogIndex: 0,
    prevLogTerm: 0,
    entries: [],
    leaderCommit: 0,
    round: 1,
  };

  test("is overtaken by a heartbeat that was sent after 4 MB of it", async () => {
    const room = await TestRoom.create();
    const [a, b] = [room.node("a"), room.node("b")];
    await connected(room, a, b);
    const channel = lastChannel(room, 0);
    channel.stalled = true;
    for (let offset = 0; offset < 4_000_000; offset += chunkBytes) b.mesh.send(chunkAt(offset));
    // What lies in the channel already cannot be overtaken, so let it take what it will.
    await room.until(() => channel.bufferedAmount > 64 * 1024);
    expect(channel.bufferedAmount).toBeLessThan(128 * 1024);
    b.mesh.send(heartbeat);
    channel.stalled = false;
    channel.flush();
    await room.until(() => a.messages.length === 81);
    const place = a.messages.findIndex(({ kind }) => kind === "appendEntries");
    expect(place).toBeLessThanOrEqual(2);
    const offsets = a.messages.flatMap((message) => (message.kind === "installSnapshot" ? [message.offset] : []));
    expect(offsets).toEqual(Array.from({ length: 80 }, (_, at) => at * chunkBytes));
    expect(b.mesh.refused()).toEqual({});
  });

  test("is cut, and counted, when more of it waits than a lane takes; the connection stays", async () => {
    const room = await TestRoom.create();
    const [a, b] = [room.node("a"), room.node("b")];
    await connected(room, a, b);
    const channel = lastChannel(room, 0);
    channel.stalled = true;
    for (let count = 0; count < 100; count += 1) b.mesh.send(chunkAt(0));
    b.mesh.send(heartbeat);
    channel.stalled = false;
    channel.flush();
    await room.until(() => a.messages.length === 84);
    // 4 MiB take 83 chunks with what is said of them; the heartbeat came through.
    expect(b.mesh.refused()).toEqual({ overflow: 17 });
    expect([a.up.has("b"), a.messages.filter(({ kind }) => kind === "appendEntries").length]).toEqual([true, 1]);
  });
});

describe("a hostile signaling server", () => {
  test("that repeats, redirects, alters and makes up messages: all refused and counted, and what works goes on", async () => {
    const room = await TestRoom.create();
    const [a, b] = [room.node("a"), room.node("b")];
    await connected(room, a, b);
    const before = room.pages.channels.size;
    const recorded = [...room.signaling.relayed];
    for (const message of recorded) {
      room.signaling.deliver(message);
      room.signaling.deliver({ ...message, from: "c" });
      room.signaling.deliver({ ...message, from: message.to, to: message.from });
      room.signaling.deliver({ ...message, box: `${message.box.slice(0, -4)}AAAA` });
      room.signaling.deliver({ ...message, box: "bm9uc2Vuc2U" });
    }
    await room.clock.advance(20_000);
    const total = { ...a.mesh.refused() };
    for (const [reason, count] of Object.entries(b.mesh.refused())) total[reason] = (total[reason] ?? 0) + count;
    expect(total).toEqual({ replayed: recorded.length, badSeal: recorded.length * 3, badBox: recorded.length });
    expect(room.pages.channels.size).toBe(before);
    await works(room, a, b);
  });

  test("that plays what it recorded to a node which has started anew cannot end the connection that works", async () => {
    const room = await TestRoom.create();
    const [a, b] = [room.node("a"), room.node("b")];
    await connected(room, a, b);
    const recorded = [...room.signaling.relayed];
    a.mesh.close();
    const again = room.node("a");
    await connected(room, again, b);
    const live = lastChannel(room, 0);
    for (const message of recorded) room.signaling.deliver(message);
    await room.clock.advance(60_000, 200);
    expect(live.readyState).toBe("open");
    expect(again.up.has("b")).toBe(true);
    await works(room, b, again);
    expect(room.pages.open("a")).toBe(1);
  });

  test("that stands between the two with certificates of its own gets past nothing", async () => {
    const room = await TestRoom.create();
    room.pages.interposed = true;
    const [a, b] = [room.node("a"), room.node("b")];
    await room.until(() => b.mesh.refused()["wrongSecret"] !== undefined && a.mesh.refused()["wrongSecret"] !== undefined);
    const dialled = room.pages.dialled.get("b");
    await room.clock.advance(5000);
    expect(a.up.size + b.up.size).toBe(0);
    expect(room.pages.dialled.get("b")).toBe(dialled);
    expect([...a.events, ...b.events].join()).toContain("somebody stands between");
    room.pages.interposed = false;
    await connected(room, a, b);
  });

  test("that drops messages only delays", async () => {
    const room = await TestRoom.create();
    let dropped = 0;
    room.signaling.tamper = (message) => (++dropped <= 3 ? [] : [message]);
    const [a, b] = [room.node("a"), room.node("b")];
    await connected(room, a, b);
    await works(room, a, b);
  });
});

describe("a stranger", () => {
  test("with another secret in the same topic is told nothing and connects to nobody", async () => {
    const room = await TestRoom.create();
    const keys = { ...(await deriveRoomKeys(OTHER_SECRET)), topic: room.keys.topic };
    const [a, b, stranger] = [room.node("a"), room.node("b"), room.node("s", { keys })];
    await connected(room, a, b);
    await room.clock.advance(30_000, 100);
    expect(stranger.up.size).toBe(0);
    expect([a, b].some((node) => node.up.has("s"))).toBe(false);
    expect(a.mesh.refused()["badSeal"]).toBeGreaterThan(0);
    await works(room, a, b);
  });

  test("who knows the sealing key but not the handshake's is refused before a byte is read", async () => {
    const room = await TestRoom.create();
    const keys = { ...room.keys, authKey: (await deriveRoomKeys(OTHER_SECRET)).authKey };
    const [a, stranger] = [room.node("a"), room.node("s", { keys })];
    await room.until(() => a.mesh.refused()["wrongSecret"] !== undefined && stranger.mesh.refused()["wrongSecret"] !== undefined);
    stranger.mesh.send(ask("s", "a"));
    await room.clock.advance(3000);
    expect([a.up.size, stranger.up.size, a.messages.length]).toEqual([0, 0, 0]);
  });
});

describe("a member that does not keep to the rules", () => {
  test("may not offer where the other one offers, nor offer an ended connection again, nor in a flood", async () => {
    const room = await TestRoom.create();
    const m = room.node("m");
    const offer = (connectionId: string) =>
      JSON.stringify({ kind: "signal", connectionId, data: { type: "offer", sdp: "anything" } });
    const low = new Seal(room.keys, "a");
    const high = new Seal(room.keys, "z");
    const say = async (from: string, seal: Seal, text: string) => {
      room.signaling.deliver({ from, to: "m", box: await seal.seal("m", text) });
      await room.clock.advance(1);
    };
    const [first, second] = ["1".repeat(22), "2".repeat(22)];
    await say("a", low, offer(first));
    expect(m.mesh.refused()).toEqual({ wrongInitiator: 1 });
    await say("z", high, offer(first));
    await say("z", high, offer(second));
    expect(m.mesh.refused()).toEqual({ wrongInitiator: 1, tooManyOffers: 1 });
    await room.clock.advance(500);
    await say("z", high, offer(second));
    expect(room.pages.open("m")).toBe(1);
    await room.clock.advance(500);
    await say("z", high, offer(first));
    await say("z", high, JSON.stringify({ kind: "knock" }));
    await say("z", high, "{}");
    expect(m.mesh.refused()).toEqual({ wrongInitiator: 2, tooManyOffers: 1, staleSignal: 1, badSignal: 1 });
    await room.clock.advance(20_000);
    expect(room.pages.open("m")).toBe(0);
  });
});

describe("what a proven peer may not send", () => {
  test.each([
    ["text", "hello", "badFrame"],
    ["an empty frame", new Uint8Array(), "badFrame"],
    ["a frame of nonsense", new Uint8Array([9, 9, 9, 9]), "badFrame"],
    ["a message of another version", new Uint8Array([1, 0, 1, 7]), "otherVersion"],
    ["a message cut off", new Uint8Array([1, 0, 3, PROTOCOL_VERSION, 0, 0]), "tooShort"],
  ])("%s: counted, and the connection is given up", async (_what, bytes, reason) => {
    const room = await TestRoom.create();
    const [a, b] = [room.node("a"), room.node("b")];
    await connected(room, a, b);
    lastChannel(room, 1).deliver(bytes);
    expect(a.mesh.refused()).toEqual({ [reason]: 1 });
    expect(a.up.has("b")).toBe(false);
    await connected(room, a, b);
    await works(room, b, a);
  });

  test("what was written for another connection is dropped", async () => {
    const room = await TestRoom.create();
    const [a, b] = [room.node("a"), room.node("b")];
    await connected(room, a, b);
    const message = encodeEnvelope({ kind: "raft", epoch: 7, message: ask("b", "a") });
    lastChannel(room, 1).deliver(new Uint8Array([1, message.length >> 8, message.length & 0xff, ...message]));
    expect(a.mesh.refused()).toEqual({ otherEpoch: 1 });
    expect(a.messages).toEqual([]);
    await works(room, b, a);
  });

  test("what the page says of connections that are not there is ignored", async () => {
    const room = await TestRoom.create();
    const [a, b] = [room.node("a"), room.node("b")];
    await connected(room, a, b);
    a.mesh.onSignal("gone", { type: "offer", sdp: "" });
    a.mesh.onSignal("gone", { type: "nonsense" });
    a.mesh.onConnected("gone", { local: "", remote: "" });
    a.mesh.onClosed("gone", "why");
    const [stray] = [...room.pages.channels.values()].map(([end]) => Object.create(end) as MemoryChannel);
    if (stray !== undefined) a.mesh.onChannel("gone", { ...stray, close: () => undefined, send: () => undefined });
    expect(a.mesh.refused()).toEqual({ badPageSignal: 1 });
    await works(room, a, b);
  });
});
