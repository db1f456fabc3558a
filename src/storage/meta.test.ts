import { expect, test } from "vitest";
import { beginFrame, sealFrame } from "./frame.ts";
import { decodeMeta, encodeMeta, type Meta, pristineMeta } from "./meta.ts";

const generation = { number: 3, id: "ab".repeat(16), parentId: "cd".repeat(16), forkIndex: 12 };
const meta: Meta = {
  ...pristineMeta("roöm", "node-1"),
  hardState: { currentTerm: 2 ** 40, votedFor: "node_2", generation },
  commitIndex: 30,
  number: 77,
  firstIndex: 12,
  baseTerm: 2,
  firstRecord: 5,
  baseIndex: 8,
  nextRecord: 9,
  lastIndex: 31,
  lastChain: 0xdeadbeef,
  snapshot: { index: 20, checksum: 0xcafe },
};

test("is read back as it was written", () => {
  const first = { ...generation, number: 1, parentId: null, forkIndex: 0 };
  const variants: Meta[] = [meta, pristineMeta("room", "A"), { ...meta, hardState: { ...meta.hardState, generation: first } }];
  for (const one of variants) expect(decodeMeta(encodeMeta(one))).toEqual({ ok: true, value: one });
});

test("every damaged byte is noticed, whatever it became", () => {
  const bytes = encodeMeta(meta);
  for (let at = 0; at < bytes.length; at++) {
    for (let flip = 1; flip < 256; flip++) {
      const damaged = bytes.slice();
      damaged[at] = (damaged[at] ?? 0) ^ flip;
      expect(decodeMeta(damaged)).toMatchObject({ ok: false, kind: "damaged" });
    }
  }
});

test("a newer format version is of the future; a record is no meta", () => {
  for (const [writer, kind] of [
    [beginFrame("meta", 0, 3), "future"],
    [beginFrame("meta", 0, 1), "damaged"],
    [beginFrame("record", 0), "damaged"],
  ] as const) {
    for (const byte of encodeMeta(meta).subarray(12)) writer.u8(byte);
    expect(decodeMeta(sealFrame(writer))).toMatchObject({ ok: false, kind });
  }
});

const senseless: Record<string, Partial<Meta>> = {
  "a commit index beyond the log": { commitIndex: 32 },
  "a log that ends before it begins": { firstIndex: 40 },
  "a gap between the snapshot and the log": { firstIndex: 22 },
  "a compacted log without a snapshot": { snapshot: null },
  "a snapshot of index 0": { firstIndex: 1, baseTerm: 0, baseIndex: 0, snapshot: { index: 0, checksum: 1 } },
  "a base without a term": { baseTerm: 0 },
  "a term before the first entry of all": { firstIndex: 1, baseIndex: 0 },
  "a first record behind the first entry": { baseIndex: 12 },
  "a next record before the first": { nextRecord: 4 },
  "number 0": { number: 0 },
  "an empty log with a chain that ends elsewhere": { nextRecord: 5, baseIndex: 11, lastIndex: 11, commitIndex: 11 },
  "a node id with a slash": { nodeId: "a/b" },
  "a vote in term 0": { hardState: { currentTerm: 0, votedFor: "A", generation: null } },
  "a generation 0": { hardState: { ...meta.hardState, generation: { ...generation, number: 0 } } },
  "a generation id in capitals": { hardState: { ...meta.hardState, generation: { ...generation, id: "AB".repeat(16) } } },
  "a fork without a parent": { hardState: { ...meta.hardState, generation: { ...generation, parentId: null } } },
};
test.each(Object.entries(senseless))("%s is refused when written", (_name, fields) => {
  expect(() => encodeMeta({ ...meta, ...fields })).toThrow("assertion");
});

test("a senseless field under a sound checksum is damage", () => {
  const writer = beginFrame("meta", 64);
  writer.text("room");
  writer.text("A");
  for (const value of [1, 0, 1]) writer.varint(value);
  writer.text("B");
  writer.u8(0);
  for (const value of [0, 1, 0, 1]) writer.varint(value);
  writer.u32(0);
  for (const value of [0, 1]) writer.varint(value);
  writer.u32(0);
  for (const value of [0, 0]) writer.varint(value);
  expect(decodeMeta(sealFrame(writer))).toMatchObject({ ok: false, kind: "damaged", message: "vote" });
});
