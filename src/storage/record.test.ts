import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Configuration, Entry, HardState } from "../raft/types.ts";
import { ByteReader, ByteWriter } from "./bytes.ts";
import { beginFrame, sealFrame } from "./frame.ts";
import { chainSeed, checksumOf, decodeRecord, encodeRecord, type LogRecord } from "./record.ts";

const nodeId = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);
const configuration: fc.Arbitrary<Configuration> = fc
  .tuple(fc.uniqueArray(nodeId, { maxLength: 6 }), fc.uniqueArray(nodeId, { maxLength: 4 }), fc.nat(6))
  .map(([ids, old, cut]) => ({ voters: ids.slice(0, cut).sort(), votersOld: old.sort(), learners: ids.slice(cut).sort() }));
const payload = fc.oneof(
  fc.constant({ kind: "blank" as const }),
  fc.uint8Array({ maxLength: 300 }).map((command) => ({ kind: "command" as const, command })),
  configuration.map((value) => ({ kind: "configuration" as const, configuration: value })),
);
const entries: fc.Arbitrary<Entry[]> = fc
  .record({
    first: fc.integer({ min: 1, max: 2 ** 52 }),
    term: fc.integer({ min: 1, max: 2 ** 52 }),
    rest: fc.array(fc.tuple(payload, fc.nat(3)), { minLength: 1, maxLength: 12 }),
  })
  .map(({ first, term, rest }) => {
    let current = term;
    return rest.map(([body, rise], at) => {
      current += rise;
      return { ...body, index: first + at, term: current };
    });
  });
const chain = fc.nat(2 ** 32 - 1);
const count = fc.integer({ min: 0, max: 2 ** 52 });
const hardState: fc.Arbitrary<HardState> = fc
  .tuple(fc.integer({ min: 1, max: 2 ** 52 }), fc.option(nodeId))
  .map(([currentTerm, votedFor]) => ({ currentTerm, votedFor, generation: null }));
const record: fc.Arbitrary<LogRecord> = fc
  .record({ chain, number: count, hardState: fc.option(hardState), truncateFrom: fc.option(count), commitIndex: count, entries })
  .map((one) => ({ ...one, number: one.number + 1, truncateFrom: one.truncateFrom === null ? null : one.truncateFrom + 1 }));

function recordOf(batch: readonly Entry[], changes: Partial<LogRecord> = {}): LogRecord {
  return { chain: 77, number: 9, hardState: null, truncateFrom: null, commitIndex: 2, entries: batch, ...changes };
}

const sample: Entry[] = [
  { kind: "blank", index: 5, term: 3 },
  { kind: "command", index: 6, term: 3, command: Uint8Array.of(1, 2, 3, 250) },
  { kind: "configuration", index: 7, term: 400, configuration: { voters: ["A", "B"], votersOld: ["A"], learners: ["C"] } },
];

describe("a record", () => {
  test("is read back as it was written", () => {
    fc.assert(
      fc.property(record, (one) => {
        expect(decodeRecord(encodeRecord(one))).toEqual({ ok: true, value: one });
      }),
    );
    const truncation = recordOf([], { truncateFrom: 4 });
    expect(decodeRecord(encodeRecord(truncation))).toEqual({ ok: true, value: truncation });
  });

  test("has exactly one form: what can be read is what would be written", () => {
    let readable = 0;
    fc.assert(
      fc.property(fc.array(fc.nat(3), { maxLength: 16 }), chain, (body, value) => {
        const writer = beginFrame("record", 64);
        writer.u32(value);
        for (const byte of body) writer.u8(byte);
        const bytes = sealFrame(writer);
        const decoded = decodeRecord(bytes);
        if (!decoded.ok) return;
        readable += 1;
        expect(encodeRecord(decoded.value)).toEqual(bytes);
      }),
      { numRuns: 20_000 },
    );
    expect(readable).toBeGreaterThan(10);
  });

  test("keeps these bytes: the format on disk", () => {
    const generation = { number: 1, id: "ab".repeat(16), parentId: null, forkIndex: 0 };
    const whole = recordOf(sample, {
      chain: 0x01020304,
      hardState: { currentTerm: 400, votedFor: "A", generation },
      truncateFrom: 5,
    });
    const hex = Array.from(encodeRecord(whole), (byte) => byte.toString(16).padStart(2, "0")).join("");
    const id = "6162".repeat(16);
    const fields = `04030201 09 01 9003 01 0141 01 01 20${id} 00 00 01 05 02 03 05`;
    const header = "7472 01 02 58000000";
    const body = `${fields}  00 03  01 03 04 010203fa  02 9003 02 0141 0142 01 0141 01 0143`;
    expect(hex.slice(0, 16)).toBe(header.replaceAll(" ", ""));
    expect(hex.slice(24)).toBe(body.replaceAll(" ", ""));
  });

  test("every damaged byte is noticed, whatever it became", () => {
    const bytes = encodeRecord(recordOf(sample, { truncateFrom: 5 }));
    for (let at = 0; at < bytes.length; at++) {
      for (let flip = 1; flip < 256; flip++) {
        const damaged = bytes.slice();
        damaged[at] = (damaged[at] ?? 0) ^ flip;
        expect(decodeRecord(damaged)).toMatchObject({ ok: false, kind: "damaged" });
      }
    }
  });

  test("a record that is cut short, or has something behind it, is damaged", () => {
    const bytes = encodeRecord(recordOf(sample, { truncateFrom: 5 }));
    for (let length = 0; length < bytes.length; length++) {
      expect(decodeRecord(bytes.slice(0, length))).toMatchObject({ ok: false, kind: "damaged" });
    }
    expect(decodeRecord(Uint8Array.of(...bytes, 0))).toMatchObject({ ok: false, kind: "damaged" });
  });

  test("anything at all is answered, never thrown at", () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.anything()), (value) => {
        expect(decodeRecord(value)).toMatchObject({ ok: false, kind: "damaged" });
      }),
    );
  });

  test("a sound record of a newer format version is of the future, not damaged", () => {
    expect(decodeRecord(asVersion(3))).toMatchObject({ ok: false, kind: "future" });
    for (const version of [0, 1]) expect(decodeRecord(asVersion(version))).toMatchObject({ ok: false, kind: "damaged" });
  });

  test("its checksum depends on all records before it", () => {
    const seed = chainSeed("room", "A");
    expect(seed).not.toBe(chainSeed("room", "B"));
    expect(seed).not.toBe(chainSeed("moor", "A"));
    const [one, other] = [seed, seed + 1].map((value) => checksumOf(encodeRecord(recordOf(sample, { chain: value }))));
    expect(one).not.toBe(other);
  });
});

describe("a sound checksum does not excuse a senseless field", () => {
  const cases: Record<string, (writer: ByteWriter) => void> = {
    "number 0": (w) => numbers(w, 0, 0, 0, 0, 1, 1, 0, 1),
    "a vote in term 0": (w) => numbers(w, 1, 1, 0, 1, 1, 65, 0, 0, 0, 1, 1, 0, 1),
    "a truncation from 0": (w) => numbers(w, 1, 0, 1, 0, 0, 1, 1, 0, 1),
    "neither entries nor a truncation": (w) => fields(w, 0),
    "first index 0": (w) => fields(w, 1, 0, 0, 1),
    "more entries than there is room for": (w) => fields(w, 2 ** 40, 1, 0, 1),
    "an index that is not safe": (w) => fields(w, 1, Number.MAX_SAFE_INTEGER, 0, 1),
    "an unknown kind": (w) => fields(w, 1, 1, 3, 1),
    "term 0": (w) => fields(w, 1, 1, 0, 0),
    "a term that goes back": (w) => fields(w, 2, 1, 0, 5, 0, 4),
    "bytes after the last entry": (w) => fields(w, 1, 1, 0, 1, 0),
    "a command longer than the record": (w) => fields(w, 1, 1, 1, 1, 9, 1),
    "voters that are not sorted": (w) => configurationOf(w, ["B", "A"], [], []),
    "a voter twice": (w) => configurationOf(w, ["A", "A"], [], []),
    "a learner that is a voter": (w) => configurationOf(w, ["A"], [], ["A"]),
    "a node id with a space": (w) => configurationOf(w, ["A B"], [], []),
    "a node id without characters": (w) => configurationOf(w, [""], [], []),
  };
  test.each(Object.entries(cases))("%s", (_name, write) => {
    const writer = beginFrame("record", 64);
    writer.u32(0);
    write(writer);
    expect(decodeRecord(sealFrame(writer))).toMatchObject({ ok: false, kind: "damaged" });
  });

  test("and is refused when written", () => {
    const [first, second] = [sample[0], sample[2]];
    if (first === undefined || second === undefined) throw new Error("no sample");
    const batches = [[], [first, second], [{ ...first, term: 0 }], [{ ...first, index: 0 }]];
    for (const batch of batches) expect(() => encodeRecord(recordOf(batch))).toThrow("assertion");
    expect(() => encodeRecord(recordOf([first], { number: 0 }))).toThrow("assertion");
  });
});

test("an integer is read only in its shortest form", () => {
  for (const value of [0, 1, 127, 128, 2 ** 31, 2 ** 32, 2 ** 52 + 1, Number.MAX_SAFE_INTEGER]) {
    const writer = new ByteWriter(1);
    writer.varint(value);
    const reader = new ByteReader(writer.finish());
    expect([reader.varint(), reader.remaining, reader.failed]).toEqual([value, 0, false]);
  }
  for (const bytes of [[0x80, 0], [0xff, 0], Array(8).fill(0xff), [...Array(7).fill(0xff), 0x1f], []]) {
    const reader = new ByteReader(Uint8Array.from(bytes));
    expect([reader.varint(), reader.failed]).toEqual([0, true]);
  }
});

function asVersion(version: number): Uint8Array {
  const writer = beginFrame("record", 64, version);
  for (const byte of encodeRecord(recordOf(sample)).subarray(12)) writer.u8(byte);
  return sealFrame(writer);
}

function numbers(writer: ByteWriter, ...values: number[]): void {
  for (const value of values) writer.varint(value);
}

/** Number 1, without hard state and truncation, commit index 0; then what is given. */
function fields(writer: ByteWriter, ...values: number[]): void {
  numbers(writer, 1, 0, 0, 0, ...values);
}

function configurationOf(writer: ByteWriter, ...lists: string[][]): void {
  fields(writer, 1, 1, 2, 1);
  for (const list of lists) {
    writer.varint(list.length);
    for (const id of list) writer.text(id);
  }
}
