/** Learners that lose the way to their leader and turn to a follower, or to one that is none; and some that ask for no reason. */
import { createRandom, nextBelow } from "../raft/mod.ts";
import type { Cluster } from "./cluster.ts";
import type { Host } from "./host.ts";

const everyMs = 400;

export class Relays<Command, Response> {
  asked = 0;
  readonly #cluster: Cluster<Command, Response>;
  /** Its own, so that runs without relays stay what they were. */
  readonly #random;

  constructor(cluster: Cluster<Command, Response>, seed: number) {
    this.#cluster = cluster;
    this.#random = createRandom(seed);
  }

  begin(): void {
    const { world, hosts } = this.#cluster;
    const turn = (): void => {
      if (this.#cluster.faultsOver) return;
      for (const host of hosts) this.#turnOf(host);
      world.after(everyMs, turn);
    };
    world.after(everyMs, turn);
  }

  #turnOf(host: Host<Command, Response>): void {
    const { core, raft } = host;
    if (!core || !raft || raft.metricsOrNull()?.state !== "learner" || this.#below(3) === 0) return;
    const { hosts, network } = this.#cluster;
    const feeder = core.feeder ?? hosts[this.#below(hosts.length)]?.id ?? null;
    raft.askRelay(this.#below(8) === 0 ? null : this.#below(6) === 0 ? (hosts[this.#below(hosts.length)]?.id ?? null) : feeder);
    this.asked++;
    const leader = this.#cluster.leader();
    // The feeder's way stays open; the leader's does not.
    if (!leader || leader === host || this.#below(4) !== 0) return;
    network.cut(leader.id, host.id);
    network.cut(host.id, leader.id);
  }

  #below(bound: number): number {
    return nextBelow(this.#random, bound);
  }
}
