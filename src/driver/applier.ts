/**
 * Between the log and the state machine: committed entries in, in order and each once, a repeated command answered from its session;
 * responses kept a while, for a proposer whose answer is overtaken by its own entry.
 */
import { assert } from "../raft/mod.ts";
import type { CommandEntry, Entry, LogIndex, Snapshot } from "../raft/types.ts";
import { ByteReader, ByteWriter } from "./bytes.ts";
import { type Framed, readFramed } from "./framing.ts";
import type { Applied, StateMachine } from "./interfaces.ts";
import { SessionTable } from "./session-table.ts";

/** Of a command in a session that is unknown here or has ended. */
export const sessionExpired = Symbol("session expired");
const responsesKept = 4096;
const snapshotVersion = 1;

export class Applier<Command, Response, AppError> {
  lastApplied: LogIndex;
  readonly #machine: StateMachine<Command, Response, AppError>;
  readonly #sessions = new SessionTable<Response>();
  /** By index modulo `responsesKept`; whose they are says the array beside. */
  readonly #responses = new Array<Response | typeof sessionExpired | null>(responsesKept).fill(null);
  readonly #responseIndexes = new Array<LogIndex>(responsesKept).fill(0);
  readonly #listeners = new Set<(applied: readonly Applied<Command>[]) => void>();
  readonly #restoreListeners = new Set<() => void>();

  constructor(machine: StateMachine<Command, Response, AppError>) {
    this.lastApplied = 0;
    this.#machine = machine;
  }

  apply(entries: readonly Entry[]): void {
    const applied: Applied<Command>[] = [];
    const framing: (Framed | null)[] = [];
    for (const entry of entries) {
      assert(entry.index === this.lastApplied + 1, "entries are applied in order, each once");
      this.lastApplied = entry.index;
      if (entry.kind === "command") this.#take(entry, applied, framing);
    }
    this.#run(applied, framing);
  }

  /** A command of a session is judged only after those before it have their responses: it may repeat one of them. */
  #take(entry: CommandEntry, applied: Applied<Command>[], framing: (Framed | null)[]): void {
    const framed = readFramed(entry.command);
    if (framed.kind === "plain") {
      applied.push({ index: entry.index, term: entry.term, command: this.#machine.decode(framed.body) });
      framing.push(null);
    } else if (framed.kind === "register") {
      this.#sessions.register(entry.index, framed);
    } else if (framed.kind === "session") {
      if (applied.length > 0 && this.#sessions.mayRepeat(framed)) this.#run(applied.splice(0), framing.splice(0));
      const verdict = this.#sessions.judge(framed);
      if (verdict.kind === "repeated") this.#keep(entry.index, verdict.response);
      if (verdict.kind === "expired") this.#keep(entry.index, sessionExpired);
      if (verdict.kind !== "new") return;
      applied.push({ index: entry.index, term: entry.term, command: this.#machine.decode(framed.body) });
      framing.push(framed);
    }
  }

  #run(applied: readonly Applied<Command>[], framing: readonly (Framed | null)[]): void {
    if (applied.length === 0) return;
    const responses = this.#machine.apply(applied);
    assert(responses.length === applied.length, "a state machine answers each command");
    for (let at = 0; at < applied.length; at++) {
      const response = responses[at] as Response;
      const framed = framing[at];
      this.#keep(applied[at]?.index ?? 0, response);
      if (framed?.kind === "session") this.#sessions.record(framed.session, framed.serial, response);
    }
    for (const listener of [...this.#listeners]) listener(applied);
  }

  #keep(index: LogIndex, response: Response | typeof sessionExpired): void {
    this.#responses[index % responsesKept] = response;
    this.#responseIndexes[index % responsesKept] = index;
  }

  /** `null` for an entry that is no command, or was applied too long ago. */
  responseAt(index: LogIndex): Response | typeof sessionExpired | null {
    const place = index % responsesKept;
    return this.#responseIndexes[place] === index ? (this.#responses[place] ?? null) : null;
  }

  /** The state machine and the sessions through `lastApplied`. */
  snapshot(): Uint8Array {
    const writer = new ByteWriter(4096).integer(snapshotVersion);
    this.#sessions.write(writer, (response) => this.#machine.encodeResponse(response));
    return writer.rest(this.#machine.snapshot()).finish().slice();
  }

  /** @throws AssertionFailed, or what the state machine throws, if this version cannot read it */
  restore(snapshot: Snapshot): void {
    const reader = new ByteReader(snapshot.data);
    assert(reader.integer() === snapshotVersion, "a snapshot of a later version cannot be read");
    this.#sessions.read(reader, (bytes) => this.#machine.decodeResponse(bytes));
    assert(reader.sound, "a snapshot that passed its checksum can be read");
    this.#machine.restore(reader.rest());
    this.#responses.fill(null);
    this.#responseIndexes.fill(0);
    this.lastApplied = snapshot.index;
    for (const listener of [...this.#restoreListeners]) listener();
  }

  /** `onRestore`: the state machine has become another; what was applied before it says nothing any more. */
  subscribe(past: readonly Entry[], listener: (applied: readonly Applied<Command>[]) => void, onRestore: () => void): () => void {
    const commands = past.flatMap((entry) => (entry.kind === "command" ? this.#decode(entry) : []));
    if (commands.length > 0) listener(commands);
    this.#listeners.add(listener);
    this.#restoreListeners.add(onRestore);
    return () => {
      this.#listeners.delete(listener);
      this.#restoreListeners.delete(onRestore);
    };
  }

  #decode(entry: CommandEntry): readonly Applied<Command>[] {
    const framed = readFramed(entry.command);
    const body = framed.kind === "plain" || framed.kind === "session" ? framed.body : null;
    return body ? [{ index: entry.index, term: entry.term, command: this.#machine.decode(body) }] : [];
  }
}
