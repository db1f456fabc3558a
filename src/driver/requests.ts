/**
 * What callers of this node wait for. A request is asked of the core, placed in the log at {index, term}, and settled by what is applied
 * there. Whatever surely did not happen is asked again until its time is up; whatever may have happened is so only if repeating it is harmless.
 */
import type { Answer, LogIndex, Millis, RequestId, Term } from "../raft/types.ts";
import { NoQuorum, Timeout } from "./errors.ts";
import type { SessionId } from "./framing.ts";

export interface Settled {
  readonly index: LogIndex;
  readonly term: Term;
  readonly response: unknown;
}

export type Outcome = Settled | Error;
export type RefusedAnswer = Extract<Answer, { kind: "refused" }>;

export interface Request {
  /** A command, to be asked together with others; `null` before its session is known, and for anything else. */
  bytes: Uint8Array | null;
  /** Anything else: asks the core, again for each attempt, with a new id. */
  readonly ask: ((requestId: RequestId) => void) | null;
  readonly settle: (outcome: Outcome) => void;
  /** Settled with the response of the state machine, or without one as soon as it is committed. */
  readonly wantsResponse: boolean;
  /** Repeating it changes nothing twice. */
  readonly repeatable: boolean;
  readonly ifTerm: Term | null;
  /** A refusal that trying again would not mend, as the caller's error; `null`: try again. */
  readonly onRefused: (answer: RefusedAnswer) => Error | null;
  readonly timeoutMs: Millis;
  /** Numbered in this session; 0: in none. */
  session: SessionId;
  serial: number;
  /** For `Deadlines`. */
  bucket: number;
  ignoreSignal: (() => void) | null;
  /** An earlier attempt has an unknown outcome. */
  uncertain: boolean;
  stage: "waiting" | "asked" | "placed" | "readable" | "settled";
  index: LogIndex;
  term: Term;
}

/** Who waits for what. Bounded by the driver. */
export class Requests {
  size = 0;
  #nextId: RequestId;
  readonly #asked = new Map<RequestId, readonly Request[]>();
  readonly #placed = new Map<LogIndex, Request[]>();
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
    const requests = this.#asked.get(requestId) ?? [];
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

  place(request: Request, index: LogIndex, term: Term): void {
    request.stage = "placed";
    request.index = index;
    request.term = term;
    this.#placedTermMin = Math.min(this.#placedTermMin, term);
    const placed = this.#placed.get(index);
    if (placed) placed.push(request);
    else this.#placed.set(index, [request]);
  }

  takePlaced(index: LogIndex): readonly Request[] {
    const requests = this.#placed.get(index);
    if (!requests) return [];
    this.#placed.delete(index);
    return requests;
  }

  /**
   * An entry of `term` was committed at `index`: terms never fall along a log, so what was placed at or behind it in an earlier term
   * will never be committed.
   */
  takeOverwritten(index: LogIndex, term: Term): readonly Request[] {
    if (this.#placedTermMin >= term) return [];
    const overwritten = this.#takePlacedWhere((request) => request.index >= index && request.term < term);
    this.#placedTermMin = Math.min(Number.POSITIVE_INFINITY, ...[...this.#placed.values()].flat().map((request) => request.term));
    return overwritten;
  }

  /** The state machine became another at `index`: what was placed through there has an outcome that was not seen. */
  takePlacedThrough(index: LogIndex): readonly Request[] {
    return this.#takePlacedWhere((request) => request.index <= index);
  }

  #takePlacedWhere(holds: (request: Request) => boolean): readonly Request[] {
    const taken: Request[] = [];
    for (const [index, requests] of this.#placed) {
      const kept = requests.filter((request) => !holds(request));
      if (kept.length === requests.length) continue;
      taken.push(...requests.filter(holds));
      if (kept.length > 0) this.#placed.set(index, kept);
      else this.#placed.delete(index);
    }
    return taken;
  }

  waitForApply(request: Request, index: LogIndex): void {
    request.stage = "readable";
    request.index = index;
    this.#readable.add(request);
  }

  takeReadable(lastApplied: LogIndex): readonly Request[] {
    if (this.#readable.size === 0) return [];
    const ready = [...this.#readable].filter((request) => request.index <= lastApplied);
    for (const request of ready) this.#readable.delete(request);
    return ready;
  }

  /** Its time is up, or its caller has lost interest: it is forgotten, whatever stage it is in. */
  forget(request: Request): void {
    this.#readable.delete(request);
    const placed = request.stage === "placed" ? this.#placed.get(request.index)?.filter((other) => other !== request) : undefined;
    if (placed?.length === 0) this.#placed.delete(request.index);
    else if (placed) this.#placed.set(request.index, placed);
  }

  all(): readonly Request[] {
    const asked = [...this.#asked.values()].flat();
    return [...asked, ...[...this.#placed.values()].flat(), ...this.#readable, ...this.#waiting];
  }
}

/** Whether the command of a request may be in some log. */
export function mayHaveApplied(request: Request): boolean {
  return request.uncertain || request.stage === "asked" || request.stage === "placed";
}

/** What a caller is told when the time is up. */
export function timeoutError(request: Request): Error {
  const isDefinite = request.stage === "waiting" && !request.uncertain;
  return isDefinite ? new NoQuorum(request.timeoutMs) : new Timeout(mayHaveApplied(request));
}
