import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { snapshotAt } from "./contract.ts";
import { beginFrame, sealFrame } from "./frame.ts";
import {
  assertSnapshot,
  decodeSnapshotChunk,
  decodeSnapshotHeader,
  encodeSnapshotChunks,
  encodeSnapshotHeader,
  SNAPSHOT_CHUNK_BYTES,
  snapshotMetaOf,
} from "./snapshot-record.ts";

const snapshot = snapshotAt(2 ** 40, 300, 20);
const header = encodeSnapshotHeader(snapshot);
const [chunk = new Uint8Array(0)] = encodeSnapshotChunks(snapshot.data);
const decoders = { snapshotHeader: decodeSnapshotHeader, snapshotChunk: decodeSnapshotChunk } as const;
const values = { snapshotHeader: header, snapshotChunk: chunk } as const;
const kinds = ["snapshotHeader", "snapshotChunk"] as const;

test("a header is read back as it was written", () => {
  const joint = { voters: ["A"], votersOld: ["A", "B"], learners: [] };
  for (const meta of [snapshotMetaOf(snapshot), { ...snapshotMetaOf(snapshotAt(1, 1, 0)), configuration: joint }]) {
    expect(decodeSnapshotHeader(encodeSnapshotHeader(meta))).toEqual({ ok: true, value: meta });
  }
});

test("chunks hold all of the data, at most 1 MiB each", () => {
  for (const size of [0, 1, SNAPSHOT_CHUNK_BYTES, SNAPSHOT_CHUNK_BYTES + 1, 3 * SNAPSHOT_CHUNK_BYTES]) {
    const { data } = snapshotAt(1, 1, size);
    const chunks = encodeSnapshotChunks(data).map((bytes) => decodeSnapshotChunk(bytes));
    const read = chunks.map((one) => (one.ok ? one.value : { offset: -1, data: new Uint8Array(0) }));
    expect(read.map(({ offset }) => offset)).toEqual(read.map((_, at) => at * SNAPSHOT_CHUNK_BYTES));
    expect(read).toHaveLength(Math.ceil(size / SNAPSHOT_CHUNK_BYTES));
    expect(Buffer.concat(read.map((one) => one.data)).equals(data)).toBe(true);
  }
});

describe.each(kinds)("%s", (kind) => {
  const decode = decoders[kind];
  const bytes = values[kind];

  test("every damaged byte is noticed, whatever it became", () => {
    for (let at = 0; at < bytes.length; at++) {
      for (let flip = 1; flip < 256; flip++) {
        const damaged = bytes.slice();
        damaged[at] = (damaged[at] ?? 0) ^ flip;
        const { ok, kind: what } = decode(damaged) as { ok: boolean; kind?: string };
        if (ok || what !== "damaged") expect.fail(`byte ${at} flipped by ${flip}`);
      }
    }
  });

  test("cut short, or with something behind it, it is damaged", () => {
    for (let length = 0; length < bytes.length; length++) {
      expect(decode(bytes.slice(0, length))).toMatchObject({ ok: false, kind: "damaged" });
    }
    expect(decode(Uint8Array.of(...bytes, 0))).toMatchObject({ ok: false, kind: "damaged" });
  });

  test("anything at all is answered, never thrown at", () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.anything()), (value) => {
        expect(decode(value)).toMatchObject({ ok: false, kind: "damaged" });
      }),
    );
  });

  test("any body under a sound checksum is answered too", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (body) => {
        const writer = beginFrame(kind, 64);
        for (const byte of body) writer.u8(byte);
        const sealed = sealFrame(writer);
        const decoded = decode(sealed);
        if (!decoded.ok) expect(decoded.kind).toBe("damaged");
        else if (kind === "snapshotHeader") expect(encodeSnapshotHeader(decoded.value as typeof snapshot)).toEqual(sealed);
      }),
      { numRuns: 1000 },
    );
  });

  test("a newer format version is of the future; the other kind is none", () => {
    const writer = beginFrame(kind, 0, 3);
    for (const byte of bytes.subarray(12)) writer.u8(byte);
    expect(decode(sealFrame(writer))).toMatchObject({ ok: false, kind: "future" });
    for (const other of kinds) if (other !== kind) expect(decode(values[other])).toMatchObject({ ok: false, kind: "damaged" });
  });
});

test.each([
  ["index 0", { index: 0, configurationIndex: 0 }],
  ["term 0", { term: 0 }],
  ["a configuration from behind it", { configurationIndex: snapshot.index + 1 }],
  ["another size", { size: 21 }],
  ["another checksum", { checksum: snapshot.checksum ^ 1 }],
  ["a checksum that is no such", { checksum: -1 }],
  ["a learner that votes", { configuration: { voters: ["A"], votersOld: [], learners: ["A"] } }],
])("a snapshot with %s is our own mistake", (_name, fields) => {
  expect(() => assertSnapshot({ ...snapshot, ...fields })).toThrow("assertion");
});

test("a senseless field under a sound checksum is damage", () => {
  for (const numbers of [
    [0, 1, 0, 0],
    [1, 0, 0, 0],
    [1, 1, 2, 0],
  ]) {
    const writer = beginFrame("snapshotHeader", 16);
    for (const value of numbers) writer.varint(value);
    writer.u32(0);
    for (const count of [0, 0, 0]) writer.varint(count);
    expect(decodeSnapshotHeader(sealFrame(writer))).toMatchObject({ ok: false, kind: "damaged" });
  }
});
