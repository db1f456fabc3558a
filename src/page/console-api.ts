/** `window.tabraft`: for people with developer tools open, and for tests from outside. Answers at once mirror the worker. */
import { ChangeSet } from "@codemirror/state";
import type { ChangesJson, MapValue } from "../document/types.ts";
import type { NodeEvent, NodeResults, NodeStatus } from "../node/protocol.ts";
import { type DiskFaults, diskFaults } from "./console-faults.ts";
import type { Room } from "./room.ts";
import { type SessionStore, unconfirmedOf } from "./session-store.ts";
import type { LogIndex, Term } from "./types.ts";

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
  readonly faults: { isolate(): Promise<null>; heal(): Promise<null> } & DiskFaults;
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
    faults: {
      isolate: async () => open().request<"isolate">({ kind: "isolate" }),
      heal: async () => open().request<"heal">({ kind: "heal" }),
      ...diskFaults(open, restart),
    },
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
