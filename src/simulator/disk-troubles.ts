/** Faults of disks: no space, a write that fails, a record that is damaged, all of it lost. Each tells whether it could be injected. */
import type { Cluster } from "./cluster.ts";
import type { Host } from "./host.ts";

export class DiskTroubles<Command, Response> {
  readonly #cluster: Cluster<Command, Response>;
  /** Nodes that there may be: whoever loses its disk is replaced by another. */
  readonly #hostsMax: number;
  readonly #target: () => Host<Command, Response> | undefined;

  constructor(cluster: Cluster<Command, Response>, hostsMax: number, target: () => Host<Command, Response> | undefined) {
    this.#cluster = cluster;
    this.#hostsMax = hostsMax;
    this.#target = target;
  }

  fill(): boolean {
    const host = this.#target();
    if (!host) return false;
    host.disk.full = true;
    this.#cluster.world.after(this.#cluster.world.between(500, 6000), () => {
      if (!this.#cluster.faultsOver) host.disk.full = false;
    });
    return true;
  }

  failWrite(): boolean {
    const host = this.#target();
    if (!host) return false;
    host.disk.failsAfter = 1 + this.#cluster.world.below(8);
    return true;
  }

  /** A record is torn or corrupted while nobody runs on it; the next start finds out, and a new node comes in its place. */
  damage(): boolean {
    const host = this.#lossCandidate();
    if (!host) return false;
    host.disk.damaged = true;
    host.crash(this.#cluster.plan.silentCrashes);
    this.#cluster.restartLater(host, this.#cluster.world.between(20, 2000));
    return true;
  }

  loseDisk(): boolean {
    const host = this.#lossCandidate();
    if (!host) return false;
    this.#cluster.setAside(host);
    this.#cluster.replace();
    return true;
  }

  #lossCandidate(): Host<Command, Response> | null {
    const { hosts, plan } = this.#cluster;
    const host = this.#target();
    if (!host || host.disk.damaged || hosts.length >= this.#hostsMax) return null;
    // A cluster that loses a disk with every other step has nobody left soon.
    if (plan.style === "mixed" && !this.#cluster.world.chance(50)) return null;
    return this.#cluster.canLose(host) ? host : null;
  }
}
