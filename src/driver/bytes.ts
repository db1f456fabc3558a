/** Numbers and byte strings in a row, for the driver's framing of commands and for snapshots. Integers take 7 bits a byte, the lowest first. */

/** Most bytes of an integer. */
export const integerBytes = 8;
const wordScale = 2 ** 28;

/** A safe integer, not negative, at `at`, where there is room for it; returns where it ends. */
export function writeInteger(bytes: Uint8Array, at: number, value: number): number {
  let end = at;
  let rest = value;
  // Whole machine words are quicker than numbers: four bytes of the lowest 28 bits, then what is above.
  if (value > 0x7fffffff) {
    rest = Math.floor(value / wordScale);
    let word = value - rest * wordScale;
    for (let count = 0; count < 4; count++, word >>= 7) bytes[end++] = (word & 127) | 128;
  }
  for (; rest >= 128; rest >>= 7) bytes[end++] = (rest & 127) | 128;
  bytes[end++] = rest;
  return end;
}

/**
 * So many integers from `at` on, into `into`; returns where they end, or 0 if there is a fault: what was read means nothing then. Each committed
 * command is read so on each node, hence without a reader whose place would be stored after each byte.
 */
export function readIntegers(bytes: Uint8Array, at: number, count: number, into: number[]): number {
  let end = at;
  for (let place = 0; place < count; place++) {
    let low = 0;
    let high = 0;
    let shift = 0;
    let byte = 128;
    // Nearly all fit into 28 bits, and whole machine words are quicker than numbers.
    for (; byte >= 128 && shift < 28; shift += 7) {
      byte = bytes[end++] ?? -1;
      if (byte < 0) return 0;
      low |= (byte & 127) << shift;
    }
    for (shift = 0; byte >= 128 && shift < 28; shift += 7) {
      byte = bytes[end++] ?? -1;
      if (byte < 0) return 0;
      high |= (byte & 127) << shift;
    }
    const value = high === 0 ? low : low + high * wordScale;
    if (byte >= 128 || !Number.isSafeInteger(value)) return 0;
    into[place] = value;
  }
  return end;
}

export class ByteWriter {
  #bytes: Uint8Array;
  #length = 0;

  constructor(capacity = 64) {
    this.#bytes = new Uint8Array(capacity);
  }

  /** A safe integer, not negative. */
  integer(value: number): this {
    this.#reserve(integerBytes);
    this.#length = writeInteger(this.#bytes, this.#length, value);
    return this;
  }

  /** With its length before it. */
  bytes(bytes: Uint8Array): this {
    return this.integer(bytes.byteLength).rest(bytes);
  }

  /** Without a length: the last in the row. */
  rest(bytes: Uint8Array): this {
    this.#reserve(bytes.byteLength);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.byteLength;
    return this;
  }

  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + more));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

/** Reads what a ByteWriter wrote. After a fault `sound` is false, and what was read means nothing. */
export class ByteReader {
  sound = true;
  #at = 0;
  readonly #bytes: Uint8Array;
  readonly #one = [0];

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  integer(): number {
    const end = readIntegers(this.#bytes, this.#at, 1, this.#one);
    if (end === 0) {
      this.sound = false;
      return 0;
    }
    this.#at = end;
    return this.#one[0] ?? 0;
  }

  bytes(): Uint8Array {
    const length = this.integer();
    const end = this.#at + length;
    if (end > this.#bytes.length) this.sound = false;
    const bytes = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return bytes;
  }

  rest(): Uint8Array {
    const bytes = this.#bytes.subarray(this.#at);
    this.#at = this.#bytes.byteLength;
    return bytes;
  }
}
