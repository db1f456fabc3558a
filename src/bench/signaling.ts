/**
 * The signaling server as a process of its own, under the load of 2,000 sockets in 400 rooms that exchange offers, with and without one abusive
 * client beside them. Clients and server share this machine, so what counts is the ratio within a run.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { WebSocket } from "ws";
import { atMost, inWords, machineOf, type Report, spreadOf } from "./report.ts";

const ROOMS = 400;
const MEMBERS = 5;
const OFFERS_PER_SECOND = 1000;
/** As long as a session description with its candidates. */
const BOX = "A".repeat(3000);
const PHASE_MS = 2500;
const ROUNDS = 5;
const KINDS = ["flood", "oversize", "slowReader", "garbage", "halfOpen", "joins"] as const;
const P99_RATIO_MAX = 1.5;

interface Member {
  readonly socket: WebSocket;
  readonly others: readonly string[];
}

class Load {
  readonly #members: Member[] = [];
  readonly #sentAt = new Map<number, number>();
  #times: number[] = [];
  #next = 1;
  #timer: NodeJS.Timeout | null = null;

  constructor(private readonly port: number) {}

  static topic(room: number): string {
    return `room${room}`.padEnd(22, "x");
  }

  async open(): Promise<void> {
    for (let room = 0; room < ROOMS; room += 1) {
      const ids = Array.from({ length: MEMBERS }, (_, at) => `node${room}-${at}`);
      await Promise.all(ids.map((id) => this.#join(room, id, ids)));
    }
  }

  async close(): Promise<void> {
    const closed = this.#members.map(({ socket }) => once(socket, "close"));
    for (const { socket } of this.#members) socket.close();
    await Promise.all(closed);
    this.#members.length = 0;
  }

  start(): void {
    const everyMs = 10;
    let turn = 0;
    this.#timer = setInterval(() => {
      for (let at = 0; at < (OFFERS_PER_SECOND * everyMs) / 1000; at += 1) this.#offer(turn++ * 7919);
    }, everyMs);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  /** Milliseconds from offer to answer of all that was answered since the last call. */
  take(): number[] {
    const times = this.#times;
    this.#times = [];
    return times;
  }

  #offer(draw: number): void {
    const member = this.#members[draw % this.#members.length];
    const to = member?.others[draw % (MEMBERS - 1)];
    if (member === undefined || to === undefined) return;
    const id = this.#next++;
    this.#sentAt.set(id, performance.now());
    member.socket.send(JSON.stringify({ kind: "relay", to, box: `offer-${id}-${BOX}` }));
  }

  async #join(room: number, id: string, ids: readonly string[]): Promise<void> {
    const socket = new WebSocket(`ws://127.0.0.1:${this.port}/signal`);
    await once(socket, "open");
    const joined = new Promise<void>((resolve) => {
      socket.on("message", (data: Buffer) => {
        // Only what matters is looked at: the clients must not be what is measured.
        const text = data.toString("latin1");
        if (text.startsWith('{"kind":"roster"')) resolve();
        else if (text.startsWith('{"kind":"relay"')) this.#onRelay(socket, text);
      });
    });
    socket.send(JSON.stringify({ kind: "join", version: 1, topic: Load.topic(room), nodeId: id }));
    await joined;
    this.#members.push({ socket, others: ids.filter((other) => other !== id) });
  }

  #onRelay(socket: WebSocket, text: string): void {
    const [, from = "", kind = "", id = ""] = /"from":"([^"]+)".*"box":"(offer|answer)-(\d+)/.exec(text.slice(0, 200)) ?? [];
    if (kind === "offer") {
      socket.send(JSON.stringify({ kind: "relay", to: from, box: `answer-${id}-${BOX}` }));
      return;
    }
    const sentAt = this.#sentAt.get(Number(id));
    this.#sentAt.delete(Number(id));
    if (sentAt !== undefined) this.#times.push(performance.now() - sentAt);
  }
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN;
}

/** Runs a TypeScript file as a process; resolves with its first line. */
async function run(args: readonly string[], env: Record<string, string> = {}): Promise<{ child: ChildProcess; line: string }> {
  const child = spawn(process.execPath, ["--import", "tsx", ...args], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (child.stdout === null) throw new Error("The child's output is a pipe.");
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  return { child, line };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

async function figureOf(port: number, name: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1] ?? Number.NaN);
}

/** Megabytes of living objects, once the collector has been at work for a while. */
async function settledHeap(port: number): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let at = 0; at < 40; at += 1) {
    const used = await figureOf(port, "signaling_nodejs_heap_size_used_bytes");
    const external = await figureOf(port, "signaling_nodejs_external_memory_bytes");
    least = Math.min(least, (used + external) / 1e6);
    await pause(200);
  }
  return least;
}

interface AbuseFigure {
  readonly kind: string;
  readonly ratios: readonly number[];
  readonly quietP99Ms: number;
  readonly abusedP99Ms: number;
}

/** A phase without and one with the abuser, in turn, so that what the machine does besides meets both. */
async function abuse(load: Load, port: number, kind: string): Promise<AbuseFigure> {
  const quiet: number[] = [];
  const abused: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    load.take();
    await pause(PHASE_MS);
    quiet.push(quantile(load.take(), 0.99));
    const { child } = await run(["src/bench/signaling-abuser.ts", kind, String(port), Load.topic(ROOMS + 1)]);
    await pause(300);
    load.take();
    await pause(PHASE_MS);
    abused.push(quantile(load.take(), 0.99));
    await end(child);
    await pause(300);
  }
  const ratios = abused.map((value, at) => value / (quiet[at] ?? Number.NaN));
  return { kind, ratios, quietP99Ms: spreadOf(quiet).median, abusedP99Ms: spreadOf(abused).median };
}

export async function signalingBench(quiet: boolean): Promise<Report> {
  const env = { PORT: "0", LOG_LEVEL: "info", MAX_SOCKETS_PER_ADDRESS: "4000" };
  const { child: server, line } = await run(["signaling-server/main.ts"], env);
  try {
    const { port } = JSON.parse(line) as { port: number };
    const heapBefore = await settledHeap(port);
    const load = new Load(port);
    await load.open();
    load.start();
    await pause(3000);
    const heapUnder = await figureOf(port, "signaling_nodejs_heap_size_used_bytes").then((bytes) => bytes / 1e6);
    const figures: AbuseFigure[] = [];
    for (const kind of KINDS) {
      figures.push(await abuse(load, port, kind));
      const { quietP99Ms, abusedP99Ms, ratios } = figures.at(-1) as AbuseFigure;
      if (!quiet)
        console.log(
          `${kind.padEnd(11)} p99 ${inWords(quietP99Ms)} ms, beside it ${inWords(abusedP99Ms)} ms; ratio ${inWords(spreadOf(ratios).median)} [${ratios.map(inWords).join(", ")}]`,
        );
    }
    load.stop();
    await pause(500);
    const rooms = await figureOf(port, "signaling_rooms");
    await load.close();
    const heapAfter = await settledHeap(port);
    const [socketsAfter, roomsAfter] = [await figureOf(port, "signaling_sockets"), await figureOf(port, "signaling_rooms")];
    if (!quiet)
      console.log(
        `living memory: ${inWords(heapBefore)} MB before, ${inWords(heapUnder)} under load, ${inWords(heapAfter)} after\n`,
      );
    return {
      name: "signaling",
      machine: machineOf(),
      figures: {
        sockets: ROOMS * MEMBERS,
        rooms,
        offersPerSecond: OFFERS_PER_SECOND,
        abuse: figures,
        heapMegabytes: { before: heapBefore, under: heapUnder, after: heapAfter },
      },
      targets: [
        ...figures.map(({ kind, ratios }) =>
          atMost(`p99 of the others beside ${kind}, to that without`, spreadOf(ratios).median, P99_RATIO_MAX),
        ),
        atMost("memory after they have left, to before", heapAfter / heapBefore, 1.5),
        atMost("sockets left", socketsAfter, 0),
        atMost("rooms left", roomsAfter, 0),
      ],
    };
  } finally {
    await end(server);
  }
}
