/**
 * Between callers and the core: asks for them, commands of one turn together, and settles each of them once, by what is applied, refused, lost
 * or overdue.
 */
import { assert, type RaftConfig, termAt } from "../raft/mod.ts";
import type { Answer, Entry, LogIndex, Millis, Term } from "../raft/types.ts";
import { type Applier, sessionExpired } from "./applier.ts";
import { Deadlines } from "./deadlines.ts";
import { Aborted, Overloaded, SessionExpired, Stopped } from "./errors.ts";
import { Framer, frameRegister } from "./framing.ts";
import type { AbortSignalLike, Clock } from "./interfaces.ts";
import type { Loop } from "./loop.ts";
import { mayHaveApplied, type Outcome, type Request, Requests, type Terms, timeoutError } from "./requests.ts";
import { SessionClient } from "./session-client.ts";

export type Settle = (outcome: Outcome) => void;

/** As long as nothing else is wanted: milliseconds. */
const defaultTimeoutMs = 10_000;
export const defaultTerms: Terms = {
  ask: null,
  wantsResponse: true,
  repeatable: true,
  ifTerm: null,
  onRefused: tryAgain,
  timeoutMs: defaultTimeoutMs,
  signal: null,
};
/** Shorter than a command's: a registration that was lost must not hold up what waits for it. */
const registerTerms: Terms = { ...defaultTerms, wantsResponse: false, timeoutMs: 2000 };

/** What is applied here, as far as a desk needs to know. */
type AppliedView = Pick<Applier<unknown, unknown, unknown>, "lastApplied" | "responseAt">;

/** Most requests of one node that wait at a time. */
const maxRequests = 10_000;
/** How long a request waits before it looks for a leader again, if nothing happens before. */
const retryMs = 50;
/** Most bytes of commands in one question to the core, so in one message to a leader elsewhere. */
const maxBatchBytes = 512 * 1024;

export class Desk {
  readonly #config: RaftConfig;
  readonly #clock: Clock;
  readonly #applier: AppliedView;
  readonly #requests: Requests;
  readonly #session = new SessionClient();
  readonly #framer = new Framer();
  readonly #deadlines: Deadlines<Request>;
  #loop: Loop | null = null;
  #stopped: Error | null = null;
  /** Commands of this turn, ready to be asked together. */
  #outgoing: Request[] = [];
  /** Commands that wait for a session. */
  #unnumbered: Request[] = [];
  #registering = false;
  #cancelRetry: (() => void) | null = null;

  constructor(config: RaftConfig, clock: Clock, seed: number, applier: AppliedView) {
    this.#config = config;
    this.#clock = clock;
    this.#applier = applier;
    this.#requests = new Requests((Math.abs(seed) % 2 ** 20) * 2 ** 32 + 1);
    this.#deadlines = new Deadlines(clock, (request) => this.#giveUp(request, timeoutError(request)));
  }

  open(loop: Loop): void {
    this.#loop = loop;
  }

  get size(): number {
    return this.#requests.size;
  }

  // ---- asking ----

  /** In this node's session, so that it is applied once, however often it is asked; `plain`: repeating it is harmless by itself. */
  command(body: Uint8Array, plain: boolean, terms: Terms, settle: Settle): void {
    if (this.#admits(terms, settle)) this.#send(this.#open(terms, settle, body, plain));
  }

  /** Anything but a command: `terms.ask` puts it to the core. */
  ask(terms: Terms, settle: Settle): void {
    if (!this.#admits(terms, settle)) return;
    const request = this.#open(terms, settle, null, true);
    this.#limit(request, this.#clock.now());
    this.#again(request, true);
  }

  #admits({ signal }: Terms, settle: Settle): boolean {
    let refusal: Error | null = null;
    if (this.#stopped) refusal = new Stopped(false, this.#stopped);
    else if (signal?.aborted) refusal = new Aborted(false);
    else if (this.#requests.size >= maxRequests) refusal = new Overloaded();
    if (refusal) settle(refusal);
    return refusal === null;
  }

  #open(terms: Terms, settle: Settle, body: Uint8Array | null, plain: boolean): Request {
    const request: Request = {
      terms,
      settle,
      body,
      plain,
      bytes: null,
      session: 0,
      serial: 0,
      bucket: null,
      slot: 0,
      batch: null,
      ignoreSignal: null,
      uncertain: false,
      stage: "waiting",
      index: 0,
      term: 0,
    };
    this.#requests.size++;
    if (terms.signal) this.#heed(terms.signal, request);
    return request;
  }

  #heed(signal: AbortSignalLike, request: Request): void {
    const listener = (): void => this.#giveUp(request, new Aborted(mayHaveApplied(request)));
    signal.addEventListener("abort", listener);
    request.ignoreSignal = () => signal.removeEventListener("abort", listener);
  }

  /** Its time begins to run. */
  #limit(request: Request, now: Millis): void {
    if (!request.bucket) this.#deadlines.add(request, now + request.terms.timeoutMs);
  }

  /** With the other commands of this turn. */
  #send(request: Request): void {
    this.#outgoing.push(request);
    if (this.#outgoing.length === 1) this.#clock.soon(() => this.#flush());
  }

  #flush(): void {
    const outgoing = this.#outgoing;
    this.#outgoing = [];
    const now = this.#clock.now();
    const stamp = this.#stamp();
    let batch: Request[] = [];
    let bytes = 0;
    for (const request of outgoing) {
      if (request.stage === "settled") continue;
      this.#limit(request, now);
      if (!this.#frame(request, stamp)) continue;
      const size = request.bytes?.byteLength ?? 0;
      if (batch.length > 0 && (bytes + size > maxBatchBytes || batch[0]?.terms.ifTerm !== request.terms.ifTerm)) {
        this.#ask(batch);
        batch = [];
        bytes = 0;
      }
      batch.push(request);
      bytes += size;
    }
    if (batch.length > 0) this.#ask(batch);
    if (this.#unnumbered.length > 0) this.#register();
  }

  /** `false`: it must wait for a session. */
  #frame(request: Request, stamp: Millis): boolean {
    const { body } = request;
    if (request.bytes || !body) return true;
    if (request.plain) {
      request.bytes = this.#framer.plain(body);
    } else if (this.#session.registered) {
      const { session, openFrom } = this.#session;
      request.session = session;
      request.serial = this.#session.number();
      request.bytes = this.#framer.session(session, request.serial, openFrom, stamp, body);
    } else {
      this.#unnumbered.push(request);
    }
    return request.bytes !== null;
  }

  #ask(batch: readonly Request[]): void {
    const commands = batch.map(({ bytes }) => {
      assert(bytes !== null, "a command is framed before it is asked");
      return bytes;
    });
    this.#loop?.propose(this.#requests.ask(batch), commands, batch[0]?.terms.ifTerm ?? null);
  }

  /** Nothing came of it, surely or harmlessly: it is asked again, at once or when there is a leader. */
  #again(request: Request, atOnce = false): void {
    if (!atOnce) return this.#requests.wait(request);
    if (request.terms.ask) request.terms.ask(this.#requests.ask([request]));
    else this.#send(request);
  }

  // ---- the session ----

  #register(): void {
    if (this.#registering) return;
    this.#registering = true;
    const { maxSessions, sessionExpiryMs } = this.#config;
    // A session that was registered twice is one that nobody uses.
    const settle = (outcome: Outcome): void => {
      this.#registering = false;
      const failed = outcome instanceof Error;
      if (!failed) this.#session.begin(outcome.index);
      for (const request of this.#unnumbered.splice(0)) {
        if (request.stage === "settled") continue;
        if (failed) this.#requests.wait(request);
        else this.#send(request);
      }
    };
    const request = this.#open(registerTerms, settle, null, true);
    request.bytes = frameRegister({ stamp: this.#stamp(), maxSessions, expiryMs: sessionExpiryMs });
    this.#send(request);
  }

  #stamp(): Millis {
    return Math.max(0, Math.floor(this.#clock.wallTime()));
  }

  // ---- answers ----

  /** Before these are applied: who waits at or behind them in an earlier term waits in vain. */
  overwritten(committed: readonly Entry[]): void {
    // Terms never fall along a log: if the last entry overwrites nobody's place, none does.
    if (!this.#requests.mayBeOverwritten(committed[committed.length - 1]?.term ?? 0)) return;
    for (const { index, term } of committed)
      for (const request of this.#requests.takeOverwritten(index, term)) this.#again(request);
  }

  /** After they were applied. */
  applied(committed: readonly Entry[]): void {
    const firstIndex = committed[0]?.index ?? 0;
    for (const request of this.#requests.takePlacedThrough(firstIndex + committed.length - 1)) {
      const entry = committed[request.index - firstIndex];
      assert(entry !== undefined, "what was applied before has its outcome");
      this.#settlePlaced(request, entry.index, entry.term);
    }
  }

  /** The state machine came from elsewhere: what was placed before has an outcome, but nobody here saw it. */
  restored(index: LogIndex): void {
    for (const request of this.#requests.takePlacedThrough(index)) this.#unseen(request);
  }

  #unseen(request: Request): void {
    request.uncertain = true;
    if (request.bytes && request.terms.repeatable) this.#again(request);
    else this.#settle(request, timeoutError(request));
  }

  answered(answer: Answer): void {
    const requests = this.#requests.take(answer.requestId);
    if (answer.kind === "proposed") this.#place(requests, answer.index, answer.term);
    else for (const request of requests) if (request.stage !== "settled") this.#answer(request, answer);
  }

  #answer(request: Request, answer: Exclude<Answer, { kind: "proposed" }>): void {
    if (answer.kind === "readable") {
      this.#requests.waitForApply(request, answer.index);
    } else if (answer.kind === "transferred") {
      this.#settle(request, { index: 0, term: 0, response: null });
    } else if (answer.kind === "refused") {
      const error = answer.refusal === "overloaded" ? new Overloaded() : request.terms.onRefused(answer);
      if (error) this.#settle(request, error);
      else this.#again(request);
    } else {
      request.uncertain = true;
      if (request.terms.repeatable && request.terms.ifTerm === null) this.#again(request);
      else this.#settle(request, timeoutError(request));
    }
  }

  #place(requests: readonly Request[], index: LogIndex, term: Term): void {
    this.#requests.place(requests, index, term);
    const log = this.#loop?.core.log;
    if (!log || index > this.#applier.lastApplied) return;
    // Their entries have overtaken the answer, or others stand in their place.
    for (const request of this.#requests.takePlacedThrough(this.#applier.lastApplied)) {
      const there = termAt(log, request.index);
      if (there === null) this.#unseen(request);
      else this.#settlePlaced(request, request.index, there);
    }
  }

  #settlePlaced(request: Request, index: LogIndex, term: Term): void {
    if (term !== request.term) return this.#again(request);
    const response = this.#applier.responseAt(index);
    if (response === sessionExpired) return this.#expire(request);
    this.#settle(request, { index, term, response: request.terms.wantsResponse ? response : null });
  }

  #expire(request: Request): void {
    this.#session.end();
    this.#settle(request, new SessionExpired(request.uncertain));
  }

  settleReads(): void {
    for (const request of this.#requests.takeReadable(this.#applier.lastApplied))
      this.#settle(request, { index: request.index, term: request.term, response: null });
  }

  /** There is a new leader, or there may be one. */
  askWaiting(): void {
    for (const request of this.#requests.takeWaiting()) this.#again(request, true);
  }

  askWaitingLater(): void {
    if (this.#cancelRetry || !this.#requests.hasWaiting) return;
    this.#cancelRetry = this.#clock.schedule(this.#clock.now() + retryMs, () => {
      this.#cancelRetry = null;
      this.askWaiting();
    });
  }

  #giveUp(request: Request, error: Error): void {
    this.#requests.forget(request);
    this.#settle(request, error);
  }

  #settle(request: Request, outcome: Outcome): void {
    if (request.stage === "settled") return;
    request.stage = "settled";
    this.#requests.size--;
    this.#deadlines.remove(request);
    request.ignoreSignal?.();
    if (request.serial > 0) this.#session.close(request.session, request.serial);
    request.settle(outcome);
  }

  /** Nobody waits any more. */
  stop(cause: Error): void {
    this.#stopped = cause;
    this.#cancelRetry?.();
    this.#deadlines.stop();
    for (const request of [...this.#requests.all(), ...this.#outgoing, ...this.#unnumbered.splice(0)])
      this.#giveUp(request, new Stopped(mayHaveApplied(request), cause));
  }
}

function tryAgain(): null {
  return null;
}
