import { beforeAll, describe, expect, test } from "vitest";
import { PROTOCOL_VERSION } from "./codec.ts";
import { Handshake, type HandshakeOptions, type HandshakeResult } from "./handshake.ts";
import { deriveRoomKeys, type RoomKeys } from "./room-keys.ts";
import { until } from "./testing.ts";

let keys: RoomKeys;
let otherKeys: RoomKeys;
beforeAll(async () => {
  keys = await deriveRoomKeys("A".repeat(22));
  otherKeys = await deriveRoomKeys(`${"A".repeat(21)}Q`);
});

interface Side {
  readonly handshake: Handshake;
  readonly sent: Uint8Array[];
  result: HandshakeResult | null;
}

function side(initiator: boolean, changes: Partial<HandshakeOptions> = {}): Side {
  const sent: Uint8Array[] = [];
  const made: Side = {
    sent,
    result: null,
    handshake: new Handshake({
      self: initiator ? "b" : "a",
      peer: initiator ? "a" : "b",
      initiator,
      authKey: keys.authKey,
      generation: null,
      send: (bytes) => sent.push(bytes),
      onResult: (result) => {
        if (made.result !== null) throw new Error("There is one result.");
        made.result = result;
      },
      ...changes,
    }),
  };
  return made;
}

/** Carries messages both ways until nothing more comes; `alter` may change what passes. */
async function talk(a: Side, b: Side, alter: (bytes: Uint8Array, at: number) => Uint8Array = (bytes) => bytes): Promise<void> {
  a.handshake.start();
  b.handshake.start();
  let [fromA, fromB] = [0, 0];
  await until(() => {
    for (const bytes of a.sent.slice(fromA)) b.handshake.receive(alter(bytes, fromA++));
    for (const bytes of b.sent.slice(fromB)) a.handshake.receive(alter(bytes, fromB++));
    return a.result !== null && b.result !== null;
  });
}

const refusal = (made: Side) => (made.result !== null && "refused" in made.result ? made.result.refused : made.result);
const prints = (local: string, remote: string) => ({ local, remote });

describe("handshake", () => {
  test("both prove themselves and draw the same epoch", async () => {
    const generation = { number: 2, id: "ab".repeat(16) };
    const [a, b] = [side(true, { generation }), side(false)];
    a.handshake.fingerprints(prints("X", "Y"));
    b.handshake.fingerprints(prints("Y", "X"));
    await talk(a, b);
    expect(a.result).toEqual({ epoch: expect.any(Number), generation: null });
    expect(b.result).toEqual({ ...a.result, generation });
    expect(a.handshake.wantsBytes || b.handshake.wantsBytes).toBe(false);
  });

  test("fingerprints may come late; no proof is given before", async () => {
    const [a, b] = [side(true), side(false)];
    a.handshake.start();
    b.handshake.start();
    a.handshake.receive(b.sent[0] ?? new Uint8Array());
    await until(() => true);
    expect(a.sent.length).toBe(1);
    a.handshake.fingerprints(prints("X", "Y"));
    await until(() => a.sent.length === 2);
  });

  test("another secret is refused on both sides", async () => {
    const [a, b] = [side(true), side(false, { authKey: otherKeys.authKey })];
    a.handshake.fingerprints(prints("X", "Y"));
    b.handshake.fingerprints(prints("Y", "X"));
    await talk(a, b);
    expect([refusal(a), refusal(b)]).toEqual(["wrongSecret", "wrongSecret"]);
  });

  test("somebody between, whose certificate each side sees, is refused on both sides", async () => {
    const [a, b] = [side(true), side(false)];
    a.handshake.fingerprints(prints("X", "M"));
    b.handshake.fingerprints(prints("Y", "M"));
    await talk(a, b);
    expect([refusal(a), refusal(b)]).toEqual(["wrongSecret", "wrongSecret"]);
  });

  test.each([
    ["of the initiator", prints("X", "Y"), prints("Y", "M")],
    ["of the responder", prints("X", "M"), prints("Y", "X")],
  ])("one certificate that is not the same to both, %s, is refused on both sides", async (_whose, seenByA, seenByB) => {
    const [a, b] = [side(true), side(false)];
    a.handshake.fingerprints(seenByA);
    b.handshake.fingerprints(seenByB);
    await talk(a, b);
    expect([refusal(a), refusal(b)]).toEqual(["wrongSecret", "wrongSecret"]);
  });

  test("what it says, said back to it, proves nothing", async () => {
    const a = side(true);
    a.handshake.fingerprints(prints("X", "X"));
    a.handshake.start();
    const hello = a.sent[0]?.slice() ?? new Uint8Array();
    // The id is the last thing but the missing generation: the echo calls itself by the expected name.
    hello[hello.length - 2] = "a".charCodeAt(0);
    a.handshake.receive(hello);
    await until(() => a.sent.length === 2);
    a.handshake.receive(a.sent[1] ?? new Uint8Array());
    await until(() => a.result !== null);
    expect(refusal(a)).toBe("wrongSecret");
  });

  test("a recorded handshake, played again, is refused", async () => {
    const [a, b] = [side(true), side(false)];
    a.handshake.fingerprints(prints("X", "Y"));
    b.handshake.fingerprints(prints("Y", "X"));
    await talk(a, b);
    const fresh = side(false);
    fresh.handshake.fingerprints(prints("Y", "X"));
    fresh.handshake.start();
    for (const bytes of a.sent) fresh.handshake.receive(bytes);
    await until(() => fresh.result !== null);
    expect(refusal(fresh)).toBe("wrongSecret");
  });

  test("another version is told in words on both sides", async () => {
    const [old, young] = [side(true, { version: 1 }), side(false, { version: 2 })];
    await talk(old, young);
    expect(old.result).toEqual({
      refused: "newerVersion",
      words: "it speaks a newer protocol (2, this tab 1): reload this tab",
    });
    expect(young.result).toEqual({
      refused: "olderVersion",
      words: "it speaks an older protocol (1, this tab 2): reload that one",
    });
  });

  test("another node than the expected one", async () => {
    const [a, b] = [side(true), side(false, { self: "c" })];
    a.handshake.start();
    b.handshake.start();
    a.handshake.receive(b.sent[0] ?? new Uint8Array());
    expect(refusal(a)).toBe("wrongPeer");
  });

  test.each([
    ["nothing", new Uint8Array()],
    ["a proof first", new Uint8Array(33).fill(2)],
    ["a hello cut off", new Uint8Array([1, PROTOCOL_VERSION, 5])],
    ["too much", new Uint8Array(1000).fill(1)],
  ])("malformed: %s", (_what, bytes) => {
    const a = side(true);
    a.handshake.start();
    a.handshake.receive(bytes);
    expect(refusal(a)).toBe("badHandshake");
  });

  test("every change of a byte of hello or proof is refused by the one that gets it", async () => {
    for (let at = 0; at < 20; at += 1) {
      const [a, b] = [side(true), side(false)];
      a.handshake.fingerprints(prints("X", "Y"));
      b.handshake.fingerprints(prints("Y", "X"));
      a.handshake.start();
      b.handshake.start();
      for (const bytes of b.sent) {
        const changed = bytes.slice();
        changed[at] = (changed[at] ?? 0) ^ 0x10;
        a.handshake.receive(changed);
      }
      b.handshake.receive(a.sent[0] ?? new Uint8Array());
      await until(() => b.sent.length === 2);
      a.handshake.receive(b.sent[1] ?? new Uint8Array());
      await until(() => a.result !== null);
      expect(a.result).toHaveProperty("refused");
    }
  });
});
