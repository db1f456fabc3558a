/** The public Raft: what a user calls, and what is told to whom. The same code runs in a tab and in virtual time. */
import { createConfig, type RaftConfig, type RaftState, slice } from "../raft/mod.ts";
import type { Entry, Event, Generation, LogIndex, Millis, NodeId, Snapshot, Term, Update } from "../raft/types.ts";
import { Applier } from "./applier.ts";
import { Desk, defaultTerms, type Settle } from "./desk.ts";
import {
  CommandRejected,
  ConfigChangeRefused,
  NotContinued,
  NotLeader,
  NotPristine,
  Stopped,
  TooLarge,
  TransferFailed,
} from "./errors.ts";
import type { AbortSignalLike, Applied, Clock, LogStorage, RaftNetwork, StateMachine, StoredState } from "./interfaces.ts";
import { Loop } from "./loop.ts";
import { changedVisibly, metricsOf, type RaftMetrics, Visible } from "./metrics.ts";
import type { RefusedAnswer, Settled, Terms } from "./requests.ts";
import { Snapshotter } from "./snapshotter.ts";

export interface RaftOptions<Command, Response, AppError> {
  readonly id: NodeId;
  /** Default: `createConfig()`. */
  readonly config?: RaftConfig;
  /** A safe integer, different on each node and in each life of it. */
  readonly seed: number;
  readonly storage: LogStorage;
  readonly network: RaftNetwork;
  readonly stateMachine: StateMachine<Command, Response, AppError>;
  readonly clock: Clock;
  /** Sees each step of the core: for traces and checkers. Must change nothing. */
  readonly onStep?: (event: Event, update: Update, core: Readonly<RaftState>) => void;
}

export interface WaitOptions {
  /** Milliseconds; default 10,000. */
  readonly timeoutMs?: Millis;
  readonly signal?: AbortSignalLike;
}

export interface ProposeOptions extends WaitOptions {
  /** `applied` (default): with the state machine's response; `committed`: without it. */
  readonly response?: "committed" | "applied";
  /** Repeating the command changes nothing twice by itself: it needs no client session. Default false. */
  readonly idempotent?: boolean;
  /** Only in this term, and only once: any doubt is reported instead of tried again. */
  readonly ifTerm?: Term;
}

export interface Proposed<Response> {
  readonly index: LogIndex;
  readonly term: Term;
  /** `null` when settled at commit, or when the response is no longer known here. */
  readonly response: Response | null;
}

function notLeader(command: unknown): (answer: RefusedAnswer) => Error {
  return ({ leader }) => new NotLeader(leader, command);
}

function termsOf({ timeoutMs, signal }: WaitOptions, wanted: Partial<Terms>): Terms {
  const limits = { timeoutMs: timeoutMs ?? defaultTerms.timeoutMs, signal: signal ?? null };
  return { ...defaultTerms, ...limits, ...wanted };
}

/** Most want nothing in particular, and share one record. */
function commandTerms(command: unknown, options: ProposeOptions): Terms {
  const { ifTerm, response, timeoutMs, signal } = options;
  const isUsual = ifTerm === undefined && response !== "committed" && timeoutMs === undefined && signal === undefined;
  if (isUsual) return defaultTerms;
  const wantsResponse = response !== "committed";
  if (ifTerm === undefined) return termsOf(options, { wantsResponse });
  return termsOf(options, { wantsResponse, ifTerm, repeatable: false, onRefused: notLeader(command) });
}

export class Raft<Command, Response, AppError> {
  readonly #options: RaftOptions<Command, Response, AppError>;
  readonly #config: RaftConfig;
  readonly #applier: Applier<Command, Response, AppError>;
  readonly #desk: Desk;
  readonly #snapshotter: Snapshotter;
  readonly #metricsListeners = new Set<(metrics: RaftMetrics) => void>();
  #loop: Loop | null = null;
  #stopped: Error | null = null;
  #metrics: RaftMetrics | null = null;
  readonly #visible = new Visible();
  #cancelMetrics: () => void = () => undefined;

  constructor(options: RaftOptions<Command, Response, AppError>) {
    this.#options = options;
    this.#config = options.config ?? createConfig();
    this.#applier = new Applier(options.stateMachine);
    this.#desk = new Desk(this.#config, options.clock, options.seed, this.#applier);
    this.#snapshotter = new Snapshotter(this.#config);
  }

  /** Loads what is durable and begins to take part. `done` gets `null`, or why the node cannot start. */
  start(done: (failure: Error | null) => void): void {
    this.#options.storage.load((result) => {
      if (this.#stopped) return done(this.#stopped);
      try {
        if (result instanceof Error) throw result;
        this.#begin(result);
      } catch (error) {
        const failure = error instanceof Error ? error : new Error(String(error));
        this.stop(failure);
        return done(failure);
      }
      done(null);
    });
  }

  #begin(stored: StoredState): void {
    const loop = new Loop({ ...this.#options, config: this.#config }, stored, {
      restore: (snapshot) => this.#restore(snapshot),
      apply: (committed) => this.#apply(committed),
      answered: (answer) => this.#desk.answered(answer),
      turned: () => this.#desk.settleReads(),
      settled: () => this.#lookAround(),
      failed: (error) => this.stop(error),
    });
    this.#loop = loop;
    this.#desk.open(loop);
    if (stored.snapshot) this.#applier.restore(stored.snapshot);
    this.#applier.apply(slice(loop.core.log, this.#applier.lastApplied + 1, loop.core.commitIndex));
    this.#metrics = this.metrics();
    loop.start();
    this.#repeatMetrics();
  }

  // ---- commands and reads ----

  /**
   * Replicates one command; resolves once it is applied here, exactly once however often it had to be asked (diss. §6.3).
   * @throws CommandRejected, TooLarge, Overloaded, NoQuorum: not applied. Timeout, Aborted, SessionExpired, Stopped: see `mayHaveApplied`.
   */
  propose(command: Command, options: ProposeOptions = {}): Promise<Proposed<Response>> {
    return new Promise((resolve, reject) => {
      this.proposeThen(command, options, (outcome) => (outcome instanceof Error ? reject(outcome) : resolve(outcome)));
    });
  }

  /** As `propose`, by callback; `settle` may be called from inside. */
  proposeThen(command: Command, options: ProposeOptions, settle: (outcome: Proposed<Response> | Error) => void): void {
    const rejected = this.#options.stateMachine.validate(command);
    if (rejected !== null) return settle(new CommandRejected(rejected));
    const body = this.#options.stateMachine.encode(command);
    const limit = this.#config.maxCommandBytes;
    if (body.byteLength > limit) return settle(new TooLarge(body.byteLength, limit));
    const isPlain = options.idempotent === true || options.ifTerm !== undefined;
    // The applier put it there: it is what the state machine answered to this command.
    this.#desk.command(body, isPlain, commandTerms(command, options), settle as Settle);
  }

  /** Linearizable: resolves once everything that was acknowledged before the call is applied here (diss. §6.4). */
  read(options: WaitOptions = {}): Promise<{ readonly index: LogIndex }> {
    return this.#promise((settle) => this.#read(options, settle));
  }

  /** As `read`, by callback. */
  readThen(options: WaitOptions, settle: (outcome: { readonly index: LogIndex } | Error) => void): void {
    this.#read(options, settle);
  }

  #read(options: WaitOptions, settle: Settle): void {
    this.#desk.ask(termsOf(options, { ask: (requestId) => this.#loop?.post({ kind: "read", requestId }) }), settle);
  }

  // ---- the cluster ----

  /**
   * Starts a cluster; on a pristine node only, and on each of its voters with the same arguments. Resolves once the configuration is
   * committed.
   * @throws NotPristine
   */
  initWithConfig(first: {
    readonly voters: readonly NodeId[];
    readonly generation: Generation;
  }): Promise<{ readonly index: LogIndex }> {
    return this.#ask({
      timeoutMs: 60_000,
      ask: (requestId) => this.#loop?.post({ kind: "initialize", requestId, ...first }),
      onRefused: () => new NotPristine(),
    });
  }

  /**
   * For a majority that is gone for good: begins a new generation here, in which this node alone votes; resolves once its first entry is
   * committed. What the others had committed and this node lacks is missing in it. `generationId`: 128 random bits, 32 lower-case
   * hexadecimal digits.
   * @throws NotContinued: a leader is heard, or there is nothing to continue
   */
  continueWithoutOthers(generationId: string): Promise<{ readonly index: LogIndex }> {
    return this.#ask({
      ask: (requestId) => this.#loop?.post({ kind: "continueWithoutOthers", requestId, generationId }),
      onRefused: ({ refusal }) => new NotContinued(refusal),
    });
  }

  /**
   * Leader only. Changes of voters go through joint consensus (§6); resolves once the change's first entry is committed.
   * `expectedConfigIndex`: of the configuration that the change was made for; `null`: whatever it is.
   * @throws NotLeader, ConfigChangeRefused: nothing changed
   */
  proposeConfigChange(change: {
    readonly voters: readonly NodeId[];
    readonly learners: readonly NodeId[];
    readonly expectedConfigIndex: LogIndex | null;
  }): Promise<{ readonly index: LogIndex }> {
    return this.#ask({
      ask: (requestId) => this.#loop?.post({ kind: "changeConfiguration", requestId, ...change }),
      onRefused: ({ refusal, leader }) =>
        refusal === "notLeader" ? new NotLeader(leader, change) : new ConfigChangeRefused(refusal),
    });
  }

  /**
   * Leader only. Hands the office to `to`, or to whoever follows best (diss. §3.10); resolves once another node leads.
   * @throws NotLeader, TransferFailed: the office stays here
   */
  transferLeadership(to: NodeId | null = null): Promise<void> {
    return this.#ask({
      ask: (requestId) => this.#loop?.post({ kind: "transferLeadership", requestId, to }),
      onRefused: ({ refusal, leader }) => (refusal === "notLeader" ? new NotLeader(leader, null) : new TransferFailed(refusal)),
    }).then(() => undefined);
  }

  /**
   * Something outside of the network says that a node may have died. If it leads, it is asked, and only its silence for four round trips,
   * at least 30 ms, has consequences: a lie costs one question. `roundTripMs`: to it, as measured last; `null`: unknown.
   */
  hint(id: NodeId, roundTripMs: Millis | null = null): void {
    this.#loop?.post({ kind: "hint", id, roundTripMs });
  }

  /**
   * A learner that its leader does not feed turns to a follower, which relays what is committed; to be repeated every second or so. `null`: to
   * nobody any more. Of no effect on a voter.
   */
  askRelay(to: NodeId | null): void {
    this.#loop?.post({ kind: "askRelay", to });
  }

  // ---- watching ----

  /**
   * Calls `listener` for each applied command, in order, from `fromIndex` on: what is in the log already at once. `onRestore`: a snapshot took the
   * place of everything before; read the state machine itself. Returns what ends it.
   */
  subscribe(
    fromIndex: LogIndex,
    listener: (applied: readonly Applied<Command>[]) => void,
    onRestore: () => void = () => undefined,
  ): () => void {
    return this.#applier.subscribe(this.#entries(fromIndex, this.#applier.lastApplied), listener, onRestore);
  }

  /** At each change of state, term, leader or membership, and every `metricsRateMs`. Returns what ends it. */
  onMetrics(listener: (metrics: RaftMetrics) => void): () => void {
    this.#metricsListeners.add(listener);
    return () => this.#metricsListeners.delete(listener);
  }

  /** @throws Stopped before `start` is done */
  metrics(): RaftMetrics {
    const metrics = this.metricsOrNull();
    if (!metrics) throw new Stopped(false, this.#stopped);
    return metrics;
  }

  /** As `metrics`; `null` before `start` is done. */
  metricsOrNull(): RaftMetrics | null {
    if (!this.#loop) return null;
    return metricsOf(this.#loop.core, this.#options.clock.now(), this.#applier.lastApplied, this.#desk.size, this.#stopped);
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
      const now = this.metricsOrNull();
      if (now) check(now);
    });
  }

  /** The log as it stands here, as far as it is kept. */
  log(fromIndex: LogIndex, count: number): readonly Entry[] {
    return this.#entries(fromIndex, fromIndex + count - 1);
  }

  #entries(from: LogIndex, through: LogIndex): readonly Entry[] {
    const log = this.#loop?.core.log;
    return log ? slice(log, Math.max(log.baseIndex + 1, from), through) : [];
  }

  /** The core's record, to be read only: for tests, checkers and traces. `null` before `start` is done. */
  get core(): Readonly<RaftState> | null {
    return this.#loop?.core ?? null;
  }

  /** Ends the node in good order: a leader hands its office over first, if somebody can take it. What waits then is rejected with `Stopped`. */
  shutdown(): Promise<void> {
    const leads = this.#loop?.core.role.kind === "leader" && !this.#stopped;
    const handedOver = leads ? this.transferLeadership() : Promise.resolve();
    // Whether it worked or not, the node ends: an office that nobody took falls vacant by its timeout.
    const end = (): void => this.stop(new Stopped(false, null));
    return handedOver.then(end, end);
  }

  /** Ends the node at once, as a crash would, but for the last metrics. */
  stop(cause: Error): void {
    if (this.#stopped) return;
    this.#stopped = cause;
    this.#loop?.end();
    this.#cancelMetrics();
    this.#desk.stop(cause);
    this.#options.storage.close();
    const last = this.metricsOrNull();
    if (last) this.#tell(last);
  }

  // ---- what the loop tells ----

  #restore(snapshot: Snapshot): void {
    this.#applier.restore(snapshot);
    this.#desk.restored(snapshot.index);
  }

  #apply(committed: readonly Entry[]): void {
    this.#desk.overwritten(committed);
    this.#applier.apply(committed);
    this.#desk.applied(committed);
  }

  #lookAround(): void {
    this.#takeSnapshotIfDue();
    this.#desk.askWaitingLater();
    const before = this.#metrics;
    if (this.#loop && !this.#stopped && !this.#visible.mayHaveChanged(this.#loop.core)) return;
    if (before && this.#loop && !changedVisibly(before, this.#loop.core, this.#stopped)) return;
    const after = this.metrics();
    this.#metrics = after;
    if (!before) return;
    if (after.currentLeader !== null && before.currentLeader !== after.currentLeader) this.#desk.askWaiting();
    this.#tell(after);
  }

  #takeSnapshotIfDue(): void {
    const applier = this.#applier;
    if (!this.#loop || !this.#snapshotter.isDue(this.#loop.core, applier)) return;
    this.#snapshotter.taken(applier);
    this.#loop.post({ kind: "snapshotTaken", index: applier.lastApplied, data: applier.snapshot() });
  }

  #repeatMetrics(): void {
    const { clock } = this.#options;
    this.#cancelMetrics = clock.schedule(clock.now() + this.#config.metricsRateMs, () => {
      this.#tell(this.metrics());
      this.#repeatMetrics();
    });
  }

  #tell(metrics: RaftMetrics): void {
    for (const listener of [...this.#metricsListeners]) listener(metrics);
  }

  #ask(wanted: Partial<Terms>): Promise<Settled> {
    return this.#promise((settle) => this.#desk.ask(termsOf({}, wanted), settle));
  }

  #promise(ask: (settle: Settle) => void): Promise<Settled> {
    return new Promise((resolve, reject) => {
      ask((outcome) => (outcome instanceof Error ? reject(outcome) : resolve(outcome)));
    });
  }
}
