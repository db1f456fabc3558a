/** Numbers and byte strings in a row, for the driver's framing of commands and for snapshots. Integers take 7 bits a byte, the lowest first. */

/** Most bytes of an integer. */
export const integerBytes = 8;

/** A safe integer, not negative, at `at`, where there is room for it; returns where it ends. */
export function writeInteger(bytes: Uint8Array, at: number, value: number): number {
  let end = at;
  let rest = value;
  for (; rest > 0x7fffffff; rest = Math.floor(rest / 128)) bytes[end++] = (rest % 128) + 128;
  for (; rest >= 128; rest >>= 7) bytes[end++] = (rest & 127) | 128;
  bytes[end++] = rest;
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

/** The rest of `bytes`, in the same memory. As `subarray`, which asks first what kind of array to make, and takes several times as long. */
export function bytesFrom(bytes: Uint8Array, at: number): Uint8Array {
  const from = Math.min(at, bytes.byteLength);
  return new Uint8Array(bytes.buffer, bytes.byteOffset + from, bytes.byteLength - from);
}

/** Reads what a ByteWriter wrote. After a fault `sound` is false, and what was read means nothing. */
export class ByteReader {
  sound = true;
  #at = 0;
  #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** From the start of others. */
  begin(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#at = 0;
    this.sound = true;
  }

  integer(): number {
    let value = 0;
    // Nearly all fit into 28 bits, and whole machine words are quicker than numbers.
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#bytes[this.#at++] ?? -1;
      if (byte < 0) return this.#unsound();
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
    for (let scale = 2 ** 28; scale < 2 ** 56; scale *= 128) {
      const byte = this.#bytes[this.#at++] ?? -1;
      if (byte < 0) return this.#unsound();
      value += (byte & 127) * scale;
      if (byte < 128) return Number.isSafeInteger(value) ? value : this.#unsound();
    }
    return this.#unsound();
  }

  #unsound(): number {
    this.sound = false;
    return 0;
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
    const { buffer, byteOffset, byteLength } = this.#bytes;
    if (this.#at > byteLength) return new Uint8Array(0);
    // Done for every command that is applied: `subarray` would ask first what kind of array to make.
    const bytes = new Uint8Array(buffer, byteOffset + this.#at, byteLength - this.#at);
    this.#at = byteLength;
    return bytes;
  }
}
