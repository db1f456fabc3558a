/** The state of the cluster in words that need no Raft. Pure, so that every sentence has a test. */
import type { NodeStatus, RoleName, SignalingState } from "../page/types.ts";

export type Tone = "good" | "waiting" | "bad";

export interface Pill {
  readonly tone: Tone;
  readonly text: string;
}

export function count(n: number, one: string, many: string): string {
  return `${n} ${n === 1 ? one : many}`;
}

/** A node that belongs to no cluster yet: it has the link and has found nobody. */
export function isJoining(status: NodeStatus | null): boolean {
  return status === null || (status.voters.length === 0 && status.commitIndex === 0);
}

/** Whether the document is safe, in one phrase. */
export function commitPill(status: NodeStatus | null, unconfirmed: number): Pill {
  if (status === null) return { tone: "waiting", text: "Opening" };
  if (status.storage.failure !== null) return { tone: "bad", text: "This tab cannot save: your edits are only on the screen" };
  if (isJoining(status)) return { tone: "waiting", text: "Joining" };
  if (!status.quorum) return { tone: "bad", text: "No majority: your edits are kept here" };
  if (unconfirmed > 0) {
    const where = status.voters.length > 1 ? "waiting for a majority" : "being saved";
    return { tone: "waiting", text: `${count(unconfirmed, "change", "changes")} ${where}` };
  }
  if (status.voters.length <= 1) return { tone: "good", text: "Committed, on 1 device" };
  const entry = `All changes committed (entry ${status.commitIndex})`;
  return { tone: "good", text: status.devices <= 1 ? `${entry}, on 1 device` : entry };
}

export function nodeName(status: NodeStatus, id: string | null): string {
  if (id === null) return "nobody";
  if (id === status.nodeId) return status.name;
  return status.peers.find((peer) => peer.id === id)?.name || shortId(id);
}

export function shortId(id: string): string {
  return id.slice(0, 6);
}

/** The voters that are not reached, by name: "Ada and node abc123". */
export function missingVoters(status: NodeStatus): string {
  const isReached = (id: string): boolean =>
    id === status.nodeId || status.peers.some((peer) => peer.id === id && peer.connected);
  const names = status.voters.filter((id) => !isReached(id)).map((id) => nodeName(status, id));
  if (names.length === 0) return "the others";
  return names.length === 1 ? (names[0] ?? "") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

/** What it means that no majority answers, and who is missing. */
export function lostQuorumWords(status: NodeStatus): string {
  const voters = status.voters.length;
  const lost =
    voters === 1 ? "The one voting tab cannot be reached." : `No majority of the ${voters} voting tabs can be reached.`;
  const kept = "You can read and go on writing: your edits are kept here and are committed when enough of the others are back.";
  return `${lost} Missing: ${missingVoters(status)}. ${kept}`;
}

/** Is there a leader? */
export function leaderWords(status: NodeStatus): string {
  if (status.leader === null) return "Nobody leads";
  const own = status.leader === status.nodeId ? ", this tab" : "";
  return `${nodeName(status, status.leader)}${own}`;
}

/** How many voters answer, and how many more can fail. */
export function quorumWords(status: NodeStatus): string {
  const { voters, peers, nodeId, failureTolerance } = status;
  const here = voters.filter((id) => id === nodeId || peers.some((peer) => peer.id === id && peer.connected)).length;
  const some = `${here} of ${count(voters.length, "voter", "voters")}`;
  if (voters.length === 0) return "No voters are known yet";
  if (!status.quorum) return `${some}: no majority`;
  if (voters.length === 1) return `${some}: this is the only copy`;
  return `${some}, can lose ${failureTolerance === 0 ? "none" : failureTolerance}`;
}

const ROLE_WORDS: { readonly [role in RoleName]: string } = {
  leader: "Leader",
  follower: "Follower",
  candidate: "Candidate",
  learner: "Learner",
};

export function roleWord(role: RoleName | null): string {
  return role === null ? "Not heard yet" : ROLE_WORDS[role];
}

export function signalingWords(signaling: SignalingState, connectedPeers: number): string {
  switch (signaling) {
    case "connected":
      return "Connected: new tabs can find this document.";
    case "off":
      return "Off: only tabs of this browser can find each other.";
    case "waiting":
      return connectedPeers > 0
        ? "The signaling server does not answer; tabs that are already connected go on."
        : "The signaling server does not answer. Trying again.";
  }
}

export function connectedPeers(status: NodeStatus): number {
  return status.peers.filter((peer) => peer.connected).length;
}

/** Three digits of milliseconds, then seconds, then minutes. */
export function duration(ms: number | null): string {
  if (ms === null) return "–";
  if (ms < 1) return "< 1 ms";
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  return `${Math.round(ms / 60_000)} min`;
}

export function bytesWords(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${(bytes / 1_000).toFixed(1)} kB`;
  if (bytes < 1_000_000_000) return `${(bytes / 1_000_000).toFixed(1)} MB`;
  return `${(bytes / 1_000_000_000).toFixed(1)} GB`;
}

/** A document without a title has one all the same. */
export function titleWords(title: string): string {
  return title.trim() === "" ? "Untitled" : title;
}

const DAY_MS = 24 * 60 * 60_000;

/** When something was last used; both in milliseconds since the epoch. */
export function usedWords(at: number, now: number): string {
  const ago = now - at;
  if (ago < 60_000) return "used just now";
  if (ago < 60 * 60_000) return `used ${count(Math.floor(ago / 60_000), "minute", "minutes")} ago`;
  if (ago < DAY_MS) return `used ${count(Math.floor(ago / (60 * 60_000)), "hour", "hours")} ago`;
  if (ago < 30 * DAY_MS) return `used ${count(Math.floor(ago / DAY_MS), "day", "days")} ago`;
  return `used on ${new Date(at).toLocaleDateString()}`;
}

/** Whether the browser keeps what is stored here. */
export function keptWords(isPersistent: boolean | null, wasRefused: boolean): string {
  if (isPersistent === null) return "The browser does not say whether it keeps what is stored here.";
  if (isPersistent) return "The browser keeps what is stored here until you delete it.";
  if (!wasRefused) return "The browser may clear what is stored here when space runs short.";
  return "The browser did not promise to keep it: it may be cleared when space runs short. Installing the page, or a bookmark, may change its mind.";
}

/** What is used of what there is room for, in bytes. */
export function roomWords(usedBytes: number | null, quotaBytes: number | null): string {
  if (usedBytes === null || quotaBytes === null) return "";
  return `${bytesWords(usedBytes)} used; there is room for ${bytesWords(quotaBytes)}.`;
}
