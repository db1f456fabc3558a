/**
 * Reading and writing of binary fields. The reader never throws: its first fault sticks, and what is read after it is empty.
 * Every value has exactly one encoding, so equal messages are equal bytes.
 */

const text = { encoder: new TextEncoder(), decoder: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }) };
const ID = /^[A-Za-z0-9_-]{1,64}$/;
const EMPTY = new Uint8Array(0);
/** What a writer that is used again keeps at most. */
const MAX_KEPT_BYTES = 64 * 1024;
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Of a lower-case hexadecimal digit's character code. */
function digitOf(code: number): number {
  return code < 0x3a ? code - 0x30 : code - 0x57;
}

/** Whether a text may name a node. */
export function isNodeId(id: string): boolean {
  return ID.test(id);
}

/** Ours, never the world's: what is encoded was made by this program. */
function mustBe(condition: boolean, law: string): asserts condition {
  if (!condition) throw new Error(`Cannot be encoded: ${law}.`);
}

/** Grows as needed. Each method throws on a value that no reader would accept: such a value is a mistake of this program. */
export class ByteWriter {
  #bytes = new Uint8Array(256);
  #length = 0;

  /** Begins anew, in the memory that it has, unless that is much. */
  reset(): this {
    if (this.#bytes.length > MAX_KEPT_BYTES) this.#bytes = new Uint8Array(256);
    this.#length = 0;
    return this;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length] = value;
    this.#length += 1;
  }

  boolean(value: boolean): void {
    this.byte(value ? 1 : 0);
  }

  uint32(value: number): void {
    mustBe(Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff, "32 bits");
    this.#reserve(4);
    this.#bytes[this.#length++] = value >>> 24;
    this.#bytes[this.#length++] = (value >>> 16) & 0xff;
    this.#bytes[this.#length++] = (value >>> 8) & 0xff;
    this.#bytes[this.#length++] = value & 0xff;
  }

  /** A safe integer from 0, seven bits a byte, the lowest first. */
  integer(value: number): void {
    mustBe(Number.isSafeInteger(value) && value >= 0, "a safe integer from 0");
    let rest = value;
    while (rest > 0x7f) {
      this.byte((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    this.byte(rest);
  }

  bytes(value: Uint8Array): void {
    this.integer(value.length);
    this.raw(value);
  }

  /** Without a length before it. */
  raw(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  string(value: string): void {
    this.bytes(text.encoder.encode(value));
  }

  id(value: string): void {
    mustBe(ID.test(value), "a node id");
    this.string(value);
  }

  /** 32 lower-case hexadecimal digits. */
  hex128(value: string): void {
    mustBe(/^[0-9a-f]{32}$/.test(value), "32 hexadecimal digits");
    this.#reserve(16);
    for (let at = 0; at < 32; at += 2)
      this.#bytes[this.#length++] = (digitOf(value.charCodeAt(at)) << 4) | digitOf(value.charCodeAt(at + 1));
  }

  optional<Value>(value: Value | null, write: (value: Value) => void): void {
    this.boolean(value !== null);
    if (value !== null) write(value);
  }

  list<Item>(items: readonly Item[], write: (item: Item) => void): void {
    this.integer(items.length);
    for (const item of items) write(item);
  }

  oneOf<Word extends string>(words: readonly Word[], word: Word): void {
    const at = words.indexOf(word);
    mustBe(at >= 0, "a known word");
    this.byte(at);
  }

  /** A copy of what was written. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + more));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}

export type ReadFault = "tooShort" | "badInteger" | "badBoolean" | "badWord" | "badId" | "badText" | "badList" | "trailingBytes";

export class ByteReader {
  #at = 0;
  #fault: ReadFault | null = null;

  constructor(private readonly source: Uint8Array) {}

  /** What was wrong first; `null` so far nothing. */
  get fault(): ReadFault | null {
    return this.#fault;
  }

  fail(fault: ReadFault): void {
    this.#fault ??= fault;
    this.#at = this.source.length;
  }

  byte(): number {
    const value = this.source[this.#at];
    if (value === undefined) {
      this.fail("tooShort");
      return 0;
    }
    this.#at += 1;
    return value;
  }

  boolean(): boolean {
    const value = this.byte();
    if (value > 1) this.fail("badBoolean");
    return value === 1;
  }

  uint32(): number {
    return ((this.byte() << 24) | (this.byte() << 16) | (this.byte() << 8) | this.byte()) >>> 0;
  }

  integer(): number {
    let value = 0;
    let scale = 1;
    // 8 bytes hold 56 bits, more than a safe integer has.
    for (let count = 1; count <= 8; count += 1) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      scale *= 0x80;
      if (byte < 0x80) {
        const shortest = byte > 0 || count === 1;
        if (shortest && Number.isSafeInteger(value)) return value;
        break;
      }
    }
    this.fail("badInteger");
    return 0;
  }

  /** A copy, so that what is kept does not keep the whole message. */
  bytes(): Uint8Array<ArrayBuffer> {
    return this.raw(this.integer());
  }

  raw(length: number): Uint8Array<ArrayBuffer> {
    if (length > this.source.length - this.#at) {
      this.fail("tooShort");
      return EMPTY;
    }
    const value = this.source.slice(this.#at, this.#at + length);
    this.#at += length;
    return value;
  }

  string(): string {
    const bytes = this.bytes();
    try {
      return text.decoder.decode(bytes);
    } catch {
      this.fail("badText");
      return "";
    }
  }

  id(): string {
    const id = this.string();
    if (!ID.test(id)) this.fail("badId");
    return id;
  }

  hex128(): string {
    if (this.source.length - this.#at < 16) {
      this.fail("tooShort");
      return "";
    }
    let hex = "";
    for (const end = this.#at + 16; this.#at < end; this.#at += 1) hex += HEX[this.source[this.#at] ?? 0];
    return hex;
  }

  optional<Value>(read: () => Value): Value | null {
    return this.boolean() ? read() : null;
  }

  /** `leastBytes`: what the shortest item takes; a longer list than the rest of the message can hold is refused before it is built. */
  list<Item>(leastBytes: number, read: (position: number) => Item): Item[] {
    const count = this.integer();
    if (count * leastBytes > this.source.length - this.#at) {
      this.fail("badList");
      return [];
    }
    const items: Item[] = [];
    while (items.length < count && this.#fault === null) items.push(read(items.length));
    return items;
  }

  /** The first word stands for an unknown one, along with the fault. */
  oneOf<Word extends string>(words: readonly [Word, ...Word[]]): Word {
    const word = words[this.byte()];
    if (word !== undefined) return word;
    this.fail("badWord");
    return words[0];
  }

  /** Everything must have been read. */
  end(): void {
    if (this.#at !== this.source.length) this.fail("trailingBytes");
  }
}
