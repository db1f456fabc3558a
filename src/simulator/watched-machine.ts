/**
 * A state machine within another that numbers each command, so that whoever watches knows which one is applied, where, and what became of it.
 * Snapshots carry the running hash of all that was applied, beside the state itself.
 */
import { ByteReader, ByteWriter } from "../driver/bytes.ts";
import type { Applied, StateMachine } from "../driver/interfaces.ts";
import type { LogIndex } from "../raft/types.ts";

export interface Numbered<Command> {
  /** One for each wish of a client, in the whole run. */
  readonly number: number;
  readonly command: Command;
}

export interface AppliedListener<Response> {
  /** `chain`: of all numbers applied so far, in order. */
  applied(index: LogIndex, number: number, chain: number, response: Response): void;
}

export class WatchedMachine<Command, Response> implements StateMachine<Numbered<Command>, Response, unknown> {
  /** Hash of all numbers, in order. */
  chain = 17;
  count = 0;
  readonly inner: StateMachine<Command, Response, unknown>;
  readonly #listener: AppliedListener<Response>;

  constructor(inner: StateMachine<Command, Response, unknown>, listener: AppliedListener<Response>) {
    this.inner = inner;
    this.#listener = listener;
  }

  encode({ number, command }: Numbered<Command>): Uint8Array {
    const body = this.inner.encode(command);
    const bytes = new Uint8Array(4 + body.length);
    for (let at = 0; at < 4; at++) bytes[at] = number >>> (8 * at);
    bytes.set(body, 4);
    return bytes;
  }

  decode(bytes: Uint8Array): Numbered<Command> {
    let number = 0;
    for (let at = 3; at >= 0; at--) number = number * 256 + (bytes[at] ?? 0);
    return { number, command: this.inner.decode(bytes.subarray(4)) };
  }

  validate({ command }: Numbered<Command>): unknown {
    return this.inner.validate(command);
  }

  apply(applied: readonly Applied<Numbered<Command>>[]): readonly Response[] {
    const responses = this.inner.apply(applied.map(({ index, term, command }) => ({ index, term, command: command.command })));
    for (let at = 0; at < applied.length; at++) {
      const { index, command } = applied[at] as Applied<Numbered<Command>>;
      this.chain = (Math.imul(this.chain, 31) + command.number) | 0;
      this.count++;
      this.#listener.applied(index, command.number, this.chain, responses[at] as Response);
    }
    return responses;
  }

  encodeResponse(response: Response): Uint8Array {
    return this.inner.encodeResponse(response);
  }

  decodeResponse(bytes: Uint8Array): Response {
    return this.inner.decodeResponse(bytes);
  }

  snapshot(): Uint8Array {
    const state = this.inner.snapshot();
    return new ByteWriter(64)
      .integer(this.chain >>> 0)
      .integer(this.count)
      .rest(state)
      .finish()
      .slice();
  }

  restore(bytes: Uint8Array): void {
    const reader = new ByteReader(bytes);
    this.chain = reader.integer() | 0;
    this.count = reader.integer();
    this.inner.restore(reader.rest());
  }
}
