/**
 * One loop around the core: events go in one at a time, each update is obeyed in its order, and nothing in here waits: storage,
 * network and clock answer by further events.
 */
import { AssertionFailed, createRaft, type RaftConfig, type RaftState, step } from "../raft/mod.ts";
import type { Answer, Entry, Event, Millis, NodeId, RequestId, Snapshot, Term, Update } from "../raft/types.ts";
import type { Clock, LogStorage, RaftNetwork, StoredState } from "./interfaces.ts";
import { WriteQueue } from "./write-queue.ts";

export interface LoopOptions {
  readonly id: NodeId;
  readonly config: RaftConfig;
  readonly seed: number;
  readonly storage: LogStorage;
  readonly network: RaftNetwork;
  readonly clock: Clock;
  /** Sees each step of the core, after its writes and messages were handed over: for traces and checkers. Must change nothing. */
  readonly onStep?: (event: Event, update: Update, core: Readonly<RaftState>) => void;
}

/** What an update asks for beyond storage and network. */
export interface LoopHandlers {
  /** The state machine must become this, before anything is applied. */
  restore(snapshot: Snapshot): void;
  apply(committed: readonly Entry[]): void;
  answered(answer: Answer): void;
  /** After one event. */
  turned(): void;
  /** After the last event that waited: the moment to look around. */
  settled(): void;
  /** The loop must end: our own assertion, or the disk. */
  failed(error: Error): void;
}

/** How long nothing must be written before the commit index is stored by itself. */
const quietMs = 250;

type Untimed = Event extends infer E ? (E extends Event ? Omit<E, "now"> : never) : never;

export class Loop {
  readonly core: RaftState;
  readonly #options: LoopOptions;
  readonly #handlers: LoopHandlers;
  readonly #writes: WriteQueue;
  readonly #events: Event[] = [];
  #running = false;
  #ended = false;
  /** Of the latest update. */
  #deadline: Millis = Number.POSITIVE_INFINITY;
  /** When the timer fires. */
  #armed: Millis = Number.POSITIVE_INFINITY;
  #cancelDeadline: () => void = () => undefined;
  #cancelQuiet: (() => void) | null = null;

  /** @throws AssertionFailed if what was stored contradicts itself */
  constructor(options: LoopOptions, stored: StoredState, handlers: LoopHandlers) {
    const { id, config, seed, clock, storage, network } = options;
    this.#options = options;
    this.#handlers = handlers;
    this.core = createRaft({ id, config, seed, now: clock.now(), ...stored });
    this.#writes = new WriteQueue(storage, this.core, {
      onDurable: (write, { index, term }) => this.#accept({ kind: "persisted", now: clock.now(), write, index, term }),
      onSnapshotDurable: (index, term) => this.post({ kind: "snapshotPersisted", index, term }),
      onFailed: (failure) => handlers.failed(failure),
      send: (message) => network.send(message),
    });
  }

  /** From now on the world may speak. */
  start(): void {
    const { network, clock } = this.#options;
    network.start({
      onMessage: (message) => this.#accept({ kind: "receive", now: clock.now(), message }),
      onPeer: ({ id, up, hint, roundTripMs }) => {
        if (hint !== undefined) this.post({ kind: "hint", id, roundTripMs: roundTripMs ?? null });
        // That a peer may be gone says nothing about its connection while that stands.
        if (!up || hint === undefined) this.post({ kind: "peer", id, up });
      },
    });
    this.post({ kind: "timeout" });
  }

  /** At once, or after what is being done; it may be called from inside. */
  post(event: Untimed): void {
    this.#accept({ ...event, now: this.#options.clock.now() });
  }

  /** As `post`: commands come often enough to be spared the copy. */
  propose(requestId: RequestId, commands: readonly Uint8Array[], ifTerm: Term | null): void {
    this.#accept({ kind: "propose", now: this.#options.clock.now(), requestId, commands, ifTerm });
  }

  #accept(event: Event): void {
    if (this.#ended) return;
    if (this.#running) {
      this.#events.push(event);
      return;
    }
    this.#running = true;
    try {
      this.#turn(event);
      while (this.#events.length > 0 && !this.#ended) {
        const next = this.#events.shift();
        if (next) this.#turn(next);
      }
    } catch (error) {
      this.#handlers.failed(error instanceof Error ? error : new Error(String(error)));
      if (!(error instanceof AssertionFailed)) throw error;
    } finally {
      this.#running = false;
    }
    if (this.#ended) return;
    this.#storeCommitWhenQuiet();
    this.#handlers.settled();
  }

  /** Nothing happens any more. */
  end(): void {
    this.#ended = true;
    this.#cancelDeadline();
    this.#cancelQuiet?.();
  }

  #turn(event: Event): void {
    const update = step(this.core, event);
    this.#writes.add(update, this.core);
    this.#options.onStep?.(event, update, this.core);
    if (update.restore) this.#handlers.restore(update.restore);
    if (update.committed.length > 0) this.#handlers.apply(update.committed);
    for (const answer of update.answers) this.#handlers.answered(answer);
    this.#handlers.turned();
    this.#arm(update.deadline);
  }

  /** Deadlines move with each message, mostly to later: a timer that comes too early is set anew then, not now. */
  #arm(deadline: Millis): void {
    this.#deadline = deadline;
    if (deadline >= this.#armed) return;
    this.#cancelDeadline();
    this.#armed = deadline;
    this.#cancelDeadline = this.#options.clock.schedule(deadline, () => {
      this.#armed = Number.POSITIVE_INFINITY;
      if (this.#options.clock.now() < this.#deadline) this.#arm(this.#deadline);
      else this.post({ kind: "timeout" });
    });
  }

  #storeCommitWhenQuiet(): void {
    if (this.#cancelQuiet || !this.#writes.idle || this.core.commitIndex <= this.#writes.storedCommitIndex) return;
    const { clock } = this.#options;
    this.#cancelQuiet = clock.schedule(clock.now() + quietMs, () => {
      this.#cancelQuiet = null;
      this.#writes.storeCommitIndex(this.core.commitIndex);
    });
  }
}
