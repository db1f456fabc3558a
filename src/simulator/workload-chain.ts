/** Words that are appended to a running hash: a state machine that remembers everything in one number. */
import type { Applied, StateMachine } from "../driver/interfaces.ts";
import type { Appended } from "./machine.ts";
import type { Chance, Workload } from "./workloads.ts";

export class RunningHash implements StateMachine<string, Appended, string> {
  #hash = 17;
  #position = 0;
  readonly #encoder = new TextEncoder();
  readonly #decoder = new TextDecoder();

  /** One byte a letter: it is done very often. */
  encode(command: string): Uint8Array {
    const bytes = new Uint8Array(command.length);
    for (let at = 0; at < command.length; at++) bytes[at] = command.charCodeAt(at);
    return bytes;
  }

  decode(bytes: Uint8Array): string {
    let command = "";
    for (let at = 0; at < bytes.length; at++) command += String.fromCharCode(bytes[at] ?? 0);
    return command;
  }

  encodeResponse({ position, hash }: Appended): Uint8Array {
    return this.#encoder.encode(`${position} ${hash}`);
  }

  decodeResponse(bytes: Uint8Array): Appended {
    const [position = 0, hash = 0] = this.#decoder.decode(bytes).split(" ").map(Number);
    return { position, hash };
  }

  snapshot(): Uint8Array {
    return this.encodeResponse({ position: this.#position, hash: this.#hash });
  }

  restore(bytes: Uint8Array): void {
    const { position, hash } = this.decodeResponse(bytes);
    this.#position = position;
    this.#hash = hash;
  }

  validate(command: string): string | null {
    return command === "" ? "a command has a name" : null;
  }

  apply(applied: readonly Applied<string>[]): readonly Appended[] {
    return applied.map(({ command }) => {
      for (let at = 0; at < command.length; at++) this.#hash = (Math.imul(this.#hash, 31) + command.charCodeAt(at)) | 0;
      return { position: ++this.#position, hash: this.#hash };
    });
  }
}

export function chainWorkload(chance: Chance, readPercent = 20): Workload<string, Appended> {
  let words = 0;
  return {
    name: "chain",
    createMachine: () => new RunningHash(),
    next: () => {
      if (chance.chance(readPercent)) return { command: null, idempotent: true };
      return { command: `c${++words}`, idempotent: chance.chance(50) };
    },
    finish: () => undefined,
  };
}
