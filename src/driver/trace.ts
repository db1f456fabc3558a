/**
 * The last steps of a core, kept so that they can be taken again: a copy of the record, then the events that it was told. Since a core
 * depends on nothing else, the same record and the same events give the same steps.
 */
import type { RaftState } from "../raft/mod.ts";
import type { Event } from "../raft/types.ts";

export interface TraceSegment {
  /** Before the first of `events`. */
  readonly core: RaftState;
  readonly events: readonly Event[];
}

export interface TraceLimits {
  /** A new segment begins after so many; the one before it is kept, so between this and twice as many can be replayed. */
  readonly steps: number;
  /** ... or after so many bytes of commands and snapshots in events, which the trace keeps from being freed. */
  readonly bytes: number;
}

interface OpenSegment extends TraceSegment {
  readonly events: Event[];
}

export class TraceRing {
  readonly #limits: TraceLimits;
  #before: OpenSegment | null = null;
  #open: OpenSegment | null = null;
  #bytes = 0;

  constructor(limits: TraceLimits) {
    this.#limits = limits;
  }

  /** After each step: `core` is what the event has made of it. */
  record(event: Event, core: Readonly<RaftState>): void {
    const open = this.#open;
    if (open) {
      open.events.push(event);
      this.#bytes += bytesOf(event);
      if (open.events.length < this.#limits.steps && this.#bytes < this.#limits.bytes) return;
      this.#before = open;
    }
    this.#open = { core: copyCore(core), events: [] };
    this.#bytes = 0;
  }

  /** All that can be replayed; `null` before the first step. */
  segment(): TraceSegment | null {
    const [before, open] = [this.#before, this.#open];
    if (!open) return null;
    return before ? { core: before.core, events: [...before.events, ...open.events] } : open;
  }
}

function bytesOf(event: Event): number {
  if (event.kind === "snapshotTaken") return event.data.byteLength;
  if (event.kind === "propose") return event.commands.reduce((sum, { byteLength }) => sum + byteLength, 0);
  if (event.kind !== "receive") return 0;
  const { message } = event;
  if (message.kind === "installSnapshot") return message.data.byteLength;
  if (message.kind !== "appendEntries") return 0;
  return message.entries.reduce((sum, entry) => sum + (entry.kind === "command" ? entry.command.byteLength : 0), 0);
}

/** A core of its own, which later steps do not change. Entries, commands and snapshots never change, so they are shared. */
export function copyCore(core: Readonly<RaftState>): RaftState {
  const { log, incoming, snapshot, snapshotBeingWritten, config, hardState, ...rest } = core;
  return {
    ...copyPlain(rest),
    ...{ config, hardState, snapshot, snapshotBeingWritten },
    log: { ...log, entries: log.entries.slice(), configurations: log.configurations.slice() },
    // The one buffer that is filled bit by bit.
    incoming: incoming && { ...incoming, data: incoming.data.slice() },
  };
}

function copyPlain<T>(value: T): T;
function copyPlain(value: unknown): unknown {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return value.map((item) => copyPlain(item));
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [key, copyPlain(item)]));
  if (value instanceof Set) return new Set(value);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, copyPlain(item)]));
}
