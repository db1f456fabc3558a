/** Measures of one node: counts since its start, histograms for scrapers, and a sample each second for charts. */
import type { Millis, NodeId } from "../raft/types.ts";
import type { MetricSample } from "./protocol.ts";

/** Ten minutes of seconds. */
export const SAMPLES_MAX = 600;
/** Kept of one second; beyond, what comes later replaces what came earlier. */
const VALUES_MAX = 4096;
/** Upper bounds of the histograms' buckets, in milliseconds. */
export const BUCKETS_MS: readonly Millis[] = [0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];

/** How long something took: all of it as a histogram, and the current second by its values. */
export class Latency {
  readonly buckets = new Array<number>(BUCKETS_MS.length + 1).fill(0);
  count = 0;
  sumMs: Millis = 0;
  #values: number[] = [];
  #added = 0;

  /** @param times how many took as long */
  add(ms: Millis, times = 1): void {
    this.count += times;
    this.sumMs += ms * times;
    const found = BUCKETS_MS.findIndex((bound) => ms <= bound);
    const bucket = found < 0 ? BUCKETS_MS.length : found;
    this.buckets[bucket] = (this.buckets[bucket] ?? 0) + times;
    for (let at = 0; at < Math.min(times, VALUES_MAX); at++) this.#values[this.#added++ % VALUES_MAX] = ms;
  }

  /** Of the second that ends now; `null` if there was nothing. */
  turn(): { readonly p50Ms: Millis | null; readonly p99Ms: Millis | null } {
    const sorted = this.#values.sort((a, b) => a - b);
    this.#values = [];
    this.#added = 0;
    return { p50Ms: quantile(sorted, 0.5), p99Ms: quantile(sorted, 0.99) };
  }
}

function quantile(sorted: readonly number[], fraction: number): number | null {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? null;
}

/** What grows only. */
export interface Counts {
  commits: number;
  writes: number;
  /** Campaigns of this node, without the questions before them (PreVote). */
  elections: number;
  leaderChanges: number;
  messagesIn: number;
  messagesOut: number;
  bytesIn: number;
  bytesOut: number;
}

export class Measures {
  /** From an entry's place in this node's log to its being known as committed here. */
  readonly commit = new Latency();
  /** From the asking of a write to its being durable. */
  readonly storage = new Latency();
  readonly counts: Counts = {
    ...{ commits: 0, writes: 0, elections: 0, leaderChanges: 0 },
    ...{ messagesIn: 0, messagesOut: 0, bytesIn: 0, bytesOut: 0 },
  };
  readonly samples: MetricSample[] = [];
  #before: Counts = { ...this.counts };

  /** Once a second. */
  sample(at: Millis, roundTripMs: { readonly [id: NodeId]: Millis }): MetricSample {
    const { counts } = this;
    const before = this.#before;
    this.#before = { ...counts };
    const commit = this.commit.turn();
    const storage = this.storage.turn();
    const sample: MetricSample = {
      at,
      commits: counts.commits - before.commits,
      commitP50Ms: commit.p50Ms,
      commitP99Ms: commit.p99Ms,
      storageP50Ms: storage.p50Ms,
      storageP99Ms: storage.p99Ms,
      elections: counts.elections - before.elections,
      bytesIn: counts.bytesIn - before.bytesIn,
      bytesOut: counts.bytesOut - before.bytesOut,
      roundTripMs,
    };
    this.samples.push(sample);
    if (this.samples.length > SAMPLES_MAX) this.samples.shift();
    return sample;
  }
}
