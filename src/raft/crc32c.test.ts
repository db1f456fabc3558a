import { expect, test } from "vitest";
import { crc32c, joinCrc32c, tailCrc32c } from "./crc32c.ts";

/** Bit by bit, as the definition says. */
function plain(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

test("the check value of CRC-32C, and the vectors of RFC 3720", () => {
  expect(crc32c(new TextEncoder().encode("123456789"))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43);
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, at) => at))).toBe(0x46dd794e);
});

test("agrees with the definition at every length, whole and in two pieces", () => {
  const all = Uint8Array.from({ length: 100 }, (_, at) => (at * 151 + 7) & 255);
  for (let length = 0; length <= all.length; length++) {
    const bytes = all.subarray(0, length);
    expect(crc32c(bytes)).toBe(plain(bytes));
    const cut = length >> 1;
    expect(crc32c(bytes.subarray(cut), crc32c(bytes.subarray(0, cut)))).toBe(plain(bytes));
  }
});

test("what is known of two pieces is known of the whole, and of the tail what is known of whole and head", () => {
  const all = Uint8Array.from({ length: 9000 }, (_, at) => (at * 151 + (at >> 5)) & 255);
  for (const cut of [0, 1, 7, 8, 31, 4095, 4096, 4097, 8999, 9000]) {
    const [head, tail] = [crc32c(all.subarray(0, cut)), crc32c(all.subarray(cut))];
    expect(joinCrc32c(head, tail, all.length - cut)).toBe(crc32c(all));
    expect(tailCrc32c(crc32c(all), head, all.length - cut)).toBe(tail);
  }
  expect(crc32c(all)).toBe(plain(all));
});
