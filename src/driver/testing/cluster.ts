/** Whole nodes in virtual time for the driver's tests: real driver and core, the simulator's disk, network and clock, no faults but those asked for. */
import type { RaftConfig } from "../../raft/mod.ts";
import { createConfig } from "../../raft/mod.ts";
import type { Event, Generation, Message, NodeId, Update } from "../../raft/types.ts";
import { SimulatedDisk } from "../../simulator/disk.ts";
import { type Appended, HashChain } from "../../simulator/machine.ts";
import { SimulatedNetwork } from "../../simulator/network.ts";
import { World } from "../../simulator/world.ts";
import { Stopped } from "../errors.ts";
import type { Clock, RaftNetwork } from "../interfaces.ts";
import type { RaftMetrics } from "../metrics.ts";
import { type Proposed, Raft } from "../raft.ts";

export type TestRaft = Raft<string, Appended, string>;

export interface Host {
  readonly id: NodeId;
  readonly disk: SimulatedDisk;
  machine: HashChain;
  raft: TestRaft;
  alive: boolean;
  /** Every record that was told. */
  readonly metrics: RaftMetrics[];
}

export const testGeneration: Generation = { number: 1, id: "0".repeat(32), parentId: null, forkIndex: 0 };

/** No snapshot unless a test asks for one. */
export const quietConfig: Partial<RaftConfig> = { snapshotEveryEntries: 0, snapshotEveryBytes: 0, keptEntries: 0 };

export class TestCluster {
  readonly world = new World(42);
  readonly network: SimulatedNetwork;
  readonly hosts = new Map<NodeId, Host>();
  /** Sees each message, and may lose it. */
  lose: (message: Message) => boolean = () => false;
  onStep: (id: NodeId, event: Event, update: Update) => void = () => undefined;
  readonly #config: RaftConfig;
  #lives = 0;

  constructor(config: Partial<RaftConfig> = {}) {
    this.#config = createConfig({ ...quietConfig, ...config });
    this.network = new SimulatedNetwork(this.world, {
      maxDelayMs: 2,
      lossPercent: 0,
      duplicatePercent: 0,
      latePercent: 0,
      ordered: true,
    });
  }

  /** A pristine node, or with `disk` what it left. */
  add(id: NodeId, disk = new SimulatedDisk(this.world, { maxDelayMs: 1, hangPercent: 0, hangMs: 0 })): Host {
    const machine = new HashChain();
    const life = ++this.#lives;
    const alive = (): boolean => this.hosts.get(id)?.alive === true && this.#lifeOf.get(id) === life;
    const raft: TestRaft = new Raft({
      id,
      config: this.#config,
      seed: 100 * life + Number(id.replace(/\D/g, "")),
      storage: disk,
      network: this.#edge(id),
      stateMachine: machine,
      clock: this.#clock(alive),
      onStep: (event, update) => this.onStep(id, event, update),
    });
    const host: Host = { id, disk, machine, raft, alive: true, metrics: [] };
    raft.onMetrics((metrics) => host.metrics.push(metrics));
    this.#lifeOf.set(id, life);
    this.hosts.set(id, host);
    return host;
  }

  readonly #lifeOf = new Map<NodeId, number>();

  #edge(id: NodeId): RaftNetwork {
    const edge = this.network.join(id);
    return {
      start: (handlers) => edge.start(handlers),
      send: (message) => (this.lose(message) ? undefined : edge.send(message)),
    };
  }

  #clock(alive: () => boolean): Clock {
    const { world } = this;
    return {
      now: () => world.now(),
      wallTime: () => world.wallTime(),
      soon: (run) => world.soon(() => (alive() ? run() : undefined)),
      schedule: (at, run) => world.schedule(at, () => (alive() ? run() : undefined)),
    };
  }

  /** Voters of a new cluster, started; returns once one of them leads and all follow. */
  async begin(ids: readonly NodeId[]): Promise<Host> {
    for (const id of ids) await this.start(this.add(id));
    for (const id of ids)
      this.host(id)
        .raft.initWithConfig({ voters: ids, generation: testGeneration })
        .catch(() => undefined);
    await this.until(() => ids.every((id) => (this.host(id).raft.metrics().commitIndex ?? 0) >= 2));
    return this.leader();
  }

  start(host: Host): Promise<void> {
    return this.settle(new Promise((resolve, reject) => host.raft.start((failure) => (failure ? reject(failure) : resolve()))));
  }

  host(id: NodeId): Host {
    const host = this.hosts.get(id);
    if (!host) throw new Error(`there is no node ${id}`);
    return host;
  }

  /** The one of the latest term. */
  leaderOrNull(): Host | null {
    const leading = [...this.hosts.values()].filter(({ raft, alive }) => alive && raft.core?.role.kind === "leader");
    const termOf = ({ raft }: Host): number => raft.core?.hardState.currentTerm ?? 0;
    return leading.sort((a, b) => termOf(b) - termOf(a))[0] ?? null;
  }

  leader(): Host {
    const host = this.leaderOrNull();
    if (!host) throw new Error("nobody leads");
    return host;
  }

  followers(): readonly Host[] {
    const leader = this.leader();
    return [...this.hosts.values()].filter((host) => host !== leader && host.alive);
  }

  /** As a tab that is killed: what is not durable is gone. */
  crash(id: NodeId): void {
    const host = this.host(id);
    host.alive = false;
    this.network.leave(id);
    host.disk.crash();
    host.raft.stop(new Stopped(false, null));
  }

  async restart(id: NodeId): Promise<Host> {
    const { disk } = this.host(id);
    const host = this.add(id, disk);
    await this.start(host);
    return host;
  }

  isolate(id: NodeId): void {
    for (const other of this.hosts.keys()) {
      this.network.cut(id, other);
      this.network.cut(other, id);
    }
  }

  // ---- time ----

  /** Lets the world go on until `holds`. */
  async until(holds: () => boolean, limitMs = 120_000): Promise<void> {
    const limit = this.world.now() + limitMs;
    while (!holds()) {
      const more = this.world.now() <= limit && this.world.advance();
      await turns();
      if (!more && !holds()) throw new Error(`it did not happen within ${limitMs} ms`);
    }
  }

  async run(ms: number): Promise<void> {
    const end = this.world.now() + ms;
    let over = false;
    this.world.schedule(end, () => {
      over = true;
    });
    await this.until(() => over, ms + 1);
  }

  /** What a promise comes to, while the world goes on. */
  async settle<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const watch = (): void => {
      settled = true;
    };
    promise.then(watch, watch);
    await turns();
    await this.until(() => settled);
    return promise;
  }

  /** The error that a promise ends with. */
  async failure(promise: Promise<unknown>): Promise<Error> {
    const outcome = await this.settle(
      promise.then(
        () => null,
        (error: unknown) => error,
      ),
    );
    if (outcome instanceof Error) return outcome;
    throw new Error("it was to fail");
  }

  propose(host: Host, command: string): Promise<Proposed<Appended>> {
    return this.settle(host.raft.propose(command));
  }

  /** Everybody that lives has applied as much as the leader. */
  async caughtUp(): Promise<void> {
    await this.until(() => {
      const leader = this.leaderOrNull();
      const applied = leader?.raft.metrics().lastApplied ?? Number.POSITIVE_INFINITY;
      return [...this.hosts.values()].every(({ raft, alive }) => !alive || (raft.metricsOrNull()?.lastApplied ?? 0) >= applied);
    });
  }
}

/** Promises that are settled are heard. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 6; turn++) await null;
}

export function commandsOf({ machine }: Host): readonly string[] {
  return machine.commands.map(({ command }) => command);
}

/** An abort signal that is pulled by hand. */
export class TestSignal {
  aborted = false;
  readonly listeners = new Set<() => void>();

  addEventListener(_kind: "abort", listener: () => void): void {
    this.listeners.add(listener);
  }

  removeEventListener(_kind: "abort", listener: () => void): void {
    this.listeners.delete(listener);
  }

  abort(): void {
    this.aborted = true;
    for (const listener of [...this.listeners]) listener();
  }
}
