/**
 * Between the log and the state machine: committed entries in, in order and each once, a repeated command answered from its session;
 * responses kept a while, for a proposer whose answer is overtaken by its own entry.
 */
import { assert } from "../raft/mod.ts";
import type { CommandEntry, Entry, LogIndex, Snapshot, Term } from "../raft/types.ts";
import { ByteReader, ByteWriter } from "./bytes.ts";
import { FrameReader, type SessionId } from "./framing.ts";
import type { Applied, StateMachine } from "./interfaces.ts";
import { SessionTable } from "./session-table.ts";

/** Of a command in a session that is unknown here or has ended. */
export const sessionExpired = Symbol("session expired");
const responsesKept = 4096;
const snapshotVersion = 1;

type Decode<Command> = (bytes: Uint8Array) => Command;

/** A committed command as it stands in its entry; decoded when it is first looked at. */
class Committed<Command> implements Applied<Command> {
  readonly index: LogIndex;
  readonly term: Term;
  /** 0: in none. */
  readonly session: SessionId;
  readonly serial: number;
  readonly #decode: Decode<Command>;
  #bytes: Uint8Array | null;
  readonly #bodyAt: number;
  #command: Command | null = null;

  constructor(
    { index, term, command }: CommandEntry,
    decode: Decode<Command>,
    bodyAt: number,
    session: SessionId,
    serial: number,
  ) {
    this.index = index;
    this.term = term;
    this.session = session;
    this.serial = serial;
    this.#decode = decode;
    this.#bytes = command;
    this.#bodyAt = bodyAt;
  }

  get command(): Command {
    if (this.#bytes) {
      this.#command = this.#decode(this.#bytes.subarray(this.#bodyAt));
      this.#bytes = null;
    }
    return this.#command as Command;
  }
}

export class Applier<Command, Response, AppError> {
  lastApplied: LogIndex;
  /** Bytes of commands that were applied since the start. */
  appliedBytes = 0;
  readonly #machine: StateMachine<Command, Response, AppError>;
  readonly #sessions = new SessionTable<Response>();
  readonly #frame = new FrameReader();
  readonly #decode: Decode<Command>;
  /** By index modulo `responsesKept`; whose they are says the array beside. */
  readonly #responses = new Array<Response | typeof sessionExpired | null>(responsesKept).fill(null);
  readonly #responseIndexes = new Array<LogIndex>(responsesKept).fill(0);
  readonly #listeners = new Set<(applied: readonly Applied<Command>[]) => void>();
  readonly #restoreListeners = new Set<() => void>();

  constructor(machine: StateMachine<Command, Response, AppError>) {
    this.lastApplied = 0;
    this.#machine = machine;
    this.#decode = (bytes) => machine.decode(bytes);
  }

  apply(entries: readonly Entry[]): void {
    const run: Committed<Command>[] = [];
    for (const entry of entries) {
      assert(entry.index === this.lastApplied + 1, "entries are applied in order, each once");
      this.lastApplied = entry.index;
      if (entry.kind === "command") this.#take(entry, run);
    }
    this.#run(run);
  }

  /** A command of a session is judged only after those before it have their responses: it may repeat one of them. */
  #take(entry: CommandEntry, run: Committed<Command>[]): void {
    this.appliedBytes += entry.command.byteLength;
    const frame = this.#frame;
    const kind = frame.read(entry.command);
    if (kind === "plain") {
      run.push(new Committed(entry, this.#decode, frame.bodyAt, 0, 0));
    } else if (kind === "register") {
      this.#sessions.register(entry.index, frame);
    } else if (kind === "session") {
      if (run.length > 0 && this.#sessions.mayRepeat(frame)) this.#run(run.splice(0));
      const verdict = this.#sessions.judge(frame);
      if (verdict.kind === "repeated") this.#keep(entry.index, verdict.response);
      if (verdict.kind === "expired") this.#keep(entry.index, sessionExpired);
      if (verdict.kind !== "new") return;
      run.push(new Committed(entry, this.#decode, frame.bodyAt, frame.session, frame.serial));
    }
  }

  #run(run: readonly Committed<Command>[]): void {
    if (run.length === 0) return;
    const responses = this.#machine.apply(run);
    assert(responses.length === run.length, "a state machine answers each command");
    for (let at = 0; at < run.length; at++) {
      const { index, session, serial } = run[at] as Committed<Command>;
      const response = responses[at] as Response;
      this.#keep(index, response);
      if (session > 0) this.#sessions.record(session, serial, response);
    }
    for (const listener of [...this.#listeners]) listener(run);
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
    const commands: Committed<Command>[] = [];
    const frame = new FrameReader();
    for (const entry of past) {
      const kind = entry.kind === "command" ? frame.read(entry.command) : "unknown";
      if (entry.kind === "command" && (kind === "plain" || kind === "session"))
        commands.push(new Committed(entry, this.#decode, frame.bodyAt, 0, 0));
    }
    if (commands.length > 0) listener(commands);
    this.#listeners.add(listener);
    this.#restoreListeners.add(onRestore);
    return () => {
      this.#listeners.delete(listener);
      this.#restoreListeners.delete(onRestore);
    };
  }
}
