/** One node through all its lives: a disk and a clock that stay, and a process that starts, freezes, fails and crashes. */
import { Stopped } from "../driver/errors.ts";
import type { Applied } from "../driver/interfaces.ts";
import { Raft } from "../driver/raft.ts";
import type { RaftConfig, RaftState } from "../raft/mod.ts";
import type { Event, LogIndex, NodeId, Update } from "../raft/types.ts";
import type { SimulatedDisk } from "./disk.ts";
import type { SimulatedNetwork } from "./network.ts";
import type { NodeClock } from "./node-clock.ts";
import type { Numbered, WatchedMachine } from "./watched-machine.ts";
import type { Life, World } from "./world.ts";

export interface HostOptions<Command, Response> {
  readonly id: NodeId;
  readonly world: World;
  readonly network: SimulatedNetwork;
  readonly disk: SimulatedDisk;
  readonly clock: NodeClock;
  /** For each life. */
  createMachine(): WatchedMachine<Command, Response>;
  /** For each life, never the same. */
  seed(): number;
  onStep(host: Host<Command, Response>, event: Event, update: Update, core: Readonly<RaftState>): void;
  /** Before each write and message; `true`: the process dies before it. */
  diesNow(host: Host<Command, Response>): boolean;
  /** To whoever subscribed at the start of this life: the commands behind `after`, the index that it was told of last. */
  onTold(host: Host<Command, Response>, after: LogIndex, applied: readonly Applied<Numbered<Command>>[]): void;
  /** It takes part. */
  onStarted(host: Host<Command, Response>, core: Readonly<RaftState>): void;
  /** It cannot start, or had to stop by itself. */
  onFailed(host: Host<Command, Response>, failure: Error): void;
  onCrashed(host: Host<Command, Response>): void;
}

export class Host<Command, Response> {
  readonly id: NodeId;
  readonly disk: SimulatedDisk;
  readonly clock: NodeClock;
  /** Of the next life. */
  config: RaftConfig;
  raft: Raft<Numbered<Command>, Response, unknown> | null = null;
  machine: WatchedMachine<Command, Response>;
  /** Its identity is given up, or it has left for ever. */
  gone = false;
  /** It is not started again by itself. */
  staysDown = false;
  /** It came in place of another whose disk was lost. */
  replacesAnother = false;
  /** Writes and messages until it dies between two of them. */
  effectsLeft = Number.POSITIVE_INFINITY;
  life: Life = { alive: false, held: null };
  readonly #options: HostOptions<Command, Response>;

  constructor(options: HostOptions<Command, Response>, config: RaftConfig) {
    this.#options = options;
    this.id = options.id;
    this.disk = options.disk;
    this.clock = options.clock;
    this.config = config;
    this.machine = options.createMachine();
    options.network.addNode(options.id);
  }

  /** Running, and able to answer. */
  get core(): Readonly<RaftState> | null {
    return this.life.alive && !this.life.held ? (this.raft?.core ?? null) : null;
  }

  get isFrozen(): boolean {
    return this.life.held !== null;
  }

  start(): void {
    if (this.life.alive || this.gone) return;
    const { network, seed, createMachine, onStarted, onFailed } = this.#options;
    const life: Life = { alive: true, held: null };
    const mayAct = (): boolean => this.#mayAct(life);
    this.life = life;
    this.machine = createMachine();
    this.effectsLeft = Number.POSITIVE_INFINITY;
    const raft: Raft<Numbered<Command>, Response, unknown> = new Raft<Numbered<Command>, Response, unknown>({
      id: this.id,
      config: this.config,
      seed: seed(),
      storage: this.disk.open(life, mayAct),
      network: network.join(this.id, life, mayAct),
      stateMachine: this.machine,
      clock: this.clock.forLife(life),
      onStep: (event, update, core) => {
        if (life.alive) this.#options.onStep(this, event, update, core);
      },
    });
    this.raft = raft;
    raft.onMetrics(({ stopped }) => {
      if (stopped && life.alive && stopped.name !== "Stopped") onFailed(this, stopped);
    });
    raft.start((failure) => {
      if (failure && life.alive) onFailed(this, failure);
      if (failure || !raft.core) return;
      onStarted(this, raft.core);
      this.#subscribe(raft);
    });
  }

  #subscribe(raft: Raft<Numbered<Command>, Response, unknown>): void {
    const { life } = this;
    const lastApplied = (): LogIndex => raft.metricsOrNull()?.lastApplied ?? 0;
    let told = lastApplied();
    raft.subscribe(
      told + 1,
      (applied) => {
        if (life.alive) this.#options.onTold(this, told, applied);
        told = applied.at(-1)?.index ?? told;
      },
      () => {
        told = lastApplied();
      },
    );
  }

  /** The process dies between two effects: of a step, the first ones happened and the others never do. */
  #mayAct(life: Life): boolean {
    if (!life.alive) return false;
    if (!this.#options.diesNow(this) && (this.effectsLeft === Number.POSITIVE_INFINITY || --this.effectsLeft >= 0)) return true;
    this.crash();
    return false;
  }

  /** At any moment, also in the middle of a step. */
  crash(silent = false): void {
    const { life, raft } = this;
    if (!life.alive) return;
    life.alive = false;
    this.effectsLeft = Number.POSITIVE_INFINITY;
    this.#options.network.leave(this.id, silent);
    this.disk.crash();
    this.#options.onCrashed(this);
    raft?.stop(new Stopped(false, null));
    this.raft = null;
  }

  freeze(): void {
    if (this.life.alive) this.life.held ??= [];
  }

  /** How many messages, timers and completions had waited. */
  thaw(): number {
    return this.life.held ? this.#options.world.thaw(this.life) : 0;
  }
}
