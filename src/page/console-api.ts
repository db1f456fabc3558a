/** `window.tabraft`: for people with developer tools open, and for tests from outside. Answers at once mirror the worker. */
import { ChangeSet } from "@codemirror/state";
import type { ChangesJson, MapValue } from "../document/types.ts";
import type { NodeEvent, NodeResults, NodeStatus } from "../node/protocol.ts";
import { type ConsoleFaults, createConsoleFaults } from "./console-faults.ts";
import type { Room } from "./room.ts";
import { type SessionStore, unconfirmedOf } from "./session-store.ts";
import type { LogIndex, NodeId, Term } from "./types.ts";

/** Where in the log something stands. */
export interface LogPosition {
  readonly index: LogIndex;
  readonly term: Term;
}

/** Positions are UTF-16 units in `text()`. */
export interface ConsoleEdit {
  readonly from: number;
  /** `from` if absent. */
  readonly to?: number;
  readonly insert?: string;
}

export type ConsolePeer = Pick<
  NodeStatus["peers"][number],
  "id" | "name" | "connected" | "roundTripMs" | "lastContactMs" | "matchIndex"
>;
export type ConsoleStatus = Omit<NodeStatus, "peers"> & { readonly peers: readonly ConsolePeer[] };

/** Changes of the cluster by hand. */
export interface ConsoleMembership {
  /** As a learner. */
  add(id: NodeId): Promise<null>;
  remove(id: NodeId): Promise<null>;
  /** A learner gets a vote, and keeps it: it is pinned. */
  promote(id: NodeId): Promise<null>;
  /** A voter becomes a learner, and gets no vote by itself until it is promoted or pinned. */
  demote(id: NodeId): Promise<null>;
  /** Votes as long as it lives; `on: false` undoes that. */
  pin(id: NodeId, on?: boolean): Promise<null>;
  /** Default: to whoever follows best. */
  transferLeadership(id?: NodeId): Promise<null>;
  autopilot(on: boolean): Promise<null>;
  /** For a majority that is gone for good: a new generation, in which this tab alone votes. Refused while a leader is heard. */
  continueWithoutOthers(): Promise<NodeResults["continueWithoutOthers"]>;
}

export interface ConsoleApi {
  /** The invite link of the open document. */
  readonly link: string | null;
  status(): ConsoleStatus | null;
  /** The document as this node has applied it. */
  text(): string;
  /** Linearizable. */
  read(): Promise<NodeResults["read"]>;
  /** Resolves once accepted, committed and applied here. */
  edit(edit: ConsoleEdit): Promise<LogPosition>;
  set(key: string, value: MapValue): Promise<LogPosition>;
  compareAndSet(key: string, expected: MapValue, value: MapValue): Promise<NodeResults["compareAndSet"]>;
  /** Linearizable. */
  get(key: string): Promise<MapValue>;
  /** Each rejects with a sentence that says why, if it would be unsafe. */
  readonly membership: ConsoleMembership;
  /** At most 500 entries from `from` on, as far as the log is kept. */
  log(range: { readonly from: LogIndex; readonly count: number }): Promise<NodeResults["log"]>;
  /** Prometheus text exposition. */
  metrics(): Promise<string>;
  /** The core's last steps as JSON lines: replayable, and with the text in them. */
  trace(): Promise<string>;
  readonly faults: ConsoleFaults;
  /** Newest last. */
  events(options?: { readonly since?: number }): readonly NodeEvent[];
}

/** @param room the open one; `null`: none. @param restart starts its node again after it has stopped. */
export function createConsoleApi(store: SessionStore, room: () => Room | null, restart: () => void): ConsoleApi {
  const open = (): Room => {
    const now = room();
    if (now === null) throw new Error('No document is open: press "New document", or open a link.');
    return now;
  };
  const position = ({ index, term }: LogPosition): LogPosition => ({ index, term });
  return {
    get link() {
      return store.getState().link;
    },
    status: () => statusOf(store, room()),
    text: () => room()?.mirror.text ?? "",
    read: async () => open().request<"read">({ kind: "read" }),
    edit: async (edit) => {
      const { mirror } = open();
      const updates = [changesOf(edit, mirror.length)];
      return position(await open().edit({ clientId: crypto.randomUUID(), serial: 0, baseVersion: mirror.version, updates }));
    },
    set: async (key, value) => position(await open().request<"set">({ kind: "set", key, value })),
    compareAndSet: async (key, expected, value) =>
      open().request<"compareAndSet">({ kind: "compareAndSet", key, expected, value }),
    get: async (key) => open().request<"get">({ kind: "get", key }),
    membership: {
      add: async (id) => open().membership({ verb: "add", id }),
      remove: async (id) => open().membership({ verb: "remove", id }),
      promote: async (id) => open().membership({ verb: "promote", id }),
      demote: async (id) => open().membership({ verb: "demote", id }),
      pin: async (id, on = true) => open().membership({ verb: "pin", id, on }),
      transferLeadership: async (id) => open().membership({ verb: "transfer", id: id ?? null }),
      autopilot: async (on) => open().membership({ verb: "autopilot", on }),
      continueWithoutOthers: async () => open().request<"continueWithoutOthers">({ kind: "continueWithoutOthers" }),
    },
    log: async ({ from, count }) => {
      if (!Number.isSafeInteger(from) || !Number.isSafeInteger(count) || from < 1 || count < 0)
        throw new RangeError("from is an index from 1 on, count a number from 0 on");
      return open().request<"log">({ kind: "log", from, count });
    },
    metrics: async () => open().request<"metrics">({ kind: "metrics" }),
    trace: async () => open().request<"trace">({ kind: "trace" }),
    faults: createConsoleFaults(() => {
      const now = open();
      return {
        apply: (fault) => now.request<"fault">({ kind: "fault", fault }),
        crash: () => now.crash(),
        restart: async () => (store.getState().crashed ? now.restart() : restart()),
      };
    }),
    events: ({ since = 0 } = {}) => {
      const { events } = store.getState();
      return events.filter(({ at }) => at >= since).map(({ at, kind, term, text }) => ({ at, kind, term, text }));
    },
  };
}

function statusOf(store: SessionStore, room: Room | null): ConsoleStatus | null {
  const state = store.getState();
  const { status } = state;
  if (status === null || room === null) return null;
  const peers = status.peers.map(({ id, name, connected, roundTripMs, lastContactMs, matchIndex }) => {
    return { id, name, connected, roundTripMs, lastContactMs, matchIndex };
  });
  // An answer may overtake the status that tells of it.
  const least = room.resolvedIndex;
  return {
    ...status,
    peers,
    version: room.mirror.version,
    unconfirmed: unconfirmedOf(state),
    commitIndex: Math.max(status.commitIndex, least),
    lastApplied: Math.max(status.lastApplied, least),
    lastLogIndex: Math.max(status.lastLogIndex, least),
  };
}

function changesOf({ from, to = from, insert = "" }: ConsoleEdit, length: number): ChangesJson {
  const isPosition = (value: unknown) =>
    typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= length;
  if (!isPosition(from) || !isPosition(to) || from > to) {
    throw new RangeError(`from ${from} to ${to} is no range of the text, which has ${length} characters`);
  }
  if (typeof insert !== "string") throw new TypeError("insert must be a string");
  return ChangeSet.of({ from, to, insert }, length).toJSON() as ChangesJson;
}
