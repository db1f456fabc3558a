import { beforeAll, describe, expect, test } from "vitest";
import { fromBase64Url, toBase64Url } from "./base64url.ts";
import { deriveRoomKeys, type RoomKeys } from "./room-keys.ts";
import { Seal } from "./seal.ts";

let keys: RoomKeys;
let otherKeys: RoomKeys;
beforeAll(async () => {
  keys = await deriveRoomKeys("A".repeat(22));
  otherKeys = await deriveRoomKeys(`${"A".repeat(21)}Q`);
});

describe("a sealed message", () => {
  test("is opened by the one it is for, once", async () => {
    const box = await new Seal(keys, "a").seal("b", "hello");
    const b = new Seal(keys, "b");
    expect(await b.open("a", box)).toEqual({ text: "hello" });
    expect(await b.open("a", box)).toBe("replayed");
  });

  test("is refused with another secret, from another sender, by another receiver", async () => {
    const box = await new Seal(keys, "a").seal("b", "hello");
    expect(await new Seal(otherKeys, "b").open("a", box)).toBe("badSeal");
    expect(await new Seal(keys, "b").open("c", box)).toBe("badSeal");
    expect(await new Seal(keys, "c").open("a", box)).toBe("badSeal");
  });

  test("is refused once any bit of it is changed", async () => {
    const box = fromBase64Url(await new Seal(keys, "a").seal("b", "hello")) ?? new Uint8Array();
    const b = new Seal(keys, "b");
    for (let at = 0; at < box.length; at += 1) {
      const changed = box.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(await b.open("a", toBase64Url(changed))).toBe("badSeal");
    }
    expect(await b.open("a", toBase64Url(box))).toEqual({ text: "hello" });
  });

  test("is refused if it is no box at all", async () => {
    const b = new Seal(keys, "b");
    for (const box of ["", "A", "AAAA", "A".repeat(62), "not base64"]) expect(await b.open("a", box)).toBe("badBox");
  });

  test("counters go up only, in each session of each sender", async () => {
    const first = new Seal(keys, "a");
    const [one, two, three] = [await first.seal("b", "1"), await first.seal("b", "2"), await first.seal("b", "3")];
    const again = await new Seal(keys, "a").seal("b", "again");
    const b = new Seal(keys, "b");
    expect(await b.open("a", two)).toEqual({ text: "2" });
    expect(await b.open("a", one)).toBe("replayed");
    expect(await b.open("a", again)).toEqual({ text: "again" });
    expect(await b.open("a", two)).toBe("replayed");
    expect(await b.open("a", three)).toEqual({ text: "3" });
    expect(await b.open("a", again)).toBe("replayed");
  });

  test("shows the same bytes never twice", async () => {
    const a = new Seal(keys, "a");
    expect(await a.seal("b", "hello")).not.toBe(await a.seal("b", "hello"));
  });
});
