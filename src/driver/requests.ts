/**
 * What callers of this node wait for. A request is asked of the core, placed in the log at {index, term}, and settled by what is applied
 * there. Whatever surely did not happen is asked again until its time is up; whatever may have happened is so only if repeating it is harmless.
 */
import type { Answer, LogIndex, Millis, RequestId, Term } from "../raft/types.ts";
import type { Due } from "./deadlines.ts";
import { NoQuorum, Timeout } from "./errors.ts";
import type { SessionId } from "./framing.ts";
import type { AbortSignalLike } from "./interfaces.ts";

export interface Settled {
  readonly index: LogIndex;
  readonly term: Term;
  readonly response: unknown;
}

export type Outcome = Settled | Error;
export type RefusedAnswer = Extract<Answer, { kind: "refused" }>;

/** What a caller wants of its request. One record may serve many requests. */
export interface Terms {
  /** Anything but a command: asks the core, again for each attempt, with a new id. */
  readonly ask: ((requestId: RequestId) => void) | null;
  /** Settled with the response of the state machine, or without one as soon as it is committed. */
  readonly wantsResponse: boolean;
  /** Repeating it changes nothing twice. */
  readonly repeatable: boolean;
  readonly ifTerm: Term | null;
  /** A refusal that trying again would not mend, as the caller's error; `null`: try again. */
  readonly onRefused: (answer: RefusedAnswer) => Error | null;
  readonly timeoutMs: Millis;
  readonly signal: AbortSignalLike | null;
}

export interface Request extends Due<Request> {
  readonly terms: Terms;
  readonly settle: (outcome: Outcome) => void;
  /** A command, to be asked together with others; `null` for anything else. */
  readonly body: Uint8Array | null;
  /** In no session: repeating it is harmless by itself. */
  readonly plain: boolean;
  /** What stands in the log for it, the same for every attempt; `null` before it is framed, and for anything but a command. */
  bytes: Uint8Array | null;
  /** Numbered in this session; 0: in none. */
  session: SessionId;
  serial: number;
  /** While it is placed. */
  batch: PlacedBatch | null;
  ignoreSignal: (() => void) | null;
  /** An earlier attempt has an unknown outcome. */
  uncertain: boolean;
  stage: "waiting" | "asked" | "placed" | "readable" | "settled";
  index: LogIndex;
  term: Term;
}

/** Requests whose commands stand one behind the other in the log. */
export interface PlacedBatch {
  /** Of the first. */
  readonly index: LogIndex;
  readonly term: Term;
  /** `null`: nobody waits for that one any more. */
  readonly requests: (Request | null)[];
  /** Those from here ... */
  next: number;
  /** ... to before here have no outcome yet. */
  end: number;
}

const nobody: readonly Request[] = [];

/** Who waits for what. Bounded by the driver. */
export class Requests {
  size = 0;
  #nextId: RequestId;
  readonly #asked = new Map<RequestId, readonly Request[]>();
  /** In the order of their first index. */
  readonly #placed: PlacedBatch[] = [];
  readonly #readable = new Set<Request>();
  #waiting: Request[] = [];
  #placedTermMin: Term = Number.POSITIVE_INFINITY;

  /** `firstId`: unlike those of an earlier life of this node, whose answers may still come. */
  constructor(firstId: RequestId) {
    this.#nextId = firstId;
  }

  /** Names what is asked of the core now. */
  ask(requests: readonly Request[]): RequestId {
    const requestId = this.#nextId++;
    for (const request of requests) request.stage = "asked";
    this.#asked.set(requestId, requests);
    return requestId;
  }

  /** The core has answered: those who still wait for that, each with its place among them. */
  take(requestId: RequestId): readonly Request[] {
    const requests = this.#asked.get(requestId) ?? nobody;
    this.#asked.delete(requestId);
    return requests;
  }

  wait(request: Request): void {
    request.stage = "waiting";
    this.#waiting.push(request);
  }

  get hasWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  takeWaiting(): readonly Request[] {
    const waiting = this.#waiting.filter(({ stage }) => stage === "waiting");
    this.#waiting = [];
    return waiting;
  }

  /** The first of them stands at `index`, the others behind it. */
  place(requests: readonly Request[], index: LogIndex, term: Term): void {
    if (requests.length === 0) return;
    const batch: PlacedBatch = {
      index,
      term,
      requests: new Array<Request | null>(requests.length),
      next: 0,
      end: requests.length,
    };
    for (let at = 0; at < requests.length; at++) {
      const request = requests[at];
      const waits = request !== undefined && request.stage !== "settled";
      batch.requests[at] = waits ? request : null;
      if (!waits) continue;
      request.stage = "placed";
      request.index = index + at;
      request.term = term;
      request.batch = batch;
    }
    this.#placedTermMin = Math.min(this.#placedTermMin, term);
    let place = this.#placed.length;
    while (place > 0 && (this.#placed[place - 1]?.index ?? 0) > index) place--;
    if (place === this.#placed.length) this.#placed.push(batch);
    else this.#placed.splice(place, 0, batch);
  }

  /** Placed at or before `index`. */
  takePlacedThrough(index: LogIndex): readonly Request[] {
    if ((this.#placed[0]?.index ?? Number.POSITIVE_INFINITY) > index) return nobody;
    const taken: Request[] = [];
    for (const batch of this.#placed) {
      if (batch.index > index) break;
      const end = Math.min(batch.end, index - batch.index + 1);
      takeFrom(batch, batch.next, end, taken);
      batch.next = Math.max(batch.next, end);
    }
    this.#dropDone();
    return taken;
  }

  #dropDone(): void {
    let done = 0;
    for (const { next, end } of this.#placed) {
      if (next < end) break;
      done++;
    }
    if (done === this.#placed.length) this.#placed.length = 0;
    else if (done > 0) this.#placed.splice(0, done);
  }

  /** Whether somebody waits at a place of an earlier term than `term`. */
  mayBeOverwritten(term: Term): boolean {
    return this.#placedTermMin < term;
  }

  /**
   * An entry of `term` was committed at `index`: terms never fall along a log, so what was placed at or behind it in an earlier term
   * will never be committed.
   */
  takeOverwritten(index: LogIndex, term: Term): readonly Request[] {
    if (this.#placedTermMin >= term) return nobody;
    const taken: Request[] = [];
    for (const batch of this.#placed) {
      if (batch.term >= term) continue;
      const from = Math.max(batch.next, index - batch.index);
      takeFrom(batch, from, batch.end, taken);
      batch.end = Math.min(batch.end, from);
    }
    this.#dropDone();
    this.#placedTermMin = Number.POSITIVE_INFINITY;
    for (const batch of this.#placed) if (batch.next < batch.end) this.#placedTermMin = Math.min(this.#placedTermMin, batch.term);
    return taken;
  }

  waitForApply(request: Request, index: LogIndex): void {
    request.stage = "readable";
    request.index = index;
    this.#readable.add(request);
  }

  takeReadable(lastApplied: LogIndex): readonly Request[] {
    if (this.#readable.size === 0) return nobody;
    const ready = [...this.#readable].filter((request) => request.index <= lastApplied);
    for (const request of ready) this.#readable.delete(request);
    return ready;
  }

  /** Its time is up, or its caller has lost interest: it is forgotten, whatever stage it is in. */
  forget(request: Request): void {
    this.#readable.delete(request);
    if (request.batch) request.batch.requests[request.index - request.batch.index] = null;
    request.batch = null;
  }

  all(): readonly Request[] {
    const asked = [...this.#asked.values()].flat();
    const placed: Request[] = [];
    for (const batch of this.#placed) takeFrom(batch, batch.next, batch.end, placed);
    return [...asked, ...placed, ...this.#readable, ...this.#waiting];
  }
}

function takeFrom({ requests }: PlacedBatch, from: number, end: number, taken: Request[]): void {
  for (let at = from; at < end; at++) {
    const request = requests[at];
    if (!request) continue;
    request.batch = null;
    taken.push(request);
  }
}

/** Whether the command of a request may be in some log. */
export function mayHaveApplied(request: Request): boolean {
  return request.uncertain || request.stage === "asked" || request.stage === "placed";
}

/** What a caller is told when the time is up. */
export function timeoutError(request: Request): Error {
  const isDefinite = request.stage === "waiting" && !request.uncertain;
  return isDefinite ? new NoQuorum(request.terms.timeoutMs) : new Timeout(mayHaveApplied(request));
}
