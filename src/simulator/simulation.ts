/**
 * One run: many nodes and clients in virtual time under faults that the seed chooses, every law checked after each step; then a part of the
 * cluster is healed and must recover, and then be quiet.
 */
import { Clients } from "./clients.ts";
import { Cluster, type CrashPoint, generation, type StepListener } from "./cluster.ts";
import { Ending } from "./ending.ts";
import { Faults } from "./faults.ts";
import { LawBroken, type Situation } from "./law.ts";
import { Pilot } from "./pilot.ts";
import { Relays } from "./relays.ts";
import { createPlan, type FaultKind, type Plan, type Style, type WorkloadName } from "./swarm.ts";
import { chainWorkload } from "./workload-chain.ts";
import { documentWorkload } from "./workload-document.ts";
import { registersWorkload } from "./workload-registers.ts";
import type { Chance, Workload } from "./workloads.ts";
import { World } from "./world.ts";

export interface SimulationOptions {
  readonly seed: number;
  /** Happenings of the phase with faults. */
  readonly steps: number;
  /** 1 to 9. */
  readonly nodes: number;
  /** In place of what the seed chooses. */
  readonly plan?: Partial<Plan>;
  /** A state machine and clients of one's own; else one of three, by the seed. */
  readonly workload?: (chance: Chance, now: () => number) => Workload<unknown, unknown>;
  /** Besides what the seed chooses: one more crash, at an effect of the phase with faults. */
  readonly crash?: CrashPoint;
  /** Sees each step of each node. */
  readonly onStep?: StepListener;
}

export interface SimulationResult {
  readonly seed: number;
  readonly style: Style;
  readonly workload: string;
  /** Happenings, to the very end. */
  readonly steps: number;
  /** Writes and messages of the phase with faults: the places where a process may die. */
  readonly effects: number;
  readonly virtualMs: number;
  readonly messages: number;
  readonly elections: number;
  readonly commits: number;
  /** Configuration entries among them. */
  readonly configurations: number;
  readonly snapshotsInstalled: number;
  readonly acknowledged: number;
  readonly reads: number;
  readonly decisions: number;
  readonly enabled: readonly FaultKind[];
  /** Faults injected, by kind. */
  readonly faults: { readonly [kind in FaultKind]?: number };
  readonly situations: { readonly [name in Situation]?: number };
}

/** In one of five seeds learners are fed by followers now and then. */
const relaySeeds = 1;
const firstLeaderMs = 60_000;

export class Simulation {
  readonly #world: World;
  readonly #plan: Plan;
  readonly #cluster: Cluster<unknown, unknown>;
  readonly #clients: Clients<unknown, unknown>;
  readonly #pilot: Pilot<unknown, unknown>;
  readonly #relays: Relays<unknown, unknown>;
  readonly #options: SimulationOptions;
  #steps = 0;

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.#world = new World(options.seed);
    this.#plan = { ...createPlan(this.#world), ...options.plan };
    const now = (): number => this.#world.now();
    const workload = options.workload?.(this.#world, now) ?? createWorkload(this.#plan.workload, this.#world, now);
    this.#cluster = new Cluster(this.#world, this.#plan, workload, options.seed, options.crash ?? null);
    this.#cluster.onStep = options.onStep ?? null;
    this.#clients = new Clients(this.#cluster);
    this.#pilot = new Pilot(this.#cluster);
    this.#relays = new Relays(this.#cluster, options.seed);
    for (let number = 1; number <= options.nodes; number++) this.#cluster.addHost();
  }

  /** What the seed has chosen. */
  get plan(): Plan {
    return this.#plan;
  }

  /** Happenings so far: where a run broke a law. */
  get steps(): number {
    return this.#steps;
  }

  /**
   * Runs to the end.
   * @throws LawBroken
   */
  run(): SimulationResult {
    this.#form();
    this.#clients.begin();
    new Faults(this.#cluster).begin();
    if (this.#plan.autopilot) this.#pilot.begin();
    if (this.#options.seed % 5 === relaySeeds) this.#relays.begin();
    while (this.#steps < this.#options.steps && this.#step());
    if (this.#plan.style === "mixed" || this.#plan.style === "calm")
      new Ending(this.#cluster, this.#clients, () => this.#step()).run();
    if (!this.#cluster.strictOnly) this.#cluster.workload.finish();
    return this.#result();
  }

  /** Without faults until there is a leader: what never began cannot be broken. */
  #form(): void {
    const voters = this.#cluster.hosts.map(({ id }) => id);
    this.#cluster.faultsOver = true;
    const { hangPercent } = this.#plan;
    for (const { disk } of this.#cluster.hosts) disk.faults.hangPercent = 0;
    for (const host of this.#cluster.hosts) host.start();
    for (const host of this.#cluster.hosts) {
      while (!host.core) this.#step();
      host.raft?.initWithConfig({ voters, generation }).catch((error: Error) => error);
    }
    while (this.#cluster.observer.leader() === null) {
      if (this.#world.now() > firstLeaderMs) throw new LawBroken("Liveness", "no first leader within a minute");
      this.#step();
    }
    for (const { disk } of this.#cluster.hosts) disk.faults.hangPercent = hangPercent;
    this.#cluster.faultsOver = false;
  }

  #step(): boolean {
    const more = this.#world.advance();
    this.#steps++;
    if (this.#cluster.failure) throw this.#cluster.failure;
    return more;
  }

  #result(): SimulationResult {
    const { observer, clients, faults, situations, snapshotsInstalled, workload, network, hosts } = this.#cluster;
    for (const { id, replacesAnother } of hosts) {
      const last = observer.committed[observer.lastConfigurationIndex - 1];
      if (replacesAnother && last?.kind === "configuration" && last.configuration.voters.includes(id))
        situations.reach("new identity for a lost disk");
    }
    return {
      seed: this.#options.seed,
      style: this.#plan.style,
      workload: workload.name,
      steps: this.#steps,
      effects: this.#cluster.effects,
      virtualMs: this.#world.now(),
      messages: network.sent,
      elections: observer.elections,
      commits: observer.committed.length,
      configurations: observer.configurations,
      snapshotsInstalled,
      acknowledged: clients.acknowledged,
      reads: this.#clients.reads,
      decisions: this.#pilot.decisions,
      enabled: [...this.#plan.kinds],
      faults,
      situations: situations.counts,
    };
  }
}

function createWorkload(name: WorkloadName, chance: Chance, now: () => number): Workload<unknown, unknown> {
  // Commands and responses travel as bytes; between client and state machine they stay what the workload made them.
  if (name === "document") return documentWorkload(chance) as unknown as Workload<unknown, unknown>;
  if (name === "registers") return registersWorkload(chance, now) as unknown as Workload<unknown, unknown>;
  return chainWorkload(chance) as unknown as Workload<unknown, unknown>;
}
