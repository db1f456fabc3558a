/**
 * Between the log and the state machine: committed entries in, in order and each once; responses kept a while, for a proposer whose
 * answer is overtaken by its own entry. The first byte of a command's entry says how the rest is framed.
 */
import { assert } from "../raft/mod.ts";
import type { Entry, LogIndex } from "../raft/types.ts";
import type { Applied, StateMachine } from "./interfaces.ts";

/** Framing of a command in an entry; 1 and up are kept for commands that carry a client session (diss. §6.3). */
const plainCommand = 0;
const responsesKept = 4096;

export class Applier<Command, Response, AppError> {
  lastApplied: LogIndex = 0;
  readonly #machine: StateMachine<Command, Response, AppError>;
  readonly #responses = new Map<LogIndex, Response>();
  readonly #listeners = new Set<(applied: readonly Applied<Command>[]) => void>();

  constructor(machine: StateMachine<Command, Response, AppError>) {
    this.#machine = machine;
  }

  encode(command: Command): Uint8Array {
    const body = this.#machine.encode(command);
    const bytes = new Uint8Array(body.byteLength + 1);
    bytes[0] = plainCommand;
    bytes.set(body, 1);
    return bytes;
  }

  apply(entries: readonly Entry[]): void {
    if (entries.length === 0) return;
    const commands: Applied<Command>[] = [];
    for (const entry of entries) {
      assert(entry.index === this.lastApplied + 1, "entries are applied in order, each once");
      this.lastApplied = entry.index;
      if (entry.kind === "command") commands.push(this.#decode(entry));
    }
    const responses = this.#machine.apply(commands);
    assert(responses.length === commands.length, "a state machine answers each command");
    for (const [position, { index }] of commands.entries()) this.#keep(index, responses[position]);
    if (commands.length > 0) for (const listener of [...this.#listeners]) listener(commands);
  }

  #decode(entry: Entry & { kind: "command" }): Applied<Command> {
    // Framing that this version does not know is handed on as it is: no command, the same on every replica.
    const body = entry.command[0] === plainCommand ? entry.command.subarray(1) : new Uint8Array(0);
    return { index: entry.index, term: entry.term, command: this.#machine.decode(body) };
  }

  #keep(index: LogIndex, response: Response | undefined): void {
    if (response === undefined) return;
    this.#responses.set(index, response);
    if (this.#responses.size > responsesKept) {
      const oldest = this.#responses.keys().next();
      if (!oldest.done) this.#responses.delete(oldest.value);
    }
  }

  /** `null` for an entry that is no command, or was applied too long ago. */
  responseAt(index: LogIndex): Response | null {
    return this.#responses.get(index) ?? null;
  }

  subscribe(past: readonly Entry[], listener: (applied: readonly Applied<Command>[]) => void): () => void {
    const commands = past.flatMap((entry) => (entry.kind === "command" ? [this.#decode(entry)] : []));
    if (commands.length > 0) listener(commands);
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
