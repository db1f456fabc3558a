/** The autopilot at each leader, with what a node can know of the others: which is at times wrong. */
import { decide } from "../autopilot/policy.ts";
import type { Cluster } from "./cluster.ts";
import type { Host } from "./host.ts";

const everyMs = 500;

export class Pilot<Command, Response> {
  decisions = 0;
  readonly #cluster: Cluster<Command, Response>;

  constructor(cluster: Cluster<Command, Response>) {
    this.#cluster = cluster;
  }

  begin(): void {
    const turn = (): void => {
      if (this.#cluster.faultsOver) return;
      for (const host of this.#cluster.hosts) if (host.core?.role.kind === "leader") this.#decideAt(host);
      this.#cluster.world.after(everyMs, turn);
    };
    this.#cluster.world.after(everyMs, turn);
  }

  #decideAt(host: Host<Command, Response>): void {
    const metrics = host.raft?.metricsOrNull();
    if (!metrics || !host.raft) return;
    const { membershipConfig: configuration, membershipIndex, commitIndex } = metrics;
    if (configuration.votersOld.length > 0 || membershipIndex > commitIndex) return;
    const nodes = this.#cluster.hosts.map(({ id, life, gone }) => {
      const progress = metrics.replication.find((one) => one.id === id);
      const isSelf = id === host.id;
      const isReached = life.alive && !gone && !this.#cluster.network.isCut(host.id, id);
      return {
        id,
        connected: isSelf || isReached,
        silentMs: isSelf ? 0 : (progress?.lastContactMs ?? Number.POSITIVE_INFINITY),
        matchIndex: isSelf ? metrics.lastLogIndex : (progress?.matchIndex ?? null),
        visible: true,
        device: id,
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
