/** What the views show of the room: which screen, the node's status, the link, events. Written by the session alone. */
import { createStore } from "zustand/vanilla";
import type { MapValue } from "../document/types.ts";
import type { CopyLine, FromNode, NodeEvent, NodeStatus, NodeStop } from "../node/protocol.ts";
import type { EditorTrouble } from "./collab-editor.ts";
import type { NodeId } from "./types.ts";

export type Screen =
  | { readonly kind: "home" }
  /** The worker is taking a node and opening its log. */
  | { readonly kind: "opening"; readonly create: boolean }
  | { readonly kind: "document" }
  | { readonly kind: "stopped"; readonly stop: NodeStop; readonly text: string | null };

/** `id` tells events apart that say the same. */
export interface SeenEvent extends NodeEvent {
  readonly id: number;
}

export interface SessionState {
  readonly screen: Screen;
  /** Once the document is durable somewhere. */
  readonly link: string | null;
  /** Of this tab. */
  readonly name: string;
  /** Of this tab's node, once it was opened. */
  readonly nodeId: NodeId | null;
  readonly status: NodeStatus | null;
  readonly map: { readonly [key: string]: MapValue };
  /** Newest last, at most `EVENTS_MAX`. */
  readonly events: readonly SeenEvent[];
  /** When this tab first knew of the leader of this term, milliseconds since the epoch; `null` without one. */
  readonly leaderSince: number | null;
  /** Updates of the editor that the log has not accepted yet. */
  readonly editorUnconfirmed: number;
  readonly trouble: EditorTrouble | null;
  /** What was not committed when the node of this tab stopped, and was started again. */
  readonly leftBehind: EditorTrouble | null;
  /** What happened to the memory of this tab's node before it opened, until the person has read it. */
  readonly told: readonly string[];
  /** This tab's node was crashed on purpose and waits to be started again. */
  readonly crashed: boolean;
  /** What earlier editors of this device left; and whether the disk takes what is written now. */
  readonly outbox: Pick<Extract<FromNode, { kind: "outbox" }>, "waiting" | "unplaced" | "failure">;
  /** One sentence about something that a person just tried; the views let it go after a while. */
  readonly notice: string | null;
  /** Texts of this document that gave way to another generation, newest first. */
  readonly copies: readonly CopyLine[];
}

export const NO_OUTBOX: SessionState["outbox"] = { waiting: 0, unplaced: [], failure: null };
export const EVENTS_MAX = 500;

export type SessionStore = ReturnType<typeof createSessionStore>;

export function createSessionStore(name: string) {
  return createStore<SessionState>(() => ({
    screen: { kind: "home" },
    link: null,
    name,
    nodeId: null,
    status: null,
    map: {},
    events: [],
    leaderSince: null,
    editorUnconfirmed: 0,
    trouble: null,
    leftBehind: null,
    told: [],
    crashed: false,
    outbox: NO_OUTBOX,
    notice: null,
    copies: [],
  }));
}

/** All that this tab has proposed and does not know to be committed. */
export function unconfirmedOf(state: Pick<SessionState, "status" | "editorUnconfirmed" | "outbox">): number {
  return Math.max(state.status?.unconfirmed ?? 0, state.outbox.waiting) + state.editorUnconfirmed;
}
