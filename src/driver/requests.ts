/**
 * What callers of this node wait for. A request is asked of the core, placed in the log at {index, term}, and settled by what is applied
 * there. Whatever surely did not happen is asked again until its time is up; whatever may have happened is so only if repeating it is harmless.
 */
import type { Answer, LogIndex, Millis, RequestId, Term } from "../raft/types.ts";
import { NoQuorum, Overloaded, Timeout } from "./errors.ts";

export interface Settled {
  readonly index: LogIndex;
  readonly term: Term;
  readonly response: unknown;
}

export type Outcome = Settled | Error;

export interface Request {
  /** Asks the core; called again for each attempt, with a new id. */
  readonly ask: (requestId: RequestId) => void;
  readonly settle: (outcome: Outcome) => void;
  /** Of a command: settled at commit already. */
  readonly response: "committed" | "applied";
  /** Repeating it changes nothing twice, so an unknown outcome may be asked again. */
  readonly idempotent: boolean;
  /** A refusal that trying again would not mend, as the caller's error; `null`: try again. */
  readonly onRefused: (answer: Extract<Answer, { kind: "refused" }>) => Error | null;
  readonly timeoutMs: Millis;
  cancelTimer: () => void;
  /** Waiting for a leader, asked, placed in the log, or (reads) waiting for apply. */
  /** An earlier attempt has an unknown outcome. */
  uncertain: boolean;
  stage: "waiting" | "asked" | "placed" | "readable";
  index: LogIndex;
  term: Term;
}

/** Bounded by the driver; holds no timers of its own. */
export class Requests {
  #nextId: RequestId;
  readonly #asked = new Map<RequestId, Request>();
  readonly #placed = new Map<LogIndex, Request[]>();
  readonly #readable = new Set<Request>();
  #waiting: Request[] = [];

  constructor(firstId: RequestId) {
    this.#nextId = firstId;
  }

  get size(): number {
    return this.#asked.size + this.#placed.size + this.#readable.size + this.#waiting.length;
  }

  ask(request: Request): void {
    const requestId = this.#nextId++;
    request.stage = "asked";
    this.#asked.set(requestId, request);
    request.ask(requestId);
  }

  /** The core has answered. Returns the request if its answer changes anything. */
  take(requestId: RequestId): Request | null {
    const request = this.#asked.get(requestId) ?? null;
    this.#asked.delete(requestId);
    return request;
  }

  wait(request: Request): void {
    request.stage = "waiting";
    this.#waiting.push(request);
  }

  get hasWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** Everybody who waits asks again. */
  askWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const request of waiting) this.ask(request);
  }

  place(request: Request, index: LogIndex, term: Term): void {
    request.stage = "placed";
    request.index = index;
    request.term = term;
    this.#placed.set(index, [...(this.#placed.get(index) ?? []), request]);
  }

  waitForApply(request: Request, index: LogIndex): void {
    request.stage = "readable";
    request.index = index;
    this.#readable.add(request);
  }

  takeReadable(lastApplied: LogIndex): readonly Request[] {
    const ready = [...this.#readable].filter((request) => request.index <= lastApplied);
    for (const request of ready) this.#readable.delete(request);
    return ready;
  }

  takePlaced(index: LogIndex): readonly Request[] {
    const requests = this.#placed.get(index) ?? [];
    this.#placed.delete(index);
    return requests;
  }

  /**
   * An entry of `term` was committed at `index`: terms never fall along a log, so what was placed at or behind it in an earlier term
   * will never be committed.
   */
  takeOverwritten(index: LogIndex, term: Term): readonly Request[] {
    const overwritten: Request[] = [];
    for (const [at, requests] of this.#placed) {
      const lost = at >= index ? requests.filter((request) => request.term < term) : [];
      if (lost.length === 0) continue;
      overwritten.push(...lost);
      const kept = requests.filter((request) => request.term >= term);
      if (kept.length > 0) this.#placed.set(at, kept);
      else this.#placed.delete(at);
    }
    return overwritten;
  }

  /** Its time is up, or its caller has lost interest: it is forgotten, whatever stage it is in. */
  forget(request: Request): void {
    for (const [requestId, asked] of this.#asked) if (asked === request) this.#asked.delete(requestId);
    this.#waiting = this.#waiting.filter((waiting) => waiting !== request);
    this.#readable.delete(request);
    const placed = (this.#placed.get(request.index) ?? []).filter((other) => other !== request);
    if (placed.length > 0) this.#placed.set(request.index, placed);
    else this.#placed.delete(request.index);
  }

  all(): readonly Request[] {
    return [...this.#asked.values(), ...[...this.#placed.values()].flat(), ...this.#readable, ...this.#waiting];
  }
}

/** Whether the command of a request may be in some log. */
export function mayHaveApplied(request: Request): boolean {
  return request.uncertain || request.stage === "asked" || request.stage === "placed";
}

/** What a caller is told when the time is up. */
export function timeoutError(request: Request): Error {
  return request.stage === "waiting" && !request.uncertain
    ? new NoQuorum(request.timeoutMs)
    : new Timeout(mayHaveApplied(request));
}

/** A proposal that found no leader waits for one; one that found too much work before it is told so. */
export function refusedProposal(answer: Extract<Answer, { kind: "refused" }>): Error | null {
  return answer.refusal === "overloaded" ? new Overloaded() : null;
}
