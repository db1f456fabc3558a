/** The mesh as others decide: whom it may connect to, what is broken in it on purpose, and whom it cannot understand. */
import { describe, expect, test } from "vitest";
import { PROTOCOL_VERSION } from "./codec.ts";
import { LinkFaults } from "./link-faults.ts";
import { ask, connected, works } from "./mesh.test-kit.ts";
import { MessageFaults } from "./message-faults.ts";
import { type MemoryChannel, TestRoom } from "./testing.ts";

describe("whom to connect to", () => {
  test("is decided from outside: only wanted or accepted pairs connect, and the policy may change", async () => {
    const room = await TestRoom.create();
    let wanted = new Set(["b"]);
    const policy = { wants: (id: string) => wanted.has(id), accepts: () => false };
    const [a, b, c] = [room.node("a", { policy }), room.node("b"), room.node("c")];
    await connected(room, a, b);
    await connected(room, b, c);
    await room.clock.advance(20_000, 100);
    expect([a.up, c.up]).toEqual([new Set(["b"]), new Set(["b"])]);
    wanted = new Set(["c"]);
    a.mesh.reconsider();
    await room.until(() => a.up.has("c") && !a.up.has("b") && c.up.has("a"));
    await works(room, a, c);
    await room.clock.advance(5000);
    expect(b.up).toEqual(new Set(["c"]));
  });

  test("is bounded: a peer beyond the bound is refused, counted, and taken once there is room", async () => {
    const room = await TestRoom.create();
    const [m, a, b] = [room.node("m", { maxConnections: 2 }), room.node("a"), room.node("z")];
    await connected(room, m, a, b);
    const late = room.node("b");
    await room.until(() => late.up.size === 2);
    await room.clock.advance(10_000, 100);
    expect([m.up, room.pages.open("m")]).toEqual([new Set(["a", "z"]), 2]);
    expect(m.mesh.refused()["unwantedPeer"]).toBeGreaterThan(0);
    a.mesh.close();
    await connected(room, m, late);
  });
});

describe("faults made on purpose", () => {
  test("a delay shows in the round trip, a loss of everything as a peer that is gone; healing undoes both", async () => {
    const room = await TestRoom.create();
    const messageFaults = new MessageFaults(room.clock, () => 0.5);
    const [a, b] = [room.node("a", { messageFaults }), room.node("b")];
    await connected(room, a, b);
    messageFaults.delay(300);
    await room.clock.advance(30_000);
    expect(b.mesh.peers()[0]?.roundTripMs).toBeGreaterThan(500);
    messageFaults.duplicate(1);
    a.mesh.send(ask("a", "b"));
    await room.until(() => b.messages.length === 2);
    messageFaults.drop(1);
    await room.until(() => !a.up.has("b") && !b.up.has("a"));
    messageFaults.heal();
    await room.until(() => a.up.has("b") && b.up.has("a"));
    await works(room, b, a);
  });

  test("an isolated node neither hears nor is heard, and is back soon after healing", async () => {
    for (const id of ["a", "z"]) {
      const room = await TestRoom.create();
      const faults = new LinkFaults();
      const [cut, m] = [room.node(id, { faults }), room.node("m")];
      await connected(room, cut, m);
      faults.isolate();
      cut.mesh.send(ask(id, "m"));
      m.mesh.send(ask("m", id));
      await room.clock.advance(40_000, 100);
      expect([cut.messages, m.messages]).toEqual([[], []]);
      expect(m.up.has(id) || cut.up.has("m")).toBe(false);
      faults.heal();
      const healedAt = room.clock.now();
      await connected(room, cut, m);
      expect(room.clock.now() - healedAt).toBeLessThan(2000);
      await works(room, cut, m);
    }
  });

  test("a short cut costs no connection", async () => {
    const room = await TestRoom.create();
    const faults = new LinkFaults();
    const [a, b] = [room.node("a", { faults }), room.node("b")];
    await connected(room, a, b);
    faults.cut(["b"], "out");
    a.mesh.send(ask("a", "b"));
    b.mesh.send(ask("b", "a"));
    await room.until(() => a.messages.length === 1);
    await room.clock.advance(1000);
    expect(b.messages).toEqual([]);
    faults.heal();
    await works(room, a, b);
    expect(room.pages.channels.size).toBe(1);
  });
});

describe("a tab of another version", () => {
  test("is no peer, and each says which of the two is older, as long as both are there", async () => {
    const room = await TestRoom.create();
    const [old, young] = [room.node("a"), room.node("b")];
    // Between the two, so that each hears of the other what that one would say.
    const speak = (channel: MemoryChannel, version: number) => {
      const { deliver } = channel;
      channel.deliver = (bytes) =>
        deliver.call(channel, bytes[0] === 1 ? new Uint8Array([1, version, ...bytes.slice(2)] as number[]) : bytes);
    };
    room.pages.onPair = (pair) => {
      speak(pair[0], PROTOCOL_VERSION - 1);
      speak(pair[1], PROTOCOL_VERSION + 1);
    };
    // The initiator is the higher id: b, whose end is the first.
    await room.until(() => old.mesh.otherVersion() !== null && young.mesh.otherVersion() !== null);
    expect([old.mesh.otherVersion(), young.mesh.otherVersion()]).toEqual(["newer", "older"]);
    expect(old.events.join()).toContain("newer protocol (3, this tab 2): reload this tab");
    expect(young.events.join()).toContain("older protocol (1, this tab 2): reload that one");
    expect([old.up.size, young.up.size]).toEqual([0, 0]);
    room.pages.onPair = () => undefined;
    await connected(room, old, young);
    expect([old.mesh.otherVersion(), young.mesh.otherVersion()]).toEqual([null, null]);
  });
});
