/** Injects, from time to time, one of the kinds of fault that the seed has chosen. */
import { members } from "../raft/mod.ts";
import type { Millis, NodeId } from "../raft/types.ts";
import type { Cluster } from "./cluster.ts";
import { DiskTroubles } from "./disk-troubles.ts";
import type { Host } from "./host.ts";
import { type FaultKind, timedKinds } from "./swarm.ts";
import type { World } from "./world.ts";

/** Nodes that may come beyond those of the beginning. */
const joinersMax = 5;

export class Faults<Command, Response> {
  readonly #cluster: Cluster<Command, Response>;
  readonly #world: World;
  readonly #initialHosts: number;
  readonly #disks: DiskTroubles<Command, Response>;
  #cutUntil: Millis = 0;
  /** By kind: does it, and tells whether it could. */
  readonly #inject: { readonly [kind in FaultKind]?: () => boolean };

  constructor(cluster: Cluster<Command, Response>) {
    this.#cluster = cluster;
    this.#world = cluster.world;
    this.#initialHosts = cluster.hosts.length;
    this.#disks = new DiskTroubles(cluster, this.#initialHosts + joinersMax, () => this.#target());
    this.#inject = {
      cut: () => this.#cut(false),
      oneWayCut: () => this.#cut(true),
      clog: () => this.#clog(),
      swizzleClog: () => this.#swizzleClog(),
      reset: () => this.#reset(),
      lyingHint: () => this.#lie(),
      crash: () => this.#crash(),
      effectCrash: () => this.#crashBetweenEffects(),
      voteCrash: () => this.#crashAfterWrite(),
      freeze: () => this.#freeze(),
      sleep: () => this.#sleep(),
      full: () => this.#disks.fill(),
      failingWrite: () => this.#disks.failWrite(),
      damage: () => this.#disks.damage(),
      lostDisk: () => this.#disks.loseDisk(),
      jump: () => this.#jump(),
      throttle: () => this.#throttle(),
      membership: () => this.#changeMembership(),
      transfer: () => this.#transfer(),
      deafTransfer: () => this.#transferToNobodyHeard(),
      join: () => this.#join(),
      duplicateTab: () => this.#duplicate(),
      leave: () => this.#leave(),
      otherConfig: () => this.#crash("otherConfig"),
    };
  }

  begin(): void {
    const { plan } = this.#cluster;
    const kinds = timedKinds.filter((kind) => plan.kinds.has(kind));
    const next = (): void => {
      if (this.#cluster.faultsOver) return;
      const kind = this.#world.pick(kinds);
      if (kind && this.#inject[kind]?.() && kind !== "full" && kind !== "failingWrite" && kind !== "otherConfig")
        this.#cluster.count(kind);
      // Cuts would pile up until nothing moves.
      if (this.#world.now() >= this.#cutUntil && this.#world.chance(25)) this.#cluster.network.mendAll();
      this.#world.after(20 + this.#world.below(plan.faultPauseMs), next);
    };
    if (kinds.length > 0) this.#world.after(this.#world.below(plan.faultPauseMs), next);
  }

  #running(): Host<Command, Response> | undefined {
    return this.#world.pick(this.#cluster.hosts.filter(({ core }) => core !== null));
  }

  /** Often the leader: most of what matters happens there. */
  #target(): Host<Command, Response> | undefined {
    const leader = this.#world.chance(40) ? this.#cluster.leader() : undefined;
    return leader?.core ? leader : this.#running();
  }

  #later(least: number, most: number, run: () => void): void {
    this.#world.after(this.#world.between(least, most), () => {
      if (!this.#cluster.faultsOver) run();
    });
  }

  // ---- network ----

  /** One node from all others or from some; or a group from the rest. */
  #cut(oneWay: boolean): boolean {
    const { hosts, network } = this.#cluster;
    // A leader that is cut off for long goes on to take itself for one, while the others choose another.
    const leader = this.#world.chance(50) ? this.#cluster.leader() : undefined;
    const target = leader ?? this.#target();
    if (!target || hosts.length < 2) return false;
    if (leader) {
      // Without CheckQuorum it goes on to collect entries that the others will have overtaken by a snapshot.
      const most = this.#cluster.plan.config.checkQuorum ? 4000 : 10_000;
      this.#cutUntil = this.#world.now() + this.#world.between(500, most);
      this.#cluster.favoured = { host: leader, until: this.#cutUntil };
      // What it collects at once the others may later replace by a snapshot that is shorter.
      const atOnce = this.#world.chance(30) ? this.#world.below(80) : 0;
      for (let count = 0; count < atOnce; count++) this.#world.soon(() => leader.core && this.#cluster.ask(leader));
    }
    const whole = leader !== undefined || this.#world.chance(50);
    const group = new Set<NodeId>([target.id]);
    if (!leader && this.#world.chance(30)) for (const { id } of hosts) if (this.#world.chance(40)) group.add(id);
    for (const { id } of hosts)
      for (const inside of group) {
        if (group.has(id) || !(whole || this.#world.chance(50))) continue;
        network.cut(id, inside);
        if (!oneWay) network.cut(inside, id);
      }
    return true;
  }

  #someLinks(percent: number): [NodeId, NodeId][] {
    const ids = this.#cluster.hosts.map(({ id }) => id);
    return ids.flatMap((from) =>
      ids.filter((to) => to !== from && this.#world.chance(percent)).map((to): [NodeId, NodeId] => [from, to]),
    );
  }

  #clog(): boolean {
    const { network } = this.#cluster;
    const links = this.#someLinks(20);
    for (const [from, to] of links) {
      network.clog(from, to);
      this.#later(100, 5000, () => network.unclog(from, to));
    }
    return links.length > 0;
  }

  /** The links of some nodes stop one by one, and flow again one by one in another order. */
  #swizzleClog(): boolean {
    const { network } = this.#cluster;
    const links = this.#someLinks(50);
    this.#world.shuffle(links).forEach(([from, to], place) => {
      this.#world.after(place * 40, () => {
        if (!this.#cluster.faultsOver) network.clog(from, to);
      });
    });
    this.#world.shuffle(links).forEach(([from, to], place) => {
      this.#world.after((links.length + place) * 60, () => network.unclog(from, to));
    });
    return links.length > 0;
  }

  /** Of some channel now, or of the next one that carries a snapshot, in the midst of it. */
  #reset(): boolean {
    const [a, b] = this.#world.shuffle(this.#cluster.hosts);
    if (!a || !b) return false;
    if (this.#world.chance(30))
      this.#cluster.awaited = {
        kind: "installSnapshot",
        sent: ({ from, to }) => this.#later(1, 60, () => this.#resetChannel(from, to)),
      };
    else this.#resetChannel(a.id, b.id);
    return true;
  }

  #resetChannel(a: NodeId, b: NodeId): void {
    const { role } = this.#cluster.host(a)?.core ?? {};
    if (role?.kind === "leader" && role.progress.get(b)?.transfer)
      this.#cluster.situations.reach("channel reset with a snapshot on its way");
    this.#cluster.network.reset(a, b);
  }

  /** Everybody, or some, hear that a node is gone which is there: mostly the leader. */
  #lie(): boolean {
    const target = this.#target();
    if (!target) return false;
    const told = this.#cluster.hosts.filter(({ id }) => id !== target.id && this.#world.chance(60));
    for (const { id } of told) this.#cluster.network.lie(id, target.id);
    return told.length > 0;
  }

  // ---- processes ----

  #crash(kind: "crash" | "otherConfig" = "crash"): boolean {
    const host = this.#target();
    if (!host) return false;
    if (host.disk.writing === "snapshot") this.#cluster.situations.reach("crash while a snapshot is written");
    host.crash(this.#cluster.plan.silentCrashes);
    this.#cluster.restartLater(host, this.#world.between(20, kind === "crash" && this.#world.chance(20) ? 20_000 : 3000));
    return true;
  }

  /** Of the next writes and messages only the first few happen. */
  #crashBetweenEffects(): boolean {
    const host = this.#target();
    if (!host) return false;
    host.effectsLeft = this.#world.below(12);
    this.#cluster.situations.reach("crash between the effects of one step");
    this.#watchForCrash(host);
    return true;
  }

  #watchForCrash(host: Host<Command, Response>): void {
    const { life } = host;
    const look = (): void => {
      if (this.#cluster.faultsOver && life.alive) host.effectsLeft = Number.POSITIVE_INFINITY;
      else if (life.alive) this.#world.after(50, look);
      else this.#cluster.restartLater(host, this.#world.between(20, 3000));
    };
    this.#world.after(50, look);
  }

  /** A write becomes durable, and nobody is told any more. */
  #crashAfterWrite(): boolean {
    const host = this.#target();
    if (!host) return false;
    const wanted = this.#world.pick(["hardState", "hardState", "snapshot", null] as const);
    host.disk.onDurable = (kind) => {
      if (wanted !== null && kind !== wanted) return false;
      host.disk.onDurable = () => false;
      if (this.#cluster.faultsOver) return false;
      if (kind === "hardState") this.#cluster.situations.reach("crash between a vote and its answer");
      if (kind === "snapshot") this.#cluster.situations.reach("crash while a snapshot is written");
      host.crash(this.#cluster.plan.silentCrashes);
      this.#cluster.restartLater(host, this.#world.between(20, 3000));
      return true;
    };
    return true;
  }

  #freeze(): boolean {
    const host = this.#world.chance(60) ? this.#running() : this.#target();
    if (!host) return false;
    host.freeze();
    this.#cluster.favoured = { host, until: Number.POSITIVE_INFINITY };
    const isLong = this.#world.chance(50);
    this.#later(isLong ? 15_000 : 300, isLong ? 60_000 : 5000, () => this.#cluster.thaw(host));
    return true;
  }

  /** Devices are shut for minutes or hours: all of them, or one, whose clock has gone on meanwhile. */
  #sleep(): boolean {
    const { hosts } = this.#cluster;
    const one = this.#target();
    if (!one) return false;
    const asleep = this.#world.chance(50) ? hosts.filter(({ core }) => core !== null) : [one];
    const slept = this.#world.between(60_000, this.#world.chance(20) ? 48 * 3_600_000 : 600_000);
    const all = asleep.length > 1;
    for (const host of asleep) host.freeze();
    this.#later(200, 3000, () => {
      for (const host of asleep) {
        host.clock.jump(all && this.#world.chance(30) ? 0 : slept);
        this.#cluster.thaw(host);
      }
    });
    return true;
  }

  // ---- clocks ----

  #jump(): boolean {
    const host = this.#running();
    if (!host) return false;
    if (this.#world.chance(50)) host.clock.jump(this.#world.between(1, 60_000));
    else host.clock.jumpWall((this.#world.chance(50) ? 1 : -1) * this.#world.between(1000, 400 * 24 * 3_600_000));
    return true;
  }

  /** A page that is hidden, where nothing keeps its timers from being held: to one a second, or to one a minute (F8). */
  #throttle(): boolean {
    const host = this.#target();
    if (!host) return false;
    host.clock.throttle(this.#world.chance(80) ? 1000 : 60_000);
    this.#later(1000, 10_000, () => host.clock.throttle(0));
    return true;
  }

  // ---- the cluster ----

  /** Its answer is not waited for: what becomes of it is seen in the logs. */
  #changeMembership(): boolean {
    const leader = this.#cluster.leader();
    if (!leader?.core || !leader.raft) return false;
    const inForce = leader.raft.metrics();
    const present = this.#cluster.hosts.filter(({ gone, disk }) => !gone && !disk.damaged).map(({ id }) => id);
    const voters = present.filter(() => this.#world.chance(60));
    const learners = present.filter((id) => !voters.includes(id) && this.#world.chance(70));
    leader.raft
      .proposeConfigChange({ voters, learners, expectedConfigIndex: this.#world.chance(80) ? inForce.membershipIndex : null })
      .catch(ignore);
    return true;
  }

  #transfer(): boolean {
    const leader = this.#cluster.leader();
    if (!leader?.core || !leader.raft) return false;
    const { configuration } = leader.core.log.configurations.at(-1) ?? {};
    const to = this.#world.chance(50) ? null : (this.#world.pick(configuration ? members(configuration) : []) ?? null);
    leader.raft.transferLeadership(to).catch(ignore);
    return true;
  }

  /**
   * A leader hands its office over and hears nobody when it is taken: it does not learn who has it now, nor that anybody has. Half of them have
   * given the transfer up by then, as their word was under way for too long.
   */
  #transferToNobodyHeard(): boolean {
    const { network } = this.#cluster;
    const isLate = this.#world.chance(50);
    this.#cluster.awaited = {
      kind: "timeoutNow",
      sent: ({ from, to }) => {
        if (!isLate) return this.#deafen(from);
        const givenUpMs = this.#cluster.host(from)?.config.electionTimeoutMaxMs ?? 0;
        network.clog(from, to);
        this.#later(givenUpMs, givenUpMs + 1000, () => {
          this.#deafen(from);
          network.unclog(from, to);
        });
      },
    };
    return this.#transfer();
  }

  #deafen(id: NodeId): void {
    const { network, hosts } = this.#cluster;
    for (const other of hosts) if (other.id !== id) network.cut(other.id, id);
    this.#cutUntil = this.#world.now() + this.#world.between(300, 2000);
    const host = this.#cluster.host(id);
    if (host) this.#cluster.favoured = { host, until: this.#cutUntil };
  }

  #join(): boolean {
    if (this.#cluster.hosts.length >= this.#initialHosts + joinersMax) return false;
    this.#cluster.startHost(this.#cluster.addHost());
    return true;
  }

  /** A tab is duplicated, with all that it remembers of itself: the copy must become somebody else, as the node's lock is held (F5). */
  #duplicate(): boolean {
    const frozen = this.#world.chance(50) ? this.#cluster.hosts.find(({ isFrozen }) => isFrozen) : undefined;
    const host = frozen ?? this.#target();
    if (!host || this.#cluster.hosts.length >= this.#initialHosts + joinersMax) return false;
    this.#cluster.duplicate(host);
    return true;
  }

  /** In good order: a leader hands its office over first. Half of them come back. */
  #leave(): boolean {
    const host = this.#running();
    if (!host?.raft) return false;
    const forEver = this.#world.chance(50) && this.#cluster.canLose(host);
    host.gone = forEver;
    host.raft.transferLeadership().catch(ignore);
    this.#later(50, 400, () => {
      host.crash();
      if (!forEver) this.#cluster.restartLater(host, this.#world.between(200, 5000));
    });
    return true;
  }
}

function ignore(): void {
  // Seen by the observer in the logs, as far as it became anything.
}
