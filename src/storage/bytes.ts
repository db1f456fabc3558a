/** Writes and reads the bytes of stored things: a writer that grows, and a reader that never throws. Integers are little-endian. */
import { assert } from "./assert.ts";

/** A safe integer needs at most this many groups of seven bits. */
const VARINT_BYTES_MAX = 8;

/** How many bytes the varint of `value` takes. */
export function varintBytes(value: number): number {
  let count = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) count += 1;
  return count;
}

export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #length = 0;

  constructor(capacityBytes: number) {
    this.#bytes = new Uint8Array(capacityBytes);
    this.#view = new DataView(this.#bytes.buffer);
  }

  u8(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  u32(value: number): void {
    this.#reserve(4);
    this.#view.setUint32(this.#length, value, true);
    this.#length += 4;
  }

  /** A safe integer of at least 0, seven bits a byte, the lowest first, in the fewest bytes. */
  varint(value: number): void {
    if (value >= 0 && value < 128 && this.#length < this.#bytes.length && Number.isInteger(value)) {
      this.#bytes[this.#length++] = value;
      return;
    }
    assert(Number.isSafeInteger(value) && value >= 0, "not an unsigned integer");
    this.#reserve(varintBytes(value));
    let rest = value;
    while (rest >= 128) {
      this.#bytes[this.#length++] = (rest % 128) + 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#length++] = rest;
  }

  /** Length, then the bytes. */
  bytes(value: Uint8Array): void {
    this.varint(value.length);
    this.raw(value);
  }

  /** The bytes alone. */
  raw(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  text(value: string): void {
    this.bytes(new TextEncoder().encode(value));
  }

  /** What was written, in a buffer of exactly its size (a view would be stored together with all of its buffer). Ends the writer. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#length === this.#bytes.length ? this.#bytes : this.#bytes.slice(0, this.#length);
  }

  #reserve(more: number): void {
    const wanted = this.#length + more;
    if (wanted <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(wanted, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

/** After the first read that cannot be served `failed` stays true, and every read gives 0 or nothing. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at: number;
  failed = false;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = at;
  }

  get remaining(): number {
    return this.failed ? 0 : this.#bytes.length - this.#at;
  }

  u8(): number {
    return this.#take(1) ? this.#view.getUint8(this.#at - 1) : 0;
  }

  u32(): number {
    return this.#take(4) ? this.#view.getUint32(this.#at - 4, true) : 0;
  }

  varint(): number {
    let value = 0;
    for (let count = 0; count < VARINT_BYTES_MAX; count++) {
      const byte = this.u8();
      if (this.failed) return 0;
      value += (byte & 127) * 2 ** (7 * count);
      if (byte >= 128) continue;
      const shortest = byte !== 0 || count === 0;
      if (!shortest || !Number.isSafeInteger(value)) break;
      return value;
    }
    this.failed = true;
    return 0;
  }

  /** A view, not a copy. */
  bytes(): Uint8Array {
    const length = this.varint();
    return this.#take(length) ? this.#bytes.subarray(this.#at - length, this.#at) : new Uint8Array(0);
  }

  text(): string {
    const bytes = this.bytes();
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      this.failed = true;
      return "";
    }
  }

  #take(count: number): boolean {
    if (this.failed || count > this.#bytes.length - this.#at) {
      this.failed = true;
      return false;
    }
    this.#at += count;
    return true;
  }
}
