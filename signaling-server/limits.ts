/** What one socket, one room and the whole server may use. */

export interface Limits {
  /** Open WebSockets. */
  readonly maxSockets: number;
  /** Open WebSockets of one address: many tabs of one office come from one. */
  readonly maxSocketsPerAddress: number;
  readonly maxRooms: number;
  readonly maxMembersPerRoom: number;
  /** Messages that one socket may send at once ... */
  readonly burst: number;
  /** ... and per second in the long run. A connection being set up costs a dozen. */
  readonly messagesPerSecond: number;
  /** Malformed messages of one socket before it is closed. */
  readonly maxMalformed: number;
  /** Bytes that may wait for a slow reader before its socket is ended. */
  readonly maxBufferedBytes: number;
  /** A socket that has not joined a room by then is closed. Milliseconds. */
  readonly joinTimeoutMs: number;
  /** Each socket is pinged this often; one that did not answer the last ping is ended. Milliseconds. */
  readonly pingIntervalMs: number;
  /** Whoever is connected when the server stops is asked to come back after at least 0 and at most so long, spread evenly. Milliseconds. */
  readonly reconnectSpreadMs: number;
  /** How long `close` waits for the sockets' closing handshakes. Milliseconds. */
  readonly closeTimeoutMs: number;
}

export const DEFAULT_LIMITS: Limits = {
  maxSockets: 4000,
  maxSocketsPerAddress: 500,
  maxRooms: 2000,
  maxMembersPerRoom: 64,
  burst: 400,
  messagesPerSecond: 50,
  maxMalformed: 5,
  maxBufferedBytes: 1024 * 1024,
  joinTimeoutMs: 10_000,
  pingIntervalMs: 15_000,
  reconnectSpreadMs: 5000,
  closeTimeoutMs: 1000,
};

/** Lets `burst` through at once and `perSecond` in the long run. */
export class TokenBucket {
  #tokens: number;
  #filledAt: number;

  constructor(
    private readonly burst: number,
    private readonly perSecond: number,
    nowMs: number,
  ) {
    this.#tokens = burst;
    this.#filledAt = nowMs;
  }

  /** Takes one token if there is one. `nowMs`: monotonic milliseconds. */
  take(nowMs: number): boolean {
    const refill = ((nowMs - this.#filledAt) / 1000) * this.perSecond;
    this.#tokens = Math.min(this.burst, this.#tokens + refill);
    this.#filledAt = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
