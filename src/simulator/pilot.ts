/** The autopilot at each leader, with what a node can know of the others: which is at times wrong. */
import { decide } from "../autopilot/policy.ts";
import { createStability, look, type Stability, stabilityOf } from "../autopilot/stability.ts";
import type { NodeId } from "../raft/types.ts";
import type { Cluster } from "./cluster.ts";
import type { Host } from "./host.ts";

const everyMs = 500;

/** What is told of a node beside the log. */
export interface Rumours {
  deviceOf(id: NodeId): string;
  isVisible(id: NodeId): boolean;
  /** Something tells for certain that its tab is gone, which may be wrong. */
  isKnownGone(id: NodeId): boolean;
}

export class Pilot<Command, Response> {
  decisions = 0;
  readonly #cluster: Cluster<Command, Response>;
  /** What each node has seen of the others. */
  readonly #stability = new Map<NodeId, Stability>();

  readonly #rumours: Rumours;

  constructor(cluster: Cluster<Command, Response>, rumours: Partial<Rumours> = {}) {
    this.#cluster = cluster;
    this.#rumours = {
      deviceOf: (id) => id,
      isVisible: () => true,
      // Somebody tells of most who leave; of some nobody does.
      isKnownGone: (id) => cluster.host(id)?.life.alive === false && !cluster.plan.silentCrashes,
      ...rumours,
    };
  }

  begin(): void {
    const turn = (): void => {
      if (this.#cluster.faultsOver) return;
      for (const host of this.#cluster.hosts) {
        this.#lookAround(host);
        if (host.core?.role.kind === "leader") this.#decideAt(host);
      }
      this.#cluster.world.after(everyMs, turn);
    };
    this.#cluster.world.after(everyMs, turn);
  }

  #isReached(from: Host<Command, Response>, { id, life, gone }: Host<Command, Response>): boolean {
    return from.id === id || (life.alive && !gone && !this.#cluster.network.isCut(from.id, id));
  }

  #lookAround(host: Host<Command, Response>): void {
    if (!host.core) return;
    const stability = this.#stability.get(host.id) ?? createStability();
    this.#stability.set(host.id, stability);
    const { hosts, world } = this.#cluster;
    const sights = hosts.map((other) => ({
      id: other.id,
      connected: this.#isReached(host, other),
      gone: this.#rumours.isKnownGone(other.id),
    }));
    look(stability, world.now(), sights);
  }

  #decideAt(host: Host<Command, Response>): void {
    const metrics = host.raft?.metricsOrNull();
    const stability = this.#stability.get(host.id);
    if (!metrics || !host.raft || !stability) return;
    const { membershipConfig: configuration, membershipIndex, commitIndex } = metrics;
    if (configuration.votersOld.length > 0 || membershipIndex > commitIndex) return;
    const nodes = this.#cluster.hosts.map((other) => {
      const { id } = other;
      const progress = metrics.replication.find((one) => one.id === id);
      const isSelf = id === host.id;
      return {
        id,
        connected: this.#isReached(host, other),
        silentMs: isSelf ? 0 : (progress?.lastContactMs ?? Number.POSITIVE_INFINITY),
        matchIndex: isSelf ? metrics.lastLogIndex : (progress?.matchIndex ?? null),
        visible: this.#rumours.isVisible(id),
        device: this.#rumours.deviceOf(id),
        storageOk: true,
        ...stabilityOf(stability, id, this.#cluster.world.now()),
      };
    });
    const decision = decide({ self: host.id, configuration, commitIndex, nodes });
    if (!decision) return;
    this.decisions++;
    const { voters, learners } = decision;
    // Whether it was made is seen in the logs.
    host.raft.proposeConfigChange({ voters, learners, expectedConfigIndex: membershipIndex }).catch((error: Error) => error);
  }
}
