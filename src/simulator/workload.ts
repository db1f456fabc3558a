/** A state machine to check histories with: a few registers, and a version that counts every change of any of them. */
import { ByteReader, ByteWriter } from "../driver/bytes.ts";
import type { Applied, StateMachine } from "../driver/interfaces.ts";

/** Values are safe integers, not negative; every key holds 0 at first. */
export type WorkloadCommand =
  | { readonly kind: "set"; readonly key: string; readonly value: number }
  | { readonly kind: "compareAndSet"; readonly key: string; readonly expected: number; readonly value: number }
  /** Bytes that are no command: changes nothing. */
  | { readonly kind: "unreadable" };

export interface WorkloadResponse {
  /** What the key held before the command. */
  readonly found: number;
  /** Changes of any key so far, with that of this command. */
  readonly version: number;
  /** Whether the command changed its key: even to the same value. */
  readonly changed: boolean;
}

/** Characters. */
export const maxKeyLength = 64;
const kindSet = 1;
const kindCompareAndSet = 2;

export class Registers implements StateMachine<WorkloadCommand, WorkloadResponse, string> {
  readonly #values = new Map<string, number>();
  #version = 0;
  readonly #encoder = new TextEncoder();
  readonly #decoder = new TextDecoder();

  /** What stands here now; linearizable only behind a `read` of the node. */
  read(key: string): WorkloadResponse {
    return { found: this.#values.get(key) ?? 0, version: this.#version, changed: false };
  }

  encode(command: WorkloadCommand): Uint8Array {
    if (command.kind === "unreadable") return new Uint8Array();
    const writer = new ByteWriter().integer(command.kind === "set" ? kindSet : kindCompareAndSet).integer(command.value);
    if (command.kind === "compareAndSet") writer.integer(command.expected);
    return writer.rest(this.#encoder.encode(command.key)).finish();
  }

  decode(bytes: Uint8Array): WorkloadCommand {
    const reader = new ByteReader(bytes);
    const kind = reader.integer();
    const value = reader.integer();
    const expected = kind === kindCompareAndSet ? reader.integer() : 0;
    // Behind a fault there is no rest to read.
    const key = reader.sound ? this.#decoder.decode(reader.rest()) : "";
    if ((kind !== kindSet && kind !== kindCompareAndSet) || !isKey(key)) return { kind: "unreadable" };
    return kind === kindSet ? { kind: "set", key, value } : { kind: "compareAndSet", key, expected, value };
  }

  validate(command: WorkloadCommand): string | null {
    if (command.kind === "unreadable") return "no command";
    if (!isKey(command.key)) return `a key has 1 to ${maxKeyLength} characters`;
    const values = command.kind === "set" ? [command.value] : [command.value, command.expected];
    return values.every((value) => Number.isSafeInteger(value) && value >= 0) ? null : "a value is a safe integer, not negative";
  }

  apply(applied: readonly Applied<WorkloadCommand>[]): readonly WorkloadResponse[] {
    return applied.map(({ command }) => this.#apply(command));
  }

  #apply(command: WorkloadCommand): WorkloadResponse {
    if (command.kind === "unreadable") return { found: 0, version: this.#version, changed: false };
    const { found } = this.read(command.key);
    const changed = command.kind === "set" || found === command.expected;
    if (changed) {
      this.#values.set(command.key, command.value);
      this.#version++;
    }
    return { found, version: this.#version, changed };
  }

  encodeResponse({ found, version, changed }: WorkloadResponse): Uint8Array {
    return new ByteWriter()
      .integer(found)
      .integer(version)
      .integer(changed ? 1 : 0)
      .finish();
  }

  decodeResponse(bytes: Uint8Array): WorkloadResponse {
    const reader = new ByteReader(bytes);
    return { found: reader.integer(), version: reader.integer(), changed: reader.integer() === 1 };
  }

  /** In the order of the keys, not of their first writes: a replica that was restored goes on the same. */
  snapshot(): Uint8Array {
    const writer = new ByteWriter().integer(this.#version).integer(this.#values.size);
    for (const key of [...this.#values.keys()].sort())
      writer.bytes(this.#encoder.encode(key)).integer(this.#values.get(key) ?? 0);
    return writer.finish();
  }

  restore(bytes: Uint8Array): void {
    const reader = new ByteReader(bytes);
    const version = reader.integer();
    const count = reader.integer();
    const values = new Map<string, number>();
    for (let at = 0; at < count && reader.sound; at++) values.set(this.#decoder.decode(reader.bytes()), reader.integer());
    if (!reader.sound || values.size !== count || reader.rest().length > 0) throw new Error("no snapshot of registers");
    this.#values.clear();
    for (const [key, value] of values) this.#values.set(key, value);
    this.#version = version;
  }
}

function isKey(key: string): boolean {
  return key.length > 0 && key.length <= maxKeyLength;
}
