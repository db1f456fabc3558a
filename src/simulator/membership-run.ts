/**
 * Tabs that open, reload, hide, close and die at random, alone or with their browser, and an autopilot that makes the best of it. A run goes on
 * after a lost majority only as far as to be sure of it; then the oracle says whether it was anybody's fault.
 */
import { createConfig } from "../raft/mod.ts";
import type { Configuration, Millis, NodeId } from "../raft/types.ts";
import { Clients } from "./clients.ts";
import { Cluster, generation } from "./cluster.ts";
import { isHeldByQuorum } from "./configuration-laws.ts";
import type { Host } from "./host.ts";
import { LawBroken } from "./law.ts";
import { type TabStory, whyAvoidable } from "./membership-oracle.ts";
import { Pilot } from "./pilot.ts";
import type { Plan } from "./swarm.ts";
import { chainWorkload } from "./workload-chain.ts";
import type { Workload } from "./workloads.ts";
import { World } from "./world.ts";

export interface MembershipResult {
  readonly seed: number;
  readonly virtualMs: Millis;
  readonly steps: number;
  readonly joins: number;
  readonly closes: number;
  readonly kills: number;
  readonly reloads: number;
  readonly browsersKilled: number;
  readonly changes: number;
  readonly elections: number;
  readonly acknowledged: number;
  /** Lost majorities that no rule could have avoided: 0 or 1. */
  readonly unavoidable: number;
}

const plan: Plan = {
  style: "mixed",
  kinds: new Set(),
  workload: "chain",
  network: { maxDelayMs: 20, lossPercent: 0, duplicatePercent: 0, latePercent: 0, ordered: true },
  config: createConfig({ metricsRateMs: 60_000 }),
  autopilot: true,
  silentCrashes: false,
  proposalPauseMs: 100,
  bursts: false,
  faultPauseMs: 1000,
  hangPercent: 0,
};
const tabsMax = 12;
const tabsEver = 40;
/** Of a run in which a majority always lives. */
const lastsMs = 200_000;
/** A majority is lost if nothing is committed for so long, though clients ask. */
const certainMs = 20_000;

interface Tab extends TabStory {
  readonly host: Host<unknown, unknown>;
  visible: boolean;
}

export class MembershipRun {
  readonly #seed: number;
  readonly #world: World;
  readonly #cluster: Cluster<unknown, unknown>;
  readonly #tabs: Tab[] = [];
  readonly #devices: number;
  /** Mean time between two happenings. */
  readonly #pauseMs: number;
  readonly #counts = { joins: 0, closes: 0, kills: 0, reloads: 0, browsersKilled: 0 };
  #steps = 0;
  #leader: NodeId | null = null;
  /** Since when the present leader has led, if there is one, or the last one had. */
  #leaderSince: Millis = 0;
  /** Nothing more befalls the tabs. */
  #calm = false;
  #suspected: { readonly at: Millis; readonly committed: number; readonly leaderSince: Millis } | null = null;

  constructor(seed: number) {
    this.#seed = seed;
    this.#world = new World(seed);
    this.#devices = 1 + this.#world.below(4);
    this.#pauseMs = this.#world.pick([1000, 4000, 10_000]) ?? 4000;
    const workload = chainWorkload(this.#world) as unknown as Workload<unknown, unknown>;
    this.#cluster = new Cluster(this.#world, { ...plan, network: { ...plan.network } }, workload, seed);
  }

  /** @throws LawBroken */
  run(): MembershipResult {
    this.#form();
    new Clients(this.#cluster).begin();
    new Pilot(this.#cluster, {
      deviceOf: (id) => this.#tab(id)?.device ?? id,
      isVisible: (id) => this.#tab(id)?.visible ?? false,
      isKnownGone: (id) => this.#isKnownGone(id),
    }).begin();
    this.#later();
    let unavoidable = 0;
    while (this.#world.now() < lastsMs) {
      this.#step();
      const isLost = this.#isSurelyLost();
      this.#noteLeader();
      if (!isLost) continue;
      this.#blame();
      unavoidable = 1;
      break;
    }
    return this.#result(unavoidable);
  }

  #form(): void {
    const { host } = this.#open();
    while (!host.core) this.#step();
    host.raft?.initWithConfig({ voters: [host.id], generation }).catch((error: Error) => error);
    while (this.#cluster.observer.leader() === null) this.#step();
    const crowd = this.#world.below(tabsMax);
    for (let count = 0; count < crowd; count++) this.#open();
  }

  #step(): void {
    this.#world.advance();
    this.#steps++;
    if (this.#cluster.failure) throw this.#cluster.failure;
  }

  #noteLeader(): void {
    const leader = this.#cluster.observer.leader();
    if (leader === null || leader === this.#leader) return;
    this.#leader = leader;
    this.#leaderSince = this.#world.now();
  }

  // ---- what befalls tabs ----

  #later(): void {
    this.#world.after(1 + this.#world.below(2 * this.#pauseMs), () => {
      if (!this.#calm) this.#happen();
      this.#later();
    });
  }

  #happen(): void {
    const living = this.#tabs.filter(({ host }) => host.life.alive);
    const tab = this.#world.pick(living);
    const mayJoin = living.length < tabsMax && this.#tabs.length < tabsEver;
    const draw = this.#world.below(100);
    if (mayJoin && draw < (living.length < 4 ? 75 : 35)) {
      this.#open();
      this.#counts.joins++;
    } else if (!tab || living.length < 2) return;
    else if (draw < 50) this.#close(tab);
    else if (draw < 60) this.#kill(tab);
    else if (draw < 78) this.#reload(tab);
    else if (draw < 82) this.#killBrowser(living, tab.device);
    else tab.visible = !tab.visible;
  }

  #open(): Tab {
    const host = this.#cluster.addHost();
    const tab: Tab = {
      ...{ id: host.id, host, device: `device ${this.#world.below(this.#devices)}`, visible: this.#world.chance(60) },
      ...{ bornAt: this.#world.now(), lastBreakAt: Number.NEGATIVE_INFINITY, diedAt: null, told: false },
    };
    this.#tabs.push(tab);
    this.#cluster.startHost(host);
    return tab;
  }

  /** In good order: a leader hands its office over, as far as there is time. */
  #close(tab: Tab): void {
    this.#counts.closes++;
    tab.host.raft?.transferLeadership().catch((error: Error) => error);
    this.#world.after(this.#world.between(1, 80), () => this.#end(tab, true));
  }

  #kill(tab: Tab): void {
    this.#counts.kills++;
    this.#end(tab, this.#world.chance(70));
  }

  #killBrowser(living: readonly Tab[], device: string): void {
    const there = living.filter((tab) => tab.device === device);
    if (there.length === living.length) return;
    this.#counts.browsersKilled++;
    const told = this.#world.chance(50);
    for (const tab of there) this.#end(tab, told);
  }

  #end(tab: Tab, told: boolean): void {
    if (tab.diedAt !== null) return;
    tab.diedAt = this.#world.now();
    tab.told = told;
    tab.host.staysDown = true;
    tab.host.crash(!told);
    tab.host.gone = true;
  }

  #reload(tab: Tab): void {
    this.#counts.reloads++;
    tab.host.raft?.transferLeadership().catch((error: Error) => error);
    tab.host.crash();
    this.#world.after(this.#world.between(300, 1500), () => {
      tab.lastBreakAt = this.#world.now();
      this.#cluster.startHost(tab.host);
    });
  }

  // ---- lost majorities ----

  #isSurelyLost(): boolean {
    const { committed } = this.#cluster.observer;
    if (this.#suspected) {
      if (committed.length > this.#suspected.committed + 3) {
        this.#suspected = null;
        this.#calm = false;
      } else return this.#world.now() - this.#suspected.at > certainMs;
    }
    const isLost = !isHeldByQuorum(this.#configuration(), (id) => this.#tab(id)?.diedAt === null);
    if (!isLost) return false;
    this.#calm = true;
    this.#suspected = { at: this.#world.now(), committed: committed.length, leaderSince: this.#leaderSince };
    return false;
  }

  #configuration(): Configuration {
    const { committed, lastConfigurationIndex } = this.#cluster.observer;
    const entry = committed[lastConfigurationIndex - 1];
    return entry?.kind === "configuration" ? entry.configuration : { voters: [], votersOld: [], learners: [] };
  }

  #blame(): void {
    if (!this.#suspected) return;
    const { at, leaderSince } = this.#suspected;
    const reason = whyAvoidable({ at, configuration: this.#configuration(), leaderSince, tabs: this.#tabs });
    if (reason !== null) throw new LawBroken("Avoidable loss", `the majority was lost at ${at} ms: ${reason}`);
  }

  #tab(id: NodeId): Tab | undefined {
    return this.#tabs.find((tab) => tab.id === id);
  }

  /** Of a reload too somebody tells: only what comes after tells it from an end. */
  #isKnownGone(id: NodeId): boolean {
    const tab = this.#tab(id);
    return tab !== undefined && !tab.host.life.alive && (tab.diedAt === null || tab.told);
  }

  #result(unavoidable: number): MembershipResult {
    const { observer, clients } = this.#cluster;
    const happened = this.#counts.joins + this.#counts.closes + this.#counts.kills + 2 * this.#counts.reloads;
    if (observer.configurations > 5 * (happened + 5 * this.#counts.browsersKilled) + 10)
      throw new LawBroken("Flapping", `${observer.configurations} configurations after ${happened} joins and leaves`);
    return {
      ...{ seed: this.#seed, virtualMs: this.#world.now(), steps: this.#steps, ...this.#counts, unavoidable },
      ...{ changes: observer.configurations, elections: observer.elections, acknowledged: clients.acknowledged },
    };
  }
}
