/** The four edges of the driver. Each is the smallest that the driver uses; each has a memory implementation and a contract suite. */
import type {
  Entry,
  HardState,
  LogIndex,
  Message,
  Millis,
  NodeId,
  Snapshot,
  SnapshotMeta,
  SnapshotWrite,
  Term,
} from "../raft/types.ts";

/** One atomic write: all of it becomes durable, or none. In this order: hard state, truncation, appended entries, commit index. */
export interface LogWrite {
  readonly hardState: HardState | null;
  readonly truncateFrom: LogIndex | null;
  readonly entries: readonly Entry[];
  /** Highest index known to be committed, for the next start. Gates nothing and may be stale. */
  readonly commitIndex: LogIndex;
}

/** What a node finds when it starts. A pristine one finds term 0, no vote, no generation, no entries. */
export interface StoredState {
  readonly hardState: HardState;
  readonly snapshot: Snapshot | null;
  /** The term of the entry before the first of `entries`; 0 if that is the first of all. */
  readonly baseTerm: Term;
  /** Without gaps; the first is entry 1, or lies at or before one past the snapshot. */
  readonly entries: readonly Entry[];
  /** Where the first of `entries` stands, or would. */
  readonly firstIndex: LogIndex;
  readonly commitIndex: LogIndex;
}

/**
 * The disk refused. `damaged`: what was read cannot be trusted; `full`: no space left; `lost`: the connection is gone.
 * Whatever the kind, the node acknowledges nothing more.
 */
export class StorageFailed extends Error {
  override readonly name = "StorageFailed";
  constructor(
    readonly kind: "damaged" | "full" | "lost" | "future",
    message: string,
  ) {
    super(message);
  }
}

/** A durable log. Writes are issued one at a time; `done` is called exactly once, never from inside the call. */
export interface LogStorage {
  load(done: (result: StoredState | StorageFailed) => void): void;
  /** `done(null)` only once all of the write survives a crash. After the first failure every later write must fail as well. */
  persist(write: LogWrite, done: (failure: StorageFailed | null) => void): void;
  /**
   * §7, in one atomic write: the snapshot in place of the one before, and the log without what it stands for. Issued in turn with
   * `persist`, never beside one. `done` as there.
   */
  saveSnapshot(write: SnapshotWrite, done: (failure: StorageFailed | null) => void): void;
  /** Of the durable snapshot; `null` without one, and before `load` is done. */
  snapshotMeta(): SnapshotMeta | null;
  /** Ends the storage. Writes in flight may or may not become durable; their `done` is not called any more. */
  close(): void;
}

/** What the network tells of a peer: `up` once messages can be exchanged, not `up` when they no longer can. Hints, not truth. */
export interface PeerEvent {
  readonly id: NodeId;
  readonly up: boolean;
  /**
   * Something says that its process has ended. `gone`: somebody beside the connection says so (signaling, a lock that it held), and the
   * connection still stands, so it can be asked. `closed`: it closed the connection in good order. Speeds things up; safety never depends on it.
   */
  readonly hint?: "gone" | "closed";
  /** With a hint: to that peer and back, as measured last; `null` or missing: unknown. */
  readonly roundTripMs?: Millis | null;
}

/** One-way messages between nodes. May lose, delay, duplicate and reorder them; must not alter them or change their sender. */
export interface RaftNetwork {
  /** Begins delivery. Called once, before the first `send`. */
  start(handlers: { onMessage(message: Message): void; onPeer(event: PeerEvent): void }): void;
  /** Fire and forget; a message to an unknown peer is dropped. Never throws, never calls back from inside. */
  send(message: Message): void;
}

/** A committed command, in the order of the log. */
export interface Applied<Command> {
  readonly index: LogIndex;
  readonly term: Term;
  /** Decoded when it is first asked for, once. */
  readonly command: Command;
}

/**
 * What is replicated. `apply` must be a pure function of the state and the commands: no clock, no randomness, no throw.
 * A command that cannot be carried out is a no-op with a response that says so, the same on every replica.
 */
export interface StateMachine<Command, Response, AppError> {
  encode(command: Command): Uint8Array;
  /** Total: never throws. Bytes that no version of this code could have written become a command that changes nothing. */
  decode(bytes: Uint8Array): Command;
  /** On the proposing node, before anything is sent. `null`: acceptable. The one place where an application may say no. */
  validate(command: Command): AppError | null;
  /** One response per command, in order. */
  apply(commands: readonly Applied<Command>[]): readonly Response[];
  /** Responses are kept for clients that ask again, and are part of snapshots. */
  encodeResponse(response: Response): Uint8Array;
  decodeResponse(bytes: Uint8Array): Response;
  /** The whole state (§7): byte for byte the same on every replica that has applied the same commands. */
  snapshot(): Uint8Array;
  /**
   * Becomes what `snapshot` said, whatever it was before.
   * @throws if the bytes are none: the node stops
   */
  restore(bytes: Uint8Array): void;
}

/** Time as the driver needs it. In the simulator: virtual. */
export interface Clock {
  /** Monotonic. */
  now(): Millis;
  /** Milliseconds since the epoch, as far as this device knows. Stamps commands, so that sessions can end; safety never depends on it. */
  wallTime(): Millis;
  /** Calls `run` after the current turn: in a browser a microtask. */
  soon(run: () => void): void;
  /** Calls `fire` once, at or soon after `at`; returns what cancels it. Never from inside the call. */
  schedule(at: Millis, fire: () => void): () => void;
}

/** As much of an AbortSignal as is needed. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  addEventListener(kind: "abort", listener: () => void): void;
  removeEventListener(kind: "abort", listener: () => void): void;
}
