/** The public Raft: what a user calls, what is told to whom, and how each request ends. The same code runs in a tab and in virtual time. */
import { type RaftConfig, type RaftState, slice, termAt } from "../raft/mod.ts";
import type { Answer, Entry, Generation, LogIndex, Millis, NodeId, RequestId, Term } from "../raft/types.ts";
import { Applier } from "./applier.ts";
import {
  Aborted,
  CommandRejected,
  ConfigChangeRefused,
  NotLeader,
  NotPristine,
  Overloaded,
  Stopped,
  TooLarge,
} from "./errors.ts";
import type { AbortSignalLike, Applied, Clock, LogStorage, RaftNetwork, StateMachine, StoredState } from "./interfaces.ts";
import { Loop } from "./loop.ts";
import { changedVisibly, metricsOf, type RaftMetrics } from "./metrics.ts";
import { mayHaveApplied, type Outcome, type Request, Requests, refusedProposal, type Settled, timeoutError } from "./requests.ts";
import { onAbort } from "./signal.ts";

export interface RaftOptions<Command, Response, AppError> {
  readonly id: NodeId;
  readonly config: RaftConfig;
  /** A safe integer, different on each node and in each life of it. */
  readonly seed: number;
  readonly storage: LogStorage;
  readonly network: RaftNetwork;
  readonly stateMachine: StateMachine<Command, Response, AppError>;
  readonly clock: Clock;
}

export interface ProposeOptions {
  /** `applied` (default): after this node's state machine has applied it; `committed`: as soon as this node knows it to be committed. */
  readonly response?: "committed" | "applied";
  /** Repeating the command changes nothing twice, so that an unknown outcome is tried again instead of reported. Default false. */
  readonly idempotent?: boolean;
  /** Milliseconds; default 10,000. */
  readonly timeoutMs?: Millis;
  readonly signal?: AbortSignalLike;
}

export interface Proposed<Response> {
  readonly index: LogIndex;
  readonly term: Term;
  /** `null` when settled at commit. */
  readonly response: Response | null;
}

/** Most requests of one node that wait at a time. */
const maxRequests = 10_000;
const defaultTimeoutMs = 10_000;
/** How long a request waits before it looks for a leader again, if nothing happens before. */
const retryMs = 50;

export class Raft<Command, Response, AppError> {
  readonly #options: RaftOptions<Command, Response, AppError>;
  readonly #requests: Requests;
  readonly #applier: Applier<Command, Response, AppError>;
  readonly #metricsListeners = new Set<(metrics: RaftMetrics) => void>();
  #loop: Loop | null = null;
  #stopped: Error | null = null;
  #metrics: RaftMetrics | null = null;
  #cancelRetry: (() => void) | null = null;
  /** A read changes nothing: it is asked again until its time is up. */
  readonly #readRequest = {
    idempotent: true,
    ask: (requestId: RequestId) => this.#loop?.post({ kind: "read", requestId }),
    onRefused: () => null,
  };
  #cancelMetrics: () => void = () => undefined;

  constructor(options: RaftOptions<Command, Response, AppError>) {
    this.#options = options;
    this.#requests = new Requests((Math.abs(options.seed) % 2 ** 20) * 2 ** 32 + 1);
    this.#applier = new Applier(options.stateMachine);
  }

  /** Loads what is durable and begins to take part. `done` gets `null`, or why the node cannot start. */
  start(done: (failure: Error | null) => void): void {
    this.#options.storage.load((result) => {
      if (this.#stopped) return done(this.#stopped);
      if (result instanceof Error) {
        this.#stop(result);
        return done(result);
      }
      try {
        this.#begin(result);
        done(null);
      } catch (error) {
        this.#stop(asError(error));
        done(asError(error));
      }
    });
  }

  #begin(stored: StoredState): void {
    const loop = new Loop(this.#options, stored, {
      apply: (committed) => this.#apply(committed),
      answered: (answer) => this.#answered(answer),
      turned: () => this.#settleReads(),
      settled: () => this.#lookAround(),
      failed: (error) => this.#stop(error),
    });
    this.#loop = loop;
    this.#applier.apply(slice(loop.core.log, 1, loop.core.commitIndex));
    this.#metrics = this.metrics();
    loop.start();
    this.#repeatMetrics();
  }

  // ---- what a user of the library calls ----

  /**
   * Replicates one command; resolves once it is applied here, or committed.
   * @throws CommandRejected, TooLarge, Overloaded, NoQuorum: not applied. Timeout, Aborted, Stopped: see `mayHaveApplied`.
   */
  propose(command: Command, options: ProposeOptions = {}): Promise<Proposed<Response>> {
    return new Promise((resolve, reject) => {
      this.proposeThen(command, options, (outcome) => {
        if (outcome instanceof Error) reject(outcome);
        else resolve(outcome);
      });
    });
  }

  /** As `propose`, by callback; it may be called from inside. */
  proposeThen(command: Command, options: ProposeOptions, settle: (outcome: Proposed<Response> | Error) => void): void {
    const rejected = this.#options.stateMachine.validate(command);
    if (rejected !== null) return settle(new CommandRejected(rejected));
    const bytes = this.#applier.encode(command);
    const limit = this.#options.config.maxCommandBytes;
    if (bytes.byteLength > limit) return settle(new TooLarge(bytes.byteLength, limit));
    const commands = [bytes];
    this.#request({
      ...options,
      settle: (outcome) =>
        settle(outcome instanceof Error ? outcome : { ...outcome, response: outcome.response as Response | null }),
      ask: (requestId) => this.#loop?.post({ kind: "propose", requestId, commands }),
      onRefused: refusedProposal,
    });
  }

  /** Linearizable: resolves once everything that was acknowledged before the call is applied here (diss. §6.4). */
  read(options: { readonly timeoutMs?: Millis; readonly signal?: AbortSignalLike } = {}): Promise<{ readonly index: LogIndex }> {
    return this.#promise({ ...options, ...this.#readRequest });
  }

  /** As `read`, by callback. */
  readThen(timeoutMs: Millis, settle: (outcome: { readonly index: LogIndex } | Error) => void): void {
    this.#request({ timeoutMs, settle, ...this.#readRequest });
  }

  /**
   * Starts a cluster; on a pristine node only, and on each of its voters with the same arguments. Resolves once the configuration is
   * committed.
   * @throws NotPristine
   */
  initWithConfig(first: {
    readonly voters: readonly NodeId[];
    readonly generation: Generation;
  }): Promise<{ readonly index: LogIndex }> {
    return this.#promise({
      timeoutMs: 60_000,
      ask: (requestId) => this.#loop?.post({ kind: "initialize", requestId, ...first }),
      onRefused: () => new NotPristine(),
    });
  }

  /**
   * Leader only. Changes of voters go through joint consensus (§6); resolves once the change's first entry is committed.
   * `expectedConfigIndex`: of the configuration that the change was made for.
   * @throws NotLeader, ConfigChangeRefused: nothing changed
   */
  proposeConfigChange(change: {
    readonly voters: readonly NodeId[];
    readonly learners: readonly NodeId[];
    readonly expectedConfigIndex: LogIndex | null;
  }): Promise<{ readonly index: LogIndex }> {
    return this.#promise({
      ask: (requestId) => this.#loop?.post({ kind: "changeConfiguration", requestId, ...change }),
      onRefused: (answer) =>
        answer.refusal === "notLeader" ? new NotLeader(answer.leader, change) : new ConfigChangeRefused(answer.refusal),
    });
  }

  /** Calls `listener` for each applied command, in order, from `fromIndex` on: what is in the log already at once. Returns what ends it. */
  subscribe(fromIndex: LogIndex, listener: (applied: readonly Applied<Command>[]) => void): () => void {
    const core = this.core;
    const past = core ? slice(core.log, Math.max(1, fromIndex), this.#applier.lastApplied) : [];
    return this.#applier.subscribe(past, listener);
  }

  /** At each change of state, term, leader or membership, and every `metricsRateMs`. Returns what ends it. */
  onMetrics(listener: (metrics: RaftMetrics) => void): () => void {
    this.#metricsListeners.add(listener);
    return () => this.#metricsListeners.delete(listener);
  }

  /** @throws Stopped before `start` is done */
  metrics(): RaftMetrics {
    if (!this.#loop) throw new Stopped(false, this.#stopped);
    return metricsOf(this.#loop.core, this.#now(), this.#applier.lastApplied, this.#requests.size, this.#stopped);
  }

  /** As `metrics`; `null` before `start` is done. */
  metricsOrNull(): RaftMetrics | null {
    return this.#loop ? this.metrics() : null;
  }

  /** Resolves with the first metrics that `predicate` accepts; rejects if the node stops before. */
  waitFor(predicate: (metrics: RaftMetrics) => boolean): Promise<RaftMetrics> {
    return new Promise((resolve, reject) => {
      const check = (metrics: RaftMetrics): void => {
        if (predicate(metrics)) resolve(metrics);
        else if (metrics.stopped) reject(new Stopped(false, metrics.stopped));
        else return;
        end();
      };
      const end = this.onMetrics(check);
      if (this.#metrics) check(this.metrics());
    });
  }

  /** The log as it stands here, for a dashboard. */
  log(fromIndex: LogIndex, count: number): readonly Entry[] {
    return this.#loop ? slice(this.#loop.core.log, Math.max(1, fromIndex), fromIndex + count - 1) : [];
  }

  /** The core's record, to be read only: for tests, checkers and traces. `null` before `start` is done. */
  get core(): Readonly<RaftState> | null {
    return this.#loop?.core ?? null;
  }

  /** Ends the node. What waits is rejected with `Stopped`. */
  shutdown(): void {
    this.#stop(new Stopped(false, null));
  }

  // ---- what the loop tells ----

  #now(): Millis {
    return this.#options.clock.now();
  }

  #apply(committed: readonly Entry[]): void {
    for (const entry of committed) {
      for (const request of this.#requests.takeOverwritten(entry.index, entry.term)) this.#again(request);
    }
    this.#applier.apply(committed);
    for (const entry of committed)
      for (const request of this.#requests.takePlaced(entry.index)) this.#settlePlaced(request, entry.index, entry.term);
  }

  #settlePlaced(request: Request, index: LogIndex, term: Term): void {
    if (term !== request.term) return this.#again(request);
    this.#settle(request, { index, term, response: request.response === "applied" ? this.#applier.responseAt(index) : null });
  }

  #answered(answer: Answer): void {
    const request = this.#requests.take(answer.requestId);
    if (!request) return;
    if (answer.kind === "refused") {
      const error = request.onRefused(answer);
      if (error) this.#settle(request, error);
      else this.#again(request);
    } else if (answer.kind === "lost") {
      request.uncertain = true;
      if (request.idempotent) this.#again(request);
      else this.#settle(request, timeoutError(request));
    } else if (answer.kind === "readable") {
      this.#requests.waitForApply(request, answer.index);
    } else {
      this.#requests.place(request, answer.index, answer.term);
      const term = this.#loop && answer.index <= this.#applier.lastApplied ? termAt(this.#loop.core.log, answer.index) : null;
      if (term !== null)
        for (const placed of this.#requests.takePlaced(answer.index)) this.#settlePlaced(placed, answer.index, term);
    }
  }

  /** Nothing came of it, surely or harmlessly: it waits for a leader to be asked. */
  #again(request: Request): void {
    this.#requests.wait(request);
  }

  #settleReads(): void {
    for (const request of this.#requests.takeReadable(this.#applier.lastApplied))
      this.#settle(request, { index: request.index, term: request.term, response: null });
  }

  #lookAround(): void {
    if (this.#requests.hasWaiting && !this.#cancelRetry) this.#retryLater();
    const before = this.#metrics;
    const after = this.metrics();
    this.#metrics = after;
    if (!before || !changedVisibly(before, after)) return;
    if (after.currentLeader !== null && before.currentLeader !== after.currentLeader) this.#requests.askWaiting();
    this.#tell(after);
  }

  #retryLater(): void {
    this.#cancelRetry = this.#options.clock.schedule(this.#now() + retryMs, () => {
      this.#cancelRetry = null;
      this.#requests.askWaiting();
    });
  }

  #repeatMetrics(): void {
    this.#cancelMetrics = this.#options.clock.schedule(this.#now() + this.#options.config.metricsRateMs, () => {
      this.#tell(this.metrics());
      this.#repeatMetrics();
    });
  }

  #tell(metrics: RaftMetrics): void {
    for (const listener of [...this.#metricsListeners]) listener(metrics);
  }

  // ---- requests ----

  #promise(request: RequestOptions): Promise<Settled> {
    return new Promise((resolve, reject) => {
      this.#request({ ...request, settle: (outcome) => (outcome instanceof Error ? reject(outcome) : resolve(outcome)) });
    });
  }

  #request(options: RequestOptions & { readonly settle: (outcome: Outcome) => void }): void {
    if (this.#stopped) return options.settle(new Stopped(false, this.#stopped));
    if (options.signal?.aborted) return options.settle(new Aborted(false));
    if (this.#requests.size >= maxRequests) return options.settle(new Overloaded());
    const request: Request = {
      ask: options.ask,
      settle: options.settle,
      onRefused: options.onRefused,
      response: options.response ?? "applied",
      idempotent: options.idempotent ?? false,
      timeoutMs: options.timeoutMs ?? defaultTimeoutMs,
      cancelTimer: () => undefined,
      uncertain: false,
      stage: "waiting",
      index: 0,
      term: 0,
    };
    const cancelTimer = this.#options.clock.schedule(this.#now() + request.timeoutMs, () =>
      this.#giveUp(request, timeoutError(request)),
    );
    const cancelSignal = onAbort(options.signal, (error) => this.#giveUp(request, error(mayHaveApplied(request))));
    request.cancelTimer = () => {
      cancelTimer();
      cancelSignal();
    };
    this.#requests.ask(request);
  }

  #giveUp(request: Request, error: Error): void {
    this.#requests.forget(request);
    this.#settle(request, error);
  }

  #settle(request: Request, outcome: Outcome): void {
    request.cancelTimer();
    request.settle(outcome);
  }

  #stop(cause: Error): void {
    if (this.#stopped) return;
    this.#stopped = cause;
    this.#loop?.end();
    this.#cancelRetry?.();
    this.#cancelMetrics();
    for (const request of this.#requests.all()) this.#giveUp(request, new Stopped(mayHaveApplied(request), cause));
    this.#options.storage.close();
    if (this.#loop) this.#tell(this.metrics());
  }
}

type RequestOptions = Pick<Request, "ask" | "onRefused"> & Omit<ProposeOptions, "signal"> & { readonly signal?: AbortSignalLike };

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
