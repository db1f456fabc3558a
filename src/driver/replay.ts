/** Takes the steps of a trace again, forth and back: any moment can be looked at, and whether the end came out as it was written. */
import { formatEvent, formatMessage, formatRole, formatState, formatUpdate } from "../raft/format.ts";
import { type RaftState, roleNameOf, step } from "../raft/mod.ts";
import type { Update } from "../raft/types.ts";
import { copyCore } from "./trace.ts";
import type { TraceFile } from "./trace-codec.ts";

/** A copy of the core is kept after so many steps, from which the way to any moment is short. */
const COPY_EVERY = 500;

export interface ReplayedStep {
  /** From 1; 0 is the moment before the first event. */
  readonly step: number;
  /** Milliseconds on the core's clock. */
  readonly at: number;
  /** One line for the event; empty at 0. */
  readonly event: string;
  /** One line for each thing that the core asked for. */
  readonly asked: readonly string[];
  /** Whether role, term or leader changed by it. */
  readonly turnsPoint: boolean;
  readonly role: string;
  readonly term: number;
  readonly commitIndex: number;
  readonly lastLogIndex: number;
  /** The whole core in one line. */
  readonly state: string;
}

export class Replay {
  readonly file: TraceFile;
  readonly #copies: RaftState[];
  #core: RaftState;
  #at = 0;

  constructor(file: TraceFile) {
    this.file = file;
    this.#copies = [copyCore(file.core)];
    this.#core = copyCore(file.core);
  }

  get steps(): number {
    return this.file.events.length;
  }

  /**
   * Takes all steps. Returns those at which role, term or leader changed, and whether the end is the one that was written.
   * @throws AssertionFailed where the core contradicts itself
   */
  run(): { readonly turningPoints: readonly number[]; readonly endsAsWritten: boolean } {
    const turningPoints: number[] = [];
    for (let at = 1; at <= this.steps; at++) if (this.#step().turned) turningPoints.push(at);
    return { turningPoints, endsAsWritten: formatState(this.#core) === this.file.end };
  }

  /** @param wanted 0 to `steps` */
  at(wanted: number): ReplayedStep {
    const target = Math.max(0, Math.min(this.steps, Math.trunc(wanted)));
    if (target === 0) {
      this.#back(0);
      return this.#describe(null, false);
    }
    if (target <= this.#at) this.#back(target - 1);
    while (this.#at < target - 1) this.#step();
    const { update, turned } = this.#step();
    return this.#describe(update, turned);
  }

  #back(through: number): void {
    const copy = Math.min(this.#copies.length - 1, Math.floor(through / COPY_EVERY));
    const from = this.#copies[copy];
    if (!from) return;
    this.#core = copyCore(from);
    this.#at = copy * COPY_EVERY;
    while (this.#at < through) this.#step();
  }

  #step(): { readonly update: Update | null; readonly turned: boolean } {
    const event = this.file.events[this.#at];
    if (!event) return { update: null, turned: false };
    const before = formatRole(this.#core);
    const update = step(this.#core, event);
    this.#at++;
    if (this.#at === this.#copies.length * COPY_EVERY) this.#copies.push(copyCore(this.#core));
    return { update, turned: formatRole(this.#core) !== before };
  }

  #describe(update: Update | null, turnsPoint: boolean): ReplayedStep {
    const core = this.#core;
    const event = update && this.file.events[this.#at - 1];
    return {
      step: this.#at,
      at: core.now,
      event: event ? formatEvent(event) : "",
      asked: update ? [...formatUpdate(core.id, update), ...update.messages.map((message) => formatMessage(message))] : [],
      turnsPoint,
      role: roleNameOf(core),
      term: core.hardState.currentTerm,
      commitIndex: core.commitIndex,
      lastLogIndex: core.log.baseIndex + core.log.entries.length,
      state: formatState(core),
    };
  }
}
