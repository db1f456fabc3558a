/**
 * A real editing trace, typed as fast as acknowledgements come, until three real tabs hold the same text: each edit an update of its own with
 * its own acknowledgement, at most a thousand in flight. One person's trace is typed in one tab, that of two people in two.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { build } from "vite";
import { Device } from "../../../e2e/harness/device.ts";
import { rendererPid } from "../../../e2e/harness/processes.ts";
import { createSignalingServer } from "../../../signaling-server/server.ts";
import { atLeast, inWords, machineOf, type Report } from "../report.ts";
import { BenchTab } from "./bench-device.ts";
import {
  type ConcurrentTrace,
  readConcurrentTrace,
  readSequentialTrace,
  type SequentialTrace,
  type TraceEdit,
} from "./trace-file.ts";
import type { ReplayFigure } from "./trace-page.ts";

const IN_FLIGHT_MAX = 1000;
const TABS = 3;
const PAGE = "src/bench/browser/trace.html";
const TRACE = "trace.json";

/** Collects the page's peer connections, for the figures of what they carry. */
function watchConnections(): void {
  const Native = window.RTCPeerConnection;
  const made: RTCPeerConnection[] = [];
  window.RTCPeerConnection = class extends Native {
    constructor(configuration?: RTCConfiguration) {
      super(configuration);
      made.push(this);
    }
  };
  Object.assign(window, { benchConnections: made });
}

/** Bytes that the page's connections have sent: everything above UDP. */
async function sentBytes(page: Page): Promise<number> {
  return await page.evaluate(async () => {
    const { benchConnections } = window as unknown as { readonly benchConnections: readonly RTCPeerConnection[] };
    let sum = 0;
    for (const connection of benchConnections) {
      for (const entry of (await connection.getStats()).values()) if (entry.type === "transport") sum += entry.bytesSent;
    }
    return sum;
  });
}

/** Bytes: the most memory that the tab's process has held so far; `null` where the system does not tell. */
async function peakMemory(page: Page): Promise<number | null> {
  const status = await readFile(`/proc/${await rendererPid(page)}/status`, "utf8").catch(() => "");
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  return kilobytes === undefined ? null : Number(kilobytes) * 1024;
}

async function usage(page: Page): Promise<number> {
  return await page.evaluate(async () => (await navigator.storage.estimate()).usage ?? 0);
}

interface Node {
  status(): { readonly version: number; readonly voters: readonly string[]; readonly unconfirmed: number } | null;
  text(): string;
}

/** Everything that is asked of a tab's console is asked here. */
async function untilStatus(page: Page, voters: number, version: number): Promise<void> {
  await page.waitForFunction(
    ([wantedVoters, wantedVersion]) => {
      const status = (window as unknown as { readonly tabraft: Node }).tabraft.status();
      return status !== null && status.voters.length === wantedVoters && status.version >= (wantedVersion ?? 0);
    },
    [voters, version],
    { timeout: 600_000, polling: 5 },
  );
}

async function textOf(page: Page): Promise<string> {
  return await page.evaluate(() => (window as unknown as { readonly tabraft: Node }).tabraft.text());
}

/** What is replayed: by how many tabs at once, and to which end. */
interface Plan {
  readonly authors: number;
  /** Updates that the document will have. */
  readonly edits: readonly TraceEdit[];
  readonly endContent: string;
  replay(tab: BenchTab, author: number): Promise<ReplayFigure>;
}

function planAlone({ startContent, endContent, edits }: SequentialTrace): Plan {
  const start: readonly TraceEdit[] = startContent === "" ? [] : [{ patches: [[0, 0, startContent]] }];
  return {
    authors: 1,
    edits: [...start, ...edits],
    endContent,
    replay: (tab) => tab.call("replay", TRACE, IN_FLIGHT_MAX),
  };
}

function planTogether({ agents, endContent, edits }: ConcurrentTrace): Plan {
  return {
    authors: agents,
    edits,
    endContent,
    replay: (tab, author) => tab.call("replayTogether", TRACE, author, IN_FLIGHT_MAX / agents),
  };
}

/** The built page, the bench's page beside it, and the trace. */
async function buildInto(outDir: string, { edits }: Plan): Promise<void> {
  await build({
    logLevel: "error",
    build: { outDir, emptyOutDir: true, rolldownOptions: { input: { trace: PAGE } } },
  });
  await writeFile(join(outDir, TRACE), JSON.stringify(edits));
}

interface Measured {
  readonly replays: readonly ReplayFigure[];
  /** Until all tabs had everything. */
  readonly milliseconds: number;
  readonly wireBytes: number;
  readonly diskBytes: number;
  readonly peakMemory: readonly (number | null)[];
  readonly texts: readonly string[];
}

/** The first tabs are those that write; the last is the page as it is. */
async function openTabs(device: Device, url: string, authors: number): Promise<{ pages: Page[]; benches: BenchTab[] }> {
  const pages: Page[] = [];
  const benches: BenchTab[] = [];
  let hash = "";
  for (let tab = 0; tab < TABS; tab += 1) {
    const page = await device.newPage();
    await page.addInitScript(watchConnections);
    await page.goto(url + (tab < authors ? PAGE : "") + hash);
    pages.push(page);
    if (tab >= authors) continue;
    await page.waitForFunction(() => globalThis.tabraftBench !== undefined);
    const bench = new BenchTab(page);
    benches.push(bench);
    if (tab === 0) hash = await bench.call<string>("newDocument");
  }
  for (const page of pages) await untilStatus(page, TABS, 0);
  return { pages, benches };
}

async function measure(device: Device, url: string, plan: Plan): Promise<Measured> {
  const { pages, benches } = await openTabs(device, url, plan.authors);
  const [first] = pages;
  if (first === undefined) throw new Error("there are no tabs");
  const wireBefore = await Promise.all(pages.map(sentBytes));
  const diskBefore = await usage(first);
  const started = performance.now();
  const replays = await Promise.all(benches.map((tab, author) => plan.replay(tab, author)));
  const updates = replays.reduce((sum, { acknowledgedMs }) => sum + acknowledgedMs.length, 0);
  for (const page of pages) await untilStatus(page, TABS, updates);
  const milliseconds = performance.now() - started;
  const wireAfter = await Promise.all(pages.map(sentBytes));
  const memory: (number | null)[] = [];
  // One after another: the browser traces for one at a time.
  for (const page of pages) memory.push(await peakMemory(page));
  return {
    replays,
    milliseconds,
    wireBytes: wireAfter.reduce((sum, bytes, at) => sum + bytes - (wireBefore[at] ?? 0), 0),
    diskBytes: (await usage(first)) - diskBefore,
    peakMemory: memory,
    texts: await Promise.all(pages.map(textOf)),
  };
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function report({ authors, edits, endContent }: Plan, measured: Measured, browser: string): Report {
  const sorted = measured.replays.flatMap(({ acknowledgedMs }) => acknowledgedMs).sort((a, b) => a - b);
  const [text = ""] = measured.texts;
  const same = measured.texts.filter((other) => other === text).length;
  const seconds = measured.milliseconds / 1000;
  const figures = {
    edits: edits.length,
    authors,
    inFlightMax: IN_FLIGHT_MAX,
    seconds,
    acknowledgedSeconds: Math.max(...measured.replays.map(({ milliseconds }) => milliseconds)) / 1000,
    editsPerSecond: sorted.length / seconds,
    acknowledgedMsP50: quantile(sorted, 0.5),
    acknowledgedMsP99: quantile(sorted, 0.99),
    acknowledgedMsMax: sorted.at(-1) ?? Number.NaN,
    wireBytesPerEdit: measured.wireBytes / sorted.length,
    diskBytesPerEditAndTab: measured.diskBytes / sorted.length / TABS,
    peakMemoryBytes: measured.peakMemory,
    endTextLength: text.length,
  };
  // Of two people at once some edits may change nothing, as when both delete the same.
  const least = authors === 1 ? edits.length : edits.length * 0.99;
  return {
    name: "trace",
    machine: `${machineOf()}, Chromium ${browser}, headless, ${TABS} tabs, profile on disk`,
    figures,
    targets: [
      atLeast("tabs with one and the same text", same, TABS),
      atLeast("edits acknowledged", sorted.length, least),
      { name: "the trace's own end text, 1 is yes", value: text === endContent ? 1 : 0, target: 1, holds: text === endContent },
    ],
  };
}

function show({ figures }: Report): void {
  console.log("");
  for (const [name, value] of Object.entries(figures)) {
    const words = Array.isArray(value)
      ? value.map((one) => (one === null ? "?" : inWords(one))).join(", ")
      : inWords(Number(value));
    console.log(`${name.padEnd(24)} ${words}`);
  }
  console.log("");
}

/** Paths of traces, plain or gzipped: of one person, or of two at once. */
export type TraceWish = { readonly trace: string } | { readonly concurrent: string };

export async function traceBench(quiet: boolean, wish: TraceWish): Promise<Report> {
  const plan =
    "trace" in wish ? planAlone(await readSequentialTrace(wish.trace)) : planTogether(await readConcurrentTrace(wish.concurrent));
  const dist = await mkdtemp(join(tmpdir(), "tabraft-trace-"));
  const ends: (() => Promise<unknown>)[] = [() => rm(dist, { recursive: true, force: true })];
  try {
    await buildInto(dist, plan);
    const server = await createSignalingServer({ port: 0, dist });
    ends.push(() => server.close());
    const device = await Device.create(true);
    ends.push(() => device.remove());
    const measured = await measure(device, `http://localhost:${server.port}/`, plan);
    const page = await device.newPage();
    const done = report(plan, measured, page.context().browser()?.version() ?? "unknown");
    if (!quiet) show(done);
    return done;
  } finally {
    for (const end of ends.reverse()) await end();
  }
}
