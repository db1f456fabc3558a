/**
 * How long nobody commits anything when the leader's tab dies: from the kill to the next commit by a survivor, in real tabs of the real page,
 * with default timeouts. In one browser and in two a hint can come (a Web Lock, signaling, a channel that closes); with the leader alone in its
 * browser, no signaling and a process that is killed, none can, and the election timeout decides.
 */
import type { Device } from "../../../e2e/harness/device.ts";
import { rendererPid } from "../../../e2e/harness/processes.ts";
import type { Tab } from "../../../e2e/harness/tab.ts";
import { until } from "../../../e2e/harness/until.ts";
import { World } from "../../../e2e/harness/world.ts";
import { createConfig } from "../../raft/mod.ts";
import { atMost, inWords, machineOf, type Report } from "../report.ts";

const ROUNDS = 30;
const HINTED_P50_MS = 100;

interface Case {
  readonly name: string;
  /** The three tabs by browser. */
  readonly browsers: readonly [number, number, number];
  readonly end: "kill" | "close";
  readonly signaling: boolean;
}

const cases: readonly Case[] = [
  { name: "one browser, process killed", browsers: [0, 0, 0], end: "kill", signaling: true },
  { name: "one browser, tab closed", browsers: [0, 0, 0], end: "close", signaling: true },
  { name: "two browsers, process killed", browsers: [0, 0, 1], end: "kill", signaling: true },
  { name: "two browsers, tab closed", browsers: [0, 0, 1], end: "close", signaling: true },
  { name: "no hint can come", browsers: [0, 1, 2], end: "kill", signaling: false },
];

interface Probe {
  running: boolean;
  readonly acked: string[];
  readonly refused: string[];
  /** Milliseconds since the epoch: the first commit in a later term. */
  first: number | null;
}

declare global {
  var failoverProbe: Probe;
}

/** Writes without a pause, one edit after the other, until it is stopped. */
async function startProbe(tab: Tab, name: string, term: number): Promise<void> {
  await tab.page.evaluate(
    ({ name: prefix, term: before }) => {
      const probe: Probe = { running: true, acked: [], refused: [], first: null };
      globalThis.failoverProbe = probe;
      const write = async () => {
        for (let count = 0; probe.running; count++) {
          const token = `${prefix}.${count};`;
          try {
            const committed = await window.tabraft.edit({ from: 0, insert: token });
            if (committed.term > before) probe.first ??= performance.timeOrigin + performance.now();
            probe.acked.push(token);
          } catch (error) {
            probe.refused.push(String(error));
          }
          await new Promise((resolve) => setTimeout(resolve, 4));
        }
      };
      void write();
    },
    { name, term },
  );
}

function readProbe(tab: Tab): Promise<Probe> {
  return tab.page.evaluate(() => globalThis.failoverProbe);
}

async function stopProbe(tab: Tab): Promise<Probe> {
  await tab.page.evaluate(() => {
    globalThis.failoverProbe.running = false;
  });
  return await readProbe(tab);
}

/** Milliseconds since the epoch, on the same clock as the tabs'. */
function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

async function untilProbes(
  what: string,
  tabs: readonly Tab[],
  holds: (probes: readonly Probe[]) => boolean,
): Promise<readonly Probe[]> {
  const ask = async () => {
    const probes = await Promise.all(tabs.map(readProbe));
    return holds(probes) ? probes : null;
  };
  return await until(what, ask, async () => JSON.stringify(await Promise.all(tabs.map(readProbe))), 60_000);
}

/** Ends the tab; returns when that began. */
async function endTab(tab: Tab, end: Case["end"]): Promise<number> {
  if (end === "close") {
    const closed = tab.page.waitForEvent("close");
    const at = nowMs();
    void tab.page.close({ runBeforeUnload: true });
    await closed;
    return at;
  }
  const pid = await rendererPid(tab.page);
  const crashed = tab.page.waitForEvent("crash");
  const at = nowMs();
  process.kill(pid, "SIGKILL");
  await crashed;
  await tab.page.close();
  return at;
}

interface Figures {
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
  readonly rounds: number;
  /** Acknowledged edits, and those of them that were not in the text afterwards. */
  readonly acknowledged: number;
  readonly lost: number;
}

async function measure(plan: Case): Promise<Figures> {
  const world = await World.create(true);
  try {
    const devices: Device[] = [world.device];
    while (devices.length <= Math.max(...plan.browsers)) devices.push(await world.newDevice());
    const homes = new Map<Tab, Device>();
    const open = async (device: Device, link: string | null): Promise<Tab> => {
      const tab = link === null ? await world.newDocument(device) : await world.openTab(link, device);
      homes.set(tab, device);
      return tab;
    };
    const [first, second, third] = plan.browsers.map((at) => devices[at] ?? world.device);
    if (!first || !second || !third) throw new Error("there are three tabs");
    const made = await open(first, null);
    const link = await world.link(made);
    let tabs = [made, await open(second, link), await open(third, link)];
    const times: number[] = [];
    const acked: string[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const leader = await world.untilCluster(tabs);
      const survivors = tabs.filter((tab) => tab !== leader);
      const { term } = await world.status(leader);
      if (!plan.signaling) await world.server.stopSignaling();
      for (const [at, tab] of survivors.entries()) await startProbe(tab, `${round}${"ab"[at]}`, term);
      await untilProbes("edits in both survivors", survivors, (probes) => probes.every((probe) => probe.acked.length >= 3));
      const begun = await endTab(leader, plan.end);
      const probes = await untilProbes("a commit in a later term", survivors, (all) => all.some((probe) => probe.first !== null));
      times.push(Math.min(...probes.map((probe) => probe.first ?? Number.POSITIVE_INFINITY)) - begun);
      for (const tab of survivors) acked.push(...(await stopProbe(tab)).acked);
      if (!plan.signaling) await world.server.restart();
      tabs = [...survivors, await open(homes.get(leader) ?? world.device, link)];
    }
    await world.untilCluster(tabs);
    const { text } = await (tabs[0] as Tab).read();
    const there = new Set(text.split(";"));
    return { ...spread(times), rounds: ROUNDS, acknowledged: acked.length, lost: countLost(acked, there) };
  } finally {
    await world.end();
  }
}

function countLost(acked: readonly string[], there: ReadonlySet<string>): number {
  return acked.filter((token) => !there.has(token.slice(0, -1))).length;
}

function spread(times: readonly number[]): Pick<Figures, "p50" | "p95" | "max"> {
  const sorted = [...times].sort((a, b) => a - b).map((value) => Math.round(value * 10) / 10);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
  return { p50: at(0.5), p95: at(0.95), max: at(1) };
}

export async function failoverBench(quiet: boolean): Promise<Report> {
  const figures: Record<string, Figures> = {};
  for (const plan of cases) {
    const found = await measure(plan);
    figures[plan.name] = found;
    const { p50, p95, max, acknowledged, lost } = found;
    if (!quiet)
      console.log(
        `${plan.name.padEnd(30)} p50 ${inWords(p50)} ms, p95 ${inWords(p95)} ms, max ${inWords(max)} ms; ${acknowledged} acknowledged, ${lost} lost`,
      );
  }
  const { electionTimeoutMaxMs } = createConfig();
  const of = (name: string): Figures => figures[name] as Figures;
  return {
    name: "failover",
    machine: machineOf(),
    figures,
    targets: [
      ...cases
        .filter(({ signaling }) => signaling)
        .map(({ name }) => atMost(`${name}: p50 in ms from the kill to the next commit`, of(name).p50, HINTED_P50_MS)),
      ...cases
        .filter(({ signaling }) => !signaling)
        .map(({ name }) => atMost(`${name}: p50 in ms, two election timeouts`, of(name).p50, 2 * electionTimeoutMaxMs)),
      atMost(
        "acknowledged edits that were lost",
        Object.values(figures).reduce((sum, { lost }) => sum + lost, 0),
        0,
      ),
    ],
  };
}
