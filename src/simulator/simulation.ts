/**
 * One run: many nodes and clients in virtual time under faults that the seed chooses, every law checked after each step; then the faults
 * end, and the cluster must become one again.
 */

import { Stopped } from "../driver/errors.ts";
import { readFramed } from "../driver/framing.ts";
import type { Clock } from "../driver/interfaces.ts";
import { Raft } from "../driver/raft.ts";
import { createConfig, type RaftConfig } from "../raft/mod.ts";
import type { Generation, LogIndex, NodeId } from "../raft/types.ts";
import { SimulatedDisk } from "./disk.ts";
import { type Appended, HashChain } from "./machine.ts";
import { type NetworkFaults, SimulatedNetwork } from "./network.ts";
import { LawBroken, Observer } from "./observer.ts";
import { World } from "./world.ts";

export interface SimulationOptions {
  readonly seed: number;
  /** Happenings of the phase with faults. */
  readonly steps: number;
  /** 1 to 9. */
  readonly nodes: number;
}

export interface SimulationResult {
  readonly seed: number;
  readonly steps: number;
  readonly virtualMs: number;
  readonly elections: number;
  readonly commits: number;
  /** Configuration entries among them. */
  readonly configurations: number;
  readonly acknowledged: number;
  readonly reads: number;
  /** Faults injected, by kind. */
  readonly faults: { readonly [kind: string]: number };
}

interface Host {
  readonly id: NodeId;
  readonly disk: SimulatedDisk;
  raft: Raft<string, Appended, string> | null;
  machine: HashChain;
}

const generation: Generation = { number: 1, id: "0".repeat(32), parentId: null, forkIndex: 0 };
const faultKinds = ["loss", "duplicate", "late", "cut", "crash", "hang", "membership", "full"] as const;
type FaultKind = (typeof faultKinds)[number];

export class Simulation {
  readonly #world: World;
  readonly #observer = new Observer();
  readonly #network: SimulatedNetwork;
  readonly #hosts: Host[] = [];
  readonly #config: RaftConfig;
  readonly #options: SimulationOptions;
  readonly #enabled: ReadonlySet<FaultKind>;
  readonly #faults: Record<string, number> = {};
  readonly #networkFaults: NetworkFaults;
  /** Commands that a client was told were surely not applied. */
  readonly #notApplied = new Set<string>();
  readonly #repeatable = new Set<string>();
  #commands = 0;
  #reads = 0;
  #steps = 0;
  #lives = 0;
  #faultsOver = false;
  #failure: LawBroken | null = null;

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.#world = new World(options.seed);
    // Swarm: each run switches some kinds of fault fully off, so that the others get far.
    this.#enabled = new Set(faultKinds.filter(() => this.#world.chance(50)));
    const percent = (kind: FaultKind, most: number): number => (this.#enabled.has(kind) ? this.#world.below(most) : 0);
    this.#networkFaults = {
      maxDelayMs: 1 + this.#world.below(40),
      lossPercent: percent("loss", 20),
      duplicatePercent: percent("duplicate", 20),
      latePercent: percent("late", 10),
      ordered: this.#world.chance(50),
    };
    this.#network = new SimulatedNetwork(this.#world, this.#networkFaults);
    this.#network.onSend = (message) => this.#guard(() => this.#observer.checkSend(message));
    this.#config = createConfig({
      preVote: this.#world.chance(80),
      checkQuorum: this.#world.chance(80),
      maxBatchBytes: 256,
      maxInflightMessages: 4,
      ...this.#snapshotOptions(),
    });
    for (let number = 1; number <= options.nodes; number++) this.#addHost(`n${number}`, percent("hang", 5));
  }

  /**
   * Runs to the end.
   * @throws LawBroken
   */
  run(): SimulationResult {
    for (const host of this.#hosts) this.#start(host);
    this.#untilLeader();
    this.#scheduleClients();
    this.#scheduleFaults();
    while (this.#steps < this.#options.steps && this.#step());
    this.#healAndConverge();
    return {
      seed: this.#options.seed,
      steps: this.#steps,
      virtualMs: this.#world.now(),
      elections: this.#observer.elections,
      commits: this.#observer.committed.length,
      configurations: this.#observer.committed.filter(({ kind }) => kind === "configuration").length,
      acknowledged: this.#observer.acknowledged.size,
      reads: this.#reads,
      faults: this.#faults,
    };
  }

  /** Small ones and often, in half of the runs. */
  #snapshotOptions(): Partial<RaftConfig> {
    if (!this.#world.chance(50)) return { snapshotEveryEntries: 0, snapshotEveryBytes: 0 };
    const leaseReads = this.#world.chance(30);
    return {
      snapshotEveryEntries: 5 + this.#world.below(40),
      keptEntries: this.#world.below(10),
      snapshotChunkBytes: 64,
      maxInflightBytes: 256,
      leaseReads,
      checkQuorum: true,
    };
  }

  #addHost(id: NodeId, hangPercent: number): void {
    const disk = new SimulatedDisk(this.#world, { maxDelayMs: this.#world.below(20), hangPercent, hangMs: 1500 });
    this.#hosts.push({ id, disk, raft: null, machine: new HashChain() });
    this.#observer.addDisk(id, disk);
  }

  /** Laws speak from inside callbacks, where the driver would take them for its own failure; so they are kept and thrown at the end of the step. */
  #guard(check: () => void): void {
    try {
      check();
    } catch (error) {
      if (!(error instanceof LawBroken)) throw error;
      this.#failure ??= error;
    }
  }

  #step(): boolean {
    const more = this.#world.advance();
    this.#steps++;
    for (const { id, raft } of this.#hosts) if (raft?.core) this.#guard(() => this.#observer.check(id));
    if (this.#failure) throw this.#failure;
    return more;
  }

  #start(host: Host): void {
    host.machine = new HashChain();
    const raft: Raft<string, Appended, string> = new Raft({
      id: host.id,
      config: this.#config,
      seed: this.#options.seed * 1000 + this.#lives++,
      storage: host.disk,
      network: this.#network.join(host.id),
      stateMachine: host.machine,
      clock: this.#clockOf((): boolean => host.raft === raft),
    });
    host.raft = raft;
    raft.onMetrics(({ stopped }) => this.#guard(() => this.#onStopped(host, raft, stopped)));
    raft.start((failure) => {
      if (failure) throw failure;
      if (raft.core) this.#observer.watch(raft.core, host.disk);
      if (this.#lives <= this.#hosts.length) this.#initialize(raft);
    });
  }

  #onStopped(host: Host, raft: Raft<string, Appended, string>, stopped: Error | null): void {
    if (!stopped || host.raft !== raft) return;
    if (stopped.name !== "StorageFailed" && stopped.name !== "Stopped")
      throw new LawBroken(`${host.id} stopped: ${stopped.stack}`);
  }

  #initialize(raft: Raft<string, Appended, string>): void {
    const voters = this.#hosts.map(({ id }) => id);
    raft.initWithConfig({ voters, generation }).catch((error: Error) => this.#expect(error, "Stopped", "Timeout"));
  }

  #expect(error: Error, ...names: readonly string[]): void {
    if (!names.includes(error.name)) this.#failure ??= new LawBroken(`a client met ${error.name}: ${error.message}`);
  }

  /** Timers of a life that is over fire for nobody. */
  #clockOf(lives: () => boolean): Clock {
    const world = this.#world;
    return {
      now: () => world.now(),
      wallTime: () => world.wallTime(),
      soon: (run) => world.soon(() => (lives() ? run() : undefined)),
      schedule: (at, run) => world.schedule(at, () => (lives() ? run() : undefined)),
    };
  }

  #untilLeader(): void {
    const limit = this.#world.now() + 60_000;
    while (this.#observer.leader() === null && this.#world.now() < limit) this.#step();
    if (this.#observer.leader() === null) throw new LawBroken("Liveness: no first leader within a minute");
  }

  // ---- clients ----

  #scheduleClients(): void {
    const pause = 20 + this.#world.below(100);
    const next = (): void => {
      const host = this.#world.pick(this.#hosts);
      if (host?.raft?.core) {
        if (this.#world.chance(80)) this.#propose(host);
        else this.#read(host);
      }
      this.#world.schedule(this.#world.now() + 1 + this.#world.below(pause * 2), next);
    };
    next();
  }

  #propose(host: Host): void {
    const command = `c${++this.#commands}`;
    const idempotent = this.#world.chance(50);
    if (idempotent) this.#repeatable.add(command);
    host.raft?.proposeThen(command, { idempotent, timeoutMs: 5000 }, (outcome) =>
      this.#guard(() => {
        if (!(outcome instanceof Error)) {
          this.#observer.check(host.id);
          this.#observer.acknowledge(outcome.index, command);
        } else if (!("mayHaveApplied" in outcome && outcome.mayHaveApplied)) {
          this.#expect(outcome, "NoQuorum", "Timeout", "Stopped", "Overloaded");
          this.#notApplied.add(command);
        }
      }),
    );
  }

  #read(host: Host): void {
    const floor = Math.max(0, ...this.#observer.acknowledged.keys());
    host.raft?.readThen({ timeoutMs: 5000 }, (outcome) =>
      this.#guard(() => {
        if (outcome instanceof Error) return;
        this.#reads++;
        // A repeated command stands in the log without being applied again, so it is the index that counts.
        if ((host.raft?.metricsOrNull()?.lastApplied ?? floor) < floor)
          throw new LawBroken(`a read at ${host.id} missed entry ${floor}, which was acknowledged before it began`);
      }),
    );
  }

  // ---- faults ----

  #count(kind: string): void {
    this.#faults[kind] = (this.#faults[kind] ?? 0) + 1;
  }

  #scheduleFaults(): void {
    const kinds = [...this.#enabled].filter(
      (kind) => kind === "cut" || kind === "crash" || kind === "membership" || kind === "full",
    );
    const next = (): void => {
      if (this.#faultsOver) return;
      const kind = this.#world.pick(kinds);
      if (kind === "cut") this.#cutSome();
      if (kind === "crash") this.#crash(this.#world.pick(this.#hosts));
      if (kind === "membership") this.#changeMembership();
      if (kind === "full") this.#fillDisk(this.#world.pick(this.#hosts));
      this.#world.schedule(this.#world.now() + 200 + this.#world.below(4000), next);
    };
    if (kinds.length > 0) next();
  }

  #cutSome(): void {
    if (this.#world.chance(40)) {
      const { lossPercent, duplicatePercent, latePercent } = this.#networkFaults;
      this.#network.heal();
      Object.assign(this.#networkFaults, { lossPercent, duplicatePercent, latePercent });
      return;
    }
    this.#count("cut");
    const isolated = this.#world.pick(this.#hosts)?.id;
    const oneWay = this.#world.chance(30);
    const whole = this.#world.chance(50);
    for (const { id } of this.#hosts) {
      if (!isolated || id === isolated || !(whole || this.#world.chance(50))) continue;
      this.#network.cut(id, isolated);
      if (!oneWay) this.#network.cut(isolated, id);
    }
  }

  #crash(host: Host | undefined): void {
    if (!host?.raft) return;
    this.#count("crash");
    this.#end(host);
    this.#world.schedule(this.#world.now() + 50 + this.#world.below(3000), () => {
      if (!host.raft) this.#start(host);
    });
  }

  #end(host: Host): void {
    const raft = host.raft;
    host.raft = null;
    this.#network.leave(host.id);
    this.#observer.forget(host.id);
    host.disk.crash();
    raft?.stop(new Stopped(false, null));
  }

  #fillDisk(host: Host | undefined): void {
    if (!host?.raft) return;
    this.#count("full");
    host.disk.fail();
    this.#world.schedule(this.#world.now() + 500, () => this.#crash(host));
  }

  #changeMembership(): void {
    const leader = this.#hosts.find(({ id }) => id === this.#observer.leader())?.raft;
    const inForce = leader?.core ? leader.metrics() : null;
    if (!leader || !inForce) return;
    const voters = this.#hosts.map(({ id }) => id).filter(() => this.#world.chance(60));
    const learners = this.#hosts.map(({ id }) => id).filter((id) => !voters.includes(id) && this.#world.chance(70));
    this.#count("membership");
    leader
      .proposeConfigChange({ voters, learners, expectedConfigIndex: inForce.membershipIndex })
      .catch((error: Error) => this.#expect(error, "ConfigChangeRefused", "NotLeader", "Stopped", "Timeout", "NoQuorum"));
  }

  // ---- the end ----

  #healAndConverge(): void {
    this.#endFaults();
    for (const host of this.#hosts) if (!host.raft || host.raft.metricsOrNull()?.stopped) this.#restart(host);
    const deadline = this.#world.now() + 30 * this.#config.electionTimeoutMaxMs;
    const goal = this.#askForOneMore();
    while (!goal.reached() && this.#world.now() < deadline) this.#step();
    if (!goal.reached())
      throw new LawBroken(`Liveness: not one again ${this.#config.electionTimeoutMaxMs * 30} ms after the faults ended`);
    this.#checkHistory();
  }

  #endFaults(): void {
    this.#faultsOver = true;
    this.#network.heal();
    for (const { disk } of this.#hosts) disk.heal();
  }

  #restart(host: Host): void {
    if (host.raft) this.#end(host);
    this.#start(host);
  }

  #askForOneMore(): { reached(): boolean } {
    let acknowledgedAt: LogIndex = 0;
    this.#repeatable.add("last");
    const ask = (): void => {
      const host = this.#hosts.find(({ id }) => id === this.#observer.leader());
      const again = (): void => {
        if (acknowledgedAt === 0) this.#world.schedule(this.#world.now() + 100, ask);
      };
      if (!host?.raft?.core) return again();
      host.raft.proposeThen("last", { idempotent: true, timeoutMs: 5000 }, (outcome) => {
        if (outcome instanceof Error) again();
        else acknowledgedAt = outcome.index;
      });
    };
    ask();
    return { reached: () => acknowledgedAt > 0 && this.#membersHave(acknowledgedAt) };
  }

  #membersHave(index: LogIndex): boolean {
    const leader = this.#hosts.find(({ id }) => id === this.#observer.leader())?.raft;
    if (!leader?.core) return false;
    const { membershipConfig: members } = leader.metrics();
    const ids = [...members.voters, ...members.votersOld, ...members.learners];
    return this.#hosts.every(({ id, raft }) => !ids.includes(id) || (raft?.metricsOrNull()?.lastApplied ?? 0) >= index);
  }

  /** What the clients were told, against what the state machines have applied. */
  #checkHistory(): void {
    const leader = this.#hosts.find(({ id }) => id === this.#observer.leader());
    const seen = new Set<string>();
    for (const { command, index } of leader?.machine.commands ?? []) {
      if (this.#notApplied.has(command))
        throw new LawBroken(`${command} was applied at ${index}, yet its client was told that it was not`);
      if (seen.has(command) && !this.#repeatable.has(command)) throw new LawBroken(`${command} was applied twice`);
      seen.add(command);
    }
    for (const [index, command] of this.#observer.acknowledged) {
      const entry = this.#observer.committed[index - 1];
      const stands = entry?.kind === "command" && commandOf(entry.command) === command && seen.has(command);
      if (!stands) throw new LawBroken(`${command} was acknowledged at ${index} and is not there`);
    }
  }
}

function commandOf(bytes: Uint8Array): string {
  const framed = readFramed(bytes);
  return "body" in framed ? new TextDecoder().decode(framed.body) : "";
}
