/** What the Node side and the workers of the network bench say to each other. */

export interface RoundTrips {
  /** Milliseconds of each. */
  readonly stack: readonly number[];
  readonly bare: readonly number[];
}

export interface Throughput {
  /** Bytes of payload per second, by round. */
  readonly stack: readonly number[];
  readonly bare: readonly number[];
}

export interface ThroughputPlan {
  /** Of one message's payload. */
  readonly messageBytes: number;
  /** In one round of either arm. */
  readonly totalBytes: number;
  readonly rounds: number;
}

/** Between heartbeats, as a leader sends them. */
export const HEARTBEAT_MS = 50;
export const SNAPSHOT_BYTES = 20 * 1024 * 1024;
