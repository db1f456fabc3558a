/** A state machine that notices everything: it remembers each command and a running hash of all of them, in order. */
import type { Applied, StateMachine } from "../driver/interfaces.ts";
import type { LogIndex } from "../raft/types.ts";

export interface Appended {
  readonly position: number;
  readonly hash: number;
}

/** Commands are names; equal histories have equal hashes. */
export class HashChain implements StateMachine<string, Appended, string> {
  hash = 17;
  readonly commands: { readonly index: LogIndex; readonly command: string }[] = [];
  readonly #encoder = new TextEncoder();
  readonly #decoder = new TextDecoder();

  encode(command: string): Uint8Array {
    return this.#encoder.encode(command);
  }

  decode(bytes: Uint8Array): string {
    return this.#decoder.decode(bytes);
  }

  encodeResponse({ position, hash }: Appended): Uint8Array {
    return this.#encoder.encode(`${position} ${hash}`);
  }

  decodeResponse(bytes: Uint8Array): Appended {
    const [position = 0, hash = 0] = this.#decoder.decode(bytes).split(" ").map(Number);
    return { position, hash };
  }

  snapshot(): Uint8Array {
    return this.#encoder.encode(JSON.stringify([this.hash, this.commands]));
  }

  restore(bytes: Uint8Array): void {
    const [hash, commands] = JSON.parse(this.#decoder.decode(bytes)) as [number, HashChain["commands"]];
    this.hash = hash;
    this.commands.splice(0, this.commands.length, ...commands);
  }

  validate(command: string): string | null {
    return command === "" ? "a command has a name" : null;
  }

  apply(applied: readonly Applied<string>[]): readonly Appended[] {
    return applied.map(({ index, command }) => {
      this.commands.push({ index, command });
      for (let at = 0; at < command.length; at++) this.hash = (Math.imul(this.hash, 31) + command.charCodeAt(at)) | 0;
      return { position: this.commands.length, hash: this.hash };
    });
  }
}
