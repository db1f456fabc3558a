/** Every node of the room as one list: this tab first, then the others by name, then members of which nothing is known. */
import type { NodeId, NodeStatus, RoleName } from "../page/types.ts";
import { shortId } from "./words.ts";

export interface NodeLine {
  readonly id: NodeId;
  readonly name: string;
  readonly isSelf: boolean;
  readonly connected: boolean;
  readonly role: RoleName | null;
  /** Its part in the configuration; `null`: none. */
  readonly member: "voter" | "learner" | null;
  readonly term: number | null;
  readonly commitIndex: number | null;
  readonly lastApplied: number | null;
  /** Known to a leader only, of the others. */
  readonly matchIndex: number | null;
  readonly roundTripMs: number | null;
  readonly lastContactMs: number | null;
  readonly sameDevice: boolean | null;
  readonly visible: boolean | null;
  /** 0 to 7. */
  readonly color: number;
}

type Uncolored = Omit<NodeLine, "color">;

function memberOf(status: NodeStatus, id: NodeId): NodeLine["member"] {
  if (status.voters.includes(id)) return "voter";
  return status.learners.includes(id) ? "learner" : null;
}

function ownLine(status: NodeStatus): Uncolored {
  const { nodeId: id, name, role, term, commitIndex, lastApplied } = status;
  const own = {
    matchIndex: null,
    isSelf: true,
    connected: true,
    roundTripMs: null,
    lastContactMs: null,
    sameDevice: true,
    visible: true,
  };
  return { id, name, role, term, commitIndex, lastApplied, member: memberOf(status, id), ...own };
}

function unknownLine(status: NodeStatus, id: NodeId): Uncolored {
  const nothing = { role: null, term: null, commitIndex: null, lastApplied: null, roundTripMs: null, lastContactMs: null };
  const unseen = { matchIndex: null, isSelf: false, connected: false, sameDevice: null, visible: null };
  return { id, name: shortId(id), member: memberOf(status, id), ...nothing, ...unseen };
}

export function nodeLines(status: NodeStatus): readonly NodeLine[] {
  const peers = status.peers.map((peer): Uncolored => {
    return { ...peer, name: peer.name || shortId(peer.id), isSelf: false, member: memberOf(status, peer.id) };
  });
  const known = new Set([status.nodeId, ...peers.map((peer) => peer.id)]);
  const members = [...new Set([...status.voters, ...status.learners])];
  const unknown = members.filter((id) => !known.has(id)).map((id) => unknownLine(status, id));
  // A peer that left, and is no member any more, is history.
  const present = peers.filter((peer) => peer.connected || peer.member !== null);
  const others = [...present, ...unknown].sort((a, b) => a.name.localeCompare(b.name) || (a.id < b.id ? -1 : 1));
  const lines = [ownLine(status), ...others];
  const colors = colorsOf(lines.map((line) => line.id));
  return lines.map((line) => ({ ...line, color: colors.get(line.id) ?? 0 }));
}

const COLORS = 8;

function hashOf(id: NodeId): number {
  let hash = 0;
  for (let i = 0; i < id.length; i++) hash = (hash * 31 + id.charCodeAt(i)) >>> 0;
  return hash;
}

/** By the ids alone, so that a node has one colour on every page; two have the same only where there are more nodes than colours. */
export function colorsOf(ids: readonly NodeId[]): ReadonlyMap<NodeId, number> {
  const colors = new Map<NodeId, number>();
  const taken = new Set<number>();
  for (const id of [...ids].sort()) {
    let color = hashOf(id) % COLORS;
    while (taken.size < COLORS && taken.has(color)) color = (color + 1) % COLORS;
    taken.add(color);
    colors.set(id, color);
  }
  return colors;
}
