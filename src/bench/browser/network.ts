/** How fast the way between two tabs' workers is, through all that guards it, beside a bare data channel between the same two in the same run. */
import { atLeast, atMost, inWords, type Report, type Spread, spreadOf } from "../report.ts";
import { type BenchDevice, type BenchTab, withBenchDevice } from "./bench-device.ts";
import { HEARTBEAT_MS, type RoundTrips, SNAPSHOT_BYTES, type Throughput, type ThroughputPlan } from "./network-plan.ts";

const SECRET = "BBBBBBBBBBBBBBBBBBBBBA";
const plans: readonly ThroughputPlan[] = [
  { messageBytes: 256, totalBytes: 4 * 1024 * 1024, rounds: 7 },
  { messageBytes: 16 * 1024, totalBytes: 32 * 1024 * 1024, rounds: 7 },
  { messageBytes: 1024 * 1024, totalBytes: 64 * 1024 * 1024, rounds: 7 },
];
const LEAST_RATIO: Readonly<Record<number, number>> = { 256: 3, [16 * 1024]: 0.8, [1024 * 1024]: 0.8 };

export interface Pair {
  /** Measures. */
  readonly near: BenchTab;
  /** Answers. */
  readonly far: BenchTab;
}

/** Two tabs whose workers are connected both ways: through the stack, and by a bare channel. */
export async function connectedPair(device: BenchDevice): Promise<Pair> {
  const [near, far] = [await device.open(), await device.open()];
  await Promise.all([near.call("join", SECRET, "near", "far"), far.call("join", SECRET, "far", "near")]);
  const offer = await near.call("bareOffer");
  await near.call("bareAccept", await far.call("bareAnswer", offer));
  await Promise.all([near.call("bareOpen"), far.call("bareOpen")]);
  await far.call("answer");
  return { near, far };
}

function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN;
}

interface RateFigure {
  readonly messageBytes: number;
  /** Megabytes per second. */
  readonly stack: Spread;
  readonly bare: Spread;
  /** Of each round. */
  readonly ratio: Spread;
}

async function rate(near: BenchTab, plan: ThroughputPlan): Promise<RateFigure> {
  const { stack, bare } = await near.call<Throughput>("throughput", plan);
  const inMegabytes = (values: readonly number[]) => spreadOf(values.map((value) => value / 1e6));
  const ratio = spreadOf(stack.map((value, at) => value / (bare[at] ?? Number.NaN)));
  return { messageBytes: plan.messageBytes, stack: inMegabytes(stack), bare: inMegabytes(bare), ratio };
}

export interface PaceFigure {
  readonly heartbeatMs: number;
  /** Milliseconds between two heartbeats as they arrive. */
  readonly idle: { readonly p50: number; readonly p99: number; readonly most: number };
  readonly underSnapshot: PaceFigure["idle"];
  readonly snapshotBytes: number;
  readonly megabytesPerSecond: number;
  readonly lost: number;
}

export async function measurePace({ near, far }: Pair, snapshots: number): Promise<PaceFigure> {
  type Beaten = { readonly sent: number; readonly tookMs: number };
  type Heard = { readonly gaps: readonly number[]; readonly count: number };
  const of = ({ gaps }: Heard) => ({ p50: quantile(gaps, 0.5), p99: quantile(gaps, 0.99), most: Math.max(...gaps) });
  await far.call("takeHeartbeats");
  const during = await near.call<Beaten>("heartbeatsDuring", snapshots, 0);
  const heard = await far.call<Heard>("takeHeartbeats");
  const quiet = await near.call<Beaten>("heartbeatsDuring", 0, Math.max(during.tookMs, 2000));
  const quietHeard = await far.call<Heard>("takeHeartbeats");
  return {
    heartbeatMs: HEARTBEAT_MS,
    idle: of(quietHeard),
    underSnapshot: of(heard),
    snapshotBytes: SNAPSHOT_BYTES,
    megabytesPerSecond: (snapshots * SNAPSHOT_BYTES) / 1e3 / during.tookMs,
    lost: during.sent + quiet.sent - heard.count - quietHeard.count,
  };
}

function show(trips: { stack: number; bare: number }, rates: readonly RateFigure[], pace: PaceFigure): void {
  console.log(`\nround trip p50: ${inWords(trips.stack)} ms, bare ${inWords(trips.bare)} ms`);
  for (const { messageBytes, stack, bare, ratio } of rates)
    console.log(
      `${messageBytes} B: ${inWords(stack.median)} MB/s, bare ${inWords(bare.median)}; ratio ${inWords(ratio.median)} [${inWords(ratio.min)} to ${inWords(ratio.max)}]`,
    );
  const gaps = ({ p50, p99, most }: PaceFigure["idle"]) => `${inWords(p50)}, p99 ${inWords(p99)}, most ${inWords(most)}`;
  console.log(`heartbeat gap, ms: idle ${gaps(pace.idle)}; under a snapshot ${gaps(pace.underSnapshot)}\n`);
}

export async function networkBench(quiet: boolean): Promise<Report> {
  return await withBenchDevice("src/bench/browser/network-page.ts", async (device) => {
    const pair = await connectedPair(device);
    const times = await pair.near.call<RoundTrips>("roundTrips", 30, 100);
    const of = (values: readonly number[]) => ({ p50: quantile(values, 0.5), p99: quantile(values, 0.99) });
    const roundTripMs = { stack: of(times.stack), bare: of(times.bare) };
    const rates: RateFigure[] = [];
    for (const plan of plans) rates.push(await rate(pair.near, plan));
    const pace = await measurePace(pair, 5);
    if (!quiet) show({ stack: roundTripMs.stack.p50, bare: roundTripMs.bare.p50 }, rates, pace);
    return {
      name: "network",
      machine: await device.machine(),
      figures: { roundTripMs, roundTrips: times.stack.length, throughput: rates, pace },
      floor: { roundTripMs: roundTripMs.bare, throughput: rates.map(({ messageBytes, bare }) => ({ messageBytes, bare })) },
      ratio: { roundTrip: roundTripMs.stack.p50 / roundTripMs.bare.p50, throughput: rates.map(({ ratio }) => ratio) },
      targets: [
        atMost("round trip p50 to the bare channel's", roundTripMs.stack.p50 / roundTripMs.bare.p50, 1.3),
        ...rates.map(({ messageBytes, ratio }) =>
          atLeast(`throughput at ${messageBytes} B to the bare channel's`, ratio.median, LEAST_RATIO[messageBytes] ?? 1),
        ),
        atMost("heartbeat gap p99 under a 20 MB snapshot to the interval", pace.underSnapshot.p99 / HEARTBEAT_MS, 2),
        atMost("heartbeats lost", pace.lost, 0),
      ],
    };
  });
}
