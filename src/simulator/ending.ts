/**
 * The end of a run. Recovery: a random set of nodes that is just large enough to decide is healed, and everything else stays broken for ever;
 * that core must elect a leader, answer every proposal and become equal. Then quiet: nothing changes any more, no term above all.
 */
import { isVoter, members } from "../raft/mod.ts";
import type { LogIndex, NodeId } from "../raft/types.ts";
import type { Clients } from "./clients.ts";
import type { Cluster } from "./cluster.ts";
import { isHeldByQuorum } from "./configuration-laws.ts";
import type { Host } from "./host.ts";
import { LawBroken, law } from "./law.ts";

/** In longest election timeouts: from healing to a leader that the core accepts ... */
const leaderWithin = 20;
/** ... from then to all proposals answered, and all replicas equal ... */
const equalWithin = 30;
/** ... and how long nothing may change then. */
const quietFor = 10;
const proposalsEach = 3;

export class Ending<Command, Response> {
  readonly #cluster: Cluster<Command, Response>;
  readonly #clients: Clients<Command, Response>;
  readonly #step: () => boolean;
  #core: readonly Host<Command, Response>[] = [];
  #timeout = 0;

  constructor(cluster: Cluster<Command, Response>, clients: Clients<Command, Response>, step: () => boolean) {
    this.#cluster = cluster;
    this.#clients = clients;
    this.#step = step;
  }

  /** @throws LawBroken */
  run(): void {
    this.#cluster.faultsOver = true;
    this.#core = this.#chooseCore();
    this.#breakTheRest();
    this.#healCore();
    this.#timeout = Math.max(...this.#core.map(({ config }) => config.electionTimeoutMaxMs));
    this.#until(leaderWithin, "a leader", () => this.#leader() !== null);
    this.#answerProposals();
    this.#until(equalWithin, "equal replicas", () => this.#isEqual());
    this.#checkSnapshots();
    this.#stayQuiet();
  }

  /** In random order, whoever brings some half of some configuration that may count nearer to its majority. */
  #chooseCore(): readonly Host<Command, Response>[] {
    const { hosts, world } = this.#cluster;
    const configurations = this.#cluster.configurationsThatMayCount();
    const chosen = new Set<NodeId>();
    const halves = configurations.flatMap(({ voters, votersOld }) => [voters, votersOld]).filter(({ length }) => length > 0);
    const candidates = world.shuffle(hosts).filter(({ gone, disk }) => !gone && !disk.damaged);
    for (const { id } of candidates) {
      const isNeeded = halves.some(
        (half) => half.includes(id) && half.filter((one) => chosen.has(one)).length * 2 <= half.length,
      );
      if (isNeeded) chosen.add(id);
    }
    law(
      configurations.every((configuration) => isHeldByQuorum(configuration, (id) => chosen.has(id))),
      "Liveness",
      () => "the faults left no quorum: the simulator went too far",
    );
    const mayJoin = world.chance(50) ? configurations.flatMap(members) : [];
    for (const { id } of candidates) if (mayJoin.includes(id) && world.chance(50)) chosen.add(id);
    return hosts.filter(({ id }) => chosen.has(id));
  }

  /** For ever: gone, frozen, cut off, or cut off in one direction where the protocol promises to stand that. */
  #breakTheRest(): void {
    const { world, network, hosts } = this.#cluster;
    network.mendAll();
    const standsHalfCuts = this.#standsDisturbance();
    for (const host of hosts) {
      if (this.#core.includes(host)) continue;
      host.staysDown = true;
      const how = world.pick(standsHalfCuts ? ["crash", "freeze", "cut", "deaf", "mute"] : ["crash", "freeze", "cut"]);
      if (how === "crash") host.crash();
      if (how === "freeze") host.freeze();
      else this.#cluster.thaw(host);
      for (const { id } of this.#core) {
        if (how === "cut" || how === "deaf") network.cut(id, host.id);
        if (how === "cut" || how === "mute" || how === "freeze") network.cut(host.id, id);
      }
    }
  }

  /** With PreVote and CheckQuorum a node that is half cut off deposes nobody (diss. §9.6). */
  #standsDisturbance(): boolean {
    const { preVote, checkQuorum } = this.#cluster.plan.config;
    return preVote && checkQuorum;
  }

  #healCore(): void {
    const { plan, world } = this.#cluster;
    Object.assign(plan.network, { lossPercent: 0, duplicatePercent: 0, latePercent: 0, minimalQuorum: false });
    for (const host of this.#core) {
      host.disk.heal();
      host.clock.drift(1);
      host.clock.throttle(0);
      host.effectsLeft = Number.POSITIVE_INFINITY;
      this.#cluster.thaw(host);
      // What hung may hang for long: a person reloads the tab.
      if (host.life.alive && (host.raft?.metricsOrNull()?.stopped || host.disk.writing !== null || world.chance(10)))
        host.crash();
      host.start();
    }
  }

  #until(timeouts: number, what: string, holds: () => boolean): void {
    const { world } = this.#cluster;
    const deadline = world.now() + timeouts * this.#timeout;
    while (!holds()) {
      law(
        world.now() < deadline,
        "Liveness",
        () => `no ${what} among ${this.#core.map(({ id }) => id).join(" ")} within ${timeouts} election timeouts`,
      );
      this.#step();
    }
  }

  /** The one whom the core follows. */
  #leader(): Host<Command, Response> | null {
    let best: Host<Command, Response> | null = null;
    for (const host of this.#core)
      if (host.core?.role.kind === "leader" && host.core.hardState.currentTerm > (best?.core?.hardState.currentTerm ?? 0))
        best = host;
    return best?.core && best.core.role.kind === "leader" && best.core.commitIndex >= best.core.role.termStartIndex ? best : null;
  }

  /** A definite refusal says what to do: ask again. It may come late, of what was on its way when the faults ended. */
  #answerProposals(): void {
    const { world, workload } = this.#cluster;
    const open = new Map<Host<Command, Response>, number>();
    const count = (host: Host<Command, Response>, by: number): void => void open.set(host, (open.get(host) ?? 0) + by);
    const propose = (host: Host<Command, Response>): void => {
      const wish = workload.next(host.id, host.machine.inner);
      if (wish.command === null || !host.core) {
        world.after(20, () => propose(host));
        return;
      }
      this.#clients.propose(host, wish, wish.command, (outcome) => {
        if (!(outcome instanceof Error) || outcome.name === "CommandRejected") count(host, -1);
        else if (outcome.name === "SessionExpired" || outcome.name === "NoQuorum") propose(host);
        else if (this.#isMember(host))
          this.#cluster.fail(new LawBroken("Liveness", `a proposal at ${host.id} was not carried out: ${outcome.message}`));
      });
    };
    for (const host of this.#core.filter((one) => this.#isMember(one)))
      for (let number = 0; number < proposalsEach; number++) {
        count(host, 1);
        world.after(world.below(500), () => propose(host));
      }
    const isAnswered = (): boolean =>
      this.#leader() !== null && [...open].every(([host, left]) => left === 0 || !this.#isMember(host));
    this.#until(equalWithin, "answer to every proposal", isAnswered);
  }

  /** Of the cluster as its leader knows it now: a change that was on its way may still remove a node, which nobody answers then. */
  #isMember({ id }: Host<Command, Response>): boolean {
    const inForce = this.#leader()?.core?.log.configurations.at(-1)?.configuration;
    return inForce !== undefined && members(inForce).includes(id);
  }

  /** Every member that is in the core has applied all that is committed, and the change of the cluster that was open is made. */
  #isEqual(): boolean {
    const leader = this.#leader();
    if (!leader?.core) return false;
    const { configuration, index } = leader.core.log.configurations.at(-1) ?? { configuration: null, index: 0 };
    if (!configuration || configuration.votersOld.length > 0 || index > leader.core.commitIndex) return false;
    const goal = Math.max(leader.core.commitIndex, this.#cluster.clients.floor);
    const ids = members(configuration);
    return this.#core.every((host) => !ids.includes(host.id) || appliedAt(host) >= goal);
  }

  #checkSnapshots(): void {
    const leader = this.#leader();
    if (!leader) return;
    const expected = leader.machine.inner.snapshot();
    const goal = appliedAt(leader);
    for (const host of this.#core) {
      if (host === leader || appliedAt(host) !== goal) continue;
      const bytes = host.machine.inner.snapshot();
      law(
        bytes.length === expected.length && bytes.every((byte, at) => byte === expected[at]),
        "Identical snapshots",
        () => `${leader.id} and ${host.id} differ after having applied through ${goal}`,
      );
    }
  }

  /** Whoever the configuration counts keeps its leader. */
  #stayQuiet(): void {
    if (!this.#standsDisturbance() || this.#cluster.plan.style === "relaxed") return;
    const { world } = this.#cluster;
    const leader = this.#leader();
    const term = leader?.core?.hardState.currentTerm;
    const end = world.now() + quietFor * this.#timeout;
    while (world.now() < end) this.#step();
    const now = this.#leader();
    law(
      now === leader && now?.core?.hardState.currentTerm === term,
      "Stability",
      () =>
        `${leader?.id} led term ${term}, and without any fault ${now?.id ?? "nobody"} leads term ${now?.core?.hardState.currentTerm}`,
    );
    if (!now?.core) return;
    const { configuration } = now.core.log.configurations.at(-1) ?? { configuration: null };
    for (const { id, core } of this.#core)
      if (configuration && isVoter(configuration, id))
        law(core?.hardState.currentTerm === term, "Stability", () => `${id} left term ${term} without any fault`);
  }
}

function appliedAt<Command, Response>(host: Host<Command, Response>): LogIndex {
  return host.core ? (host.raft?.metricsOrNull()?.lastApplied ?? 0) : 0;
}
