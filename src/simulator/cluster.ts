/** The nodes of a run, the world that they share, and whoever watches them. */
import { StorageFailed } from "../driver/interfaces.ts";
import type { RaftState } from "../raft/mod.ts";
import type { Configuration, Event, Generation, LogIndex, Message, Millis, NodeId, Update } from "../raft/types.ts";
import { MessageRate } from "./bounds.ts";
import { ClientLaws } from "./client-laws.ts";
import { isHeldByQuorum } from "./configuration-laws.ts";
import { SimulatedDisk } from "./disk.ts";
import { Host } from "./host.ts";
import { LawBroken, law, Situations } from "./law.ts";
import { SimulatedNetwork } from "./network.ts";
import { NodeClock } from "./node-clock.ts";
import { Observer } from "./observer.ts";
import { checkSend } from "./send-laws.ts";
import { noteStep } from "./situations.ts";
import { createDiskFaults, createOtherConfig, type FaultKind, type Plan } from "./swarm.ts";
import { WatchedMachine } from "./watched-machine.ts";
import type { Workload } from "./workloads.ts";
import type { World } from "./world.ts";

/** Armed at once by one node. */
const timersMax = 8;

export const generation: Generation = { number: 1, id: "0".repeat(32), parentId: null, forkIndex: 0 };

/** The process that is about to have this effect dies instead. */
export interface CrashPoint {
  /** From 1 on: the writes and messages of all nodes since the first leader. */
  readonly effect: number;
  /** Whether a write that is under way becomes durable all the same. */
  readonly keepsWrite: boolean;
}

export type StepListener = (id: NodeId, event: Event, update: Update, core: Readonly<RaftState>) => void;

export class Cluster<Command, Response> {
  readonly world: World;
  readonly plan: Plan;
  readonly workload: Workload<Command, Response>;
  readonly hosts: Host<Command, Response>[] = [];
  readonly network: SimulatedNetwork;
  readonly situations = new Situations();
  readonly observer: Observer;
  readonly clients: ClientLaws<Response>;
  /** Injected, by kind. */
  readonly faults: { [kind in FaultKind]?: number } = {};
  snapshotsInstalled = 0;
  /** Writes and messages, of all nodes, since the first leader. */
  effects = 0;
  /** By their count: before which of them its node dies. */
  readonly #crash: CrashPoint | null;
  faultsOver = false;
  /** What a fault waits for: the next message of a kind, as it is sent. */
  awaited: { readonly kind: Message["kind"]; sent(message: Message): void } | null = null;
  /** Whom clients ask more often than others, and until when: a leader that may have been deposed without knowing. */
  favoured: { readonly host: Host<Command, Response>; readonly until: Millis } | null = null;
  /** A client asks for something at this node, now. */
  ask: (host: Host<Command, Response>) => void = () => undefined;
  failure: Error | null = null;
  onStep: StepListener | null = null;
  readonly #seed: number;
  readonly #rate = new MessageRate();
  #lives = 0;
  #names = 0;

  constructor(world: World, plan: Plan, workload: Workload<Command, Response>, seed: number, crash: CrashPoint | null = null) {
    this.#crash = crash;
    this.world = world;
    this.plan = plan;
    this.workload = workload;
    this.#seed = seed;
    this.network = new SimulatedNetwork(world, plan.network);
    this.observer = new Observer(this.situations, this.strictOnly);
    this.clients = new ClientLaws(this.observer, this.situations);
    this.network.onSend = (message) => {
      if (this.awaited?.kind === message.kind) this.#awaitedIsSent(message);
      try {
        this.#rate.sent(world.now(), this.hosts.length);
        checkSend(this.observer, message);
      } catch (error) {
        this.fail(error);
      }
    };
    this.network.onFault = (kind) => this.count(kind);
  }

  #awaitedIsSent(message: Message): void {
    const { awaited } = this;
    this.awaited = null;
    if (!this.faultsOver) awaited?.sent(message);
  }

  /** What was called durable may be lost, so nothing that rests on entries is promised. */
  get strictOnly(): boolean {
    return this.plan.style === "relaxed";
  }

  count(kind: FaultKind): void {
    this.faults[kind] = (this.faults[kind] ?? 0) + 1;
  }

  /** Laws speak from inside callbacks, where the driver would take them for its own failure; so they are kept, and thrown at the end of the step. */
  guard(check: () => void): void {
    try {
      check();
    } catch (error) {
      this.fail(error);
    }
  }

  /** Nothing but a broken law may be thrown anywhere. */
  fail(error: unknown): void {
    const isLaw = error instanceof LawBroken;
    this.failure ??= isLaw ? error : new LawBroken("No throw", String(error instanceof Error ? error.stack : error));
  }

  // ---- nodes ----

  addHost(): Host<Command, Response> {
    const { world, plan } = this;
    const disk = new SimulatedDisk(world, createDiskFaults(world, plan));
    disk.onFault = (kind) => this.count(kind);
    const clock = new NodeClock(world);
    clock.onArmed = (armed) =>
      this.guard(() => law(armed <= timersMax, "Bounded queues", () => `${host.id} has ${armed} timers armed`));
    if (plan.kinds.has("drift") && world.chance(50)) {
      clock.drift(world.between(50, 200) / 100);
      this.count("drift");
    }
    const host: Host<Command, Response> = new Host<Command, Response>(
      {
        id: `n${++this.#names}`,
        world,
        network: this.network,
        disk,
        clock,
        createMachine: () =>
          new WatchedMachine(this.workload.createMachine(), {
            applied: (index, number, chain, response) => {
              try {
                if (!this.strictOnly) this.clients.applied(host.id, index, number, chain, response);
              } catch (error) {
                this.fail(error);
              }
            },
          }),
        seed: () => this.#seed * 1000 + this.#lives++,
        onStep: (_host, event, update, core) => this.#stepped(event, update, core),
        onTold: (_host, after, applied) =>
          this.guard(() => {
            if (!this.strictOnly) this.clients.told(host.id, after, applied);
          }),
        diesNow: (host) => this.#diesNow(host),
        onStarted: (_host, core) => this.guard(() => this.observer.watch(core)),
        onFailed: (_host, failure) => this.#failed(host, failure),
        onCrashed: () => this.observer.forget(host.id),
      },
      plan.config,
    );
    this.hosts.push(host);
    this.observer.addDisk(host.id, disk);
    return host;
  }

  #diesNow(host: Host<Command, Response>): boolean {
    if (this.faultsOver || ++this.effects !== this.#crash?.effect) return false;
    host.disk.keepsNext = this.#crash.keepsWrite;
    this.restartLater(host, this.world.between(20, 3000));
    return true;
  }

  #stepped(event: Event, update: Update, core: Readonly<RaftState>): void {
    this.onStep?.(core.id, event, update, core);
    if (update.restore) this.snapshotsInstalled++;
    try {
      this.observer.check(event, update, core);
      noteStep(this.situations, event, update, core, this.observer.maxTerm);
    } catch (error) {
      this.fail(error);
    }
  }

  #failed(host: Host<Command, Response>, failure: Error): void {
    if (!(failure instanceof StorageFailed)) {
      // A node that finds its own memory contradicted by what it is told has to stop; here that may happen.
      if (this.strictOnly && failure.name === "AssertionFailed") return this.setAside(host);
      return this.fail(new LawBroken("No throw", `${host.id}: ${failure.stack}`));
    }
    if (failure.kind === "damaged") {
      this.setAside(host);
      this.replace();
      return;
    }
    if (failure.kind === "full" && host.disk.refused !== null)
      this.situations.reach(host.disk.refused === "hardState" ? "quota failure on a vote" : "quota failure while appending");
    this.world.after(0, () => {
      host.crash();
      this.restartLater(host, 300 + this.world.below(2500));
    });
  }

  restartLater(host: Host<Command, Response>, delay: number): void {
    this.world.after(delay, () => {
      if (!host.staysDown) this.startHost(host);
    });
  }

  startHost(host: Host<Command, Response>): void {
    if (host.life.alive || host.gone) return;
    if (this.plan.kinds.has("otherConfig") && !this.faultsOver && this.world.chance(40)) {
      host.config = createOtherConfig(this.world, host.config);
      this.count("otherConfig");
    }
    host.start();
  }

  thaw(host: Host<Command, Response>): void {
    if (host.thaw() > 100) this.situations.reach("thaw with more than 100 messages waiting");
  }

  /** Its memory cannot be trusted: this identity never speaks again. */
  setAside(host: Host<Command, Response>): void {
    host.gone = true;
    host.disk.damaged = true;
    this.world.after(0, () => host.crash());
  }

  /** The same person joins again, as somebody new. */
  replace(): void {
    const joiner = this.addHost();
    joiner.replacesAnother = true;
    this.startHost(joiner);
  }

  /** Another process asks for this node's identity, as a duplicated tab does; whoever finds it taken becomes a new node. */
  duplicate(host: Host<Command, Response>): void {
    if (!host.disk.isHeld) return this.startHost(host);
    this.situations.reach("identity clash");
    this.startHost(this.addHost());
  }

  host(id: NodeId | null): Host<Command, Response> | undefined {
    return this.hosts.find((host) => host.id === id);
  }

  leader(): Host<Command, Response> | undefined {
    return this.host(this.observer.leader());
  }

  // ---- what may be lost ----

  /** Every configuration that may still count: the last that is committed, and later ones in any log or on any disk. */
  configurationsThatMayCount(): readonly Configuration[] {
    const found = new Map<LogIndex, Configuration[]>();
    const add = (index: LogIndex, configuration: Configuration): void => {
      if (index >= this.observer.lastConfigurationIndex && configuration.voters.length > 0)
        found.set(index, [...(found.get(index) ?? []), configuration]);
    };
    const committed = this.observer.committed[this.observer.lastConfigurationIndex - 1];
    if (committed?.kind === "configuration") add(committed.index, committed.configuration);
    for (const { raft, disk } of this.hosts) {
      for (const { index, configuration } of raft?.core?.log.configurations ?? []) add(index, configuration);
      const durable = disk.configuration();
      if (durable) add(durable.index, durable.configuration);
    }
    return [...found.values()].flat();
  }

  /** Whether the cluster could still decide everything without this node, for ever. */
  canLose(lost: Host<Command, Response>): boolean {
    if (this.plan.style === "unlimited" || this.plan.style === "relaxed") return true;
    const isIntact = (id: NodeId): boolean => {
      const host = this.host(id);
      return host !== undefined && host !== lost && !host.gone && !host.disk.damaged;
    };
    return this.configurationsThatMayCount().every((configuration) => isHeldByQuorum(configuration, isIntact));
  }
}
