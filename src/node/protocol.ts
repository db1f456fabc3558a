/**
 * What page and worker say to each other. The page hosts what only a page can (keyboard, RTCPeerConnection); the worker is the node.
 * Types only: both sides import this file and nothing else of the other.
 */
export type { BridgeHears, BridgeSays } from "../network/port-channel.ts";

import type { AcceptedUpdate, ChangesJson, DocumentCommand, DocumentResponse, MapValue } from "../document/types.ts";
import type { LogIndex, Millis, NodeId, RoleName, Term } from "../raft/types.ts";

/** DESIGN §8, `status()`, and what the page shows beside it. */
export interface NodeStatus {
  readonly nodeId: NodeId;
  readonly name: string;
  readonly role: RoleName;
  readonly term: Term;
  readonly leader: NodeId | null;
  readonly commitIndex: LogIndex;
  readonly lastApplied: LogIndex;
  readonly lastLogIndex: LogIndex;
  readonly firstLogIndex: LogIndex;
  readonly snapshotIndex: LogIndex;
  /** Of the document, as applied here. */
  readonly version: number;
  /** Proposals of this tab that are not committed yet. The page adds its editor's. */
  readonly unconfirmed: number;
  readonly voters: readonly NodeId[];
  readonly learners: readonly NodeId[];
  readonly adopted: readonly NodeId[];
  /** Whether the cluster changes by itself, who votes by a person's wish, and who does not. */
  readonly autopilot: { readonly on: boolean; readonly pinned: readonly NodeId[]; readonly barred: readonly NodeId[] };
  readonly peers: readonly PeerLine[];
  /** Whether a majority of the voters, and the leader, answer as far as this node can tell. */
  readonly quorum: boolean;
  /** How many more voters may fail. */
  readonly failureTolerance: number;
  /** On how many browsers the voters lie. */
  readonly devices: number;
  readonly generation: { readonly number: number; readonly id: string } | null;
  readonly storage: {
    readonly persistent: boolean;
    readonly durability: "strict" | "relaxed";
    readonly bytes: number;
    /** `null`: healthy; else what is wrong, in words. */
    readonly failure: string | null;
  };
  readonly faults: readonly string[];
  readonly signaling: SignalingState;
  /** A tab is there that cannot be talked to, since it runs a newer or older version of this program. */
  readonly otherVersion: "newer" | "older" | null;
  /** Messages refused since the start, by reason. */
  readonly refused: { readonly [reason: string]: number };
  /** Milliseconds since the leader was last heard; `null` if there is none. */
  readonly leaderContactMs: Millis | null;
}

export interface PeerLine {
  readonly id: NodeId;
  readonly name: string;
  readonly connected: boolean;
  readonly roundTripMs: Millis | null;
  readonly lastContactMs: Millis | null;
  /** Known to a leader only. */
  readonly matchIndex: LogIndex | null;
  /** From its digest; `null` before the first. */
  readonly role: RoleName | null;
  readonly term: Term | null;
  readonly commitIndex: LogIndex | null;
  readonly lastApplied: LogIndex | null;
  readonly lastLogIndex: LogIndex | null;
  readonly visible: boolean | null;
  readonly sameDevice: boolean | null;
}

/** `waiting`: not reached yet or lost, trying again. */
export type SignalingState = "connected" | "waiting" | "off";

/** The commands of the document, and what only this node is asked. */
export type NodeRequest =
  | Exclude<DocumentCommand, { readonly kind: "unreadable" | "upgrade" }>
  | { readonly kind: "get"; readonly key: string }
  | { readonly kind: "read" }
  | { readonly kind: "membership"; readonly action: MembershipAction }
  /** At most `LOG_LINES_MAX` at a time; what was compacted away is not there. */
  | { readonly kind: "log"; readonly from: LogIndex; readonly count: number }
  | { readonly kind: "metrics" }
  | { readonly kind: "trace" }
  | { readonly kind: "fault"; readonly fault: Fault }
  | GenerationRequest;

/** What a person breaks in this node on purpose. `heal` undoes all of it. */
export type Fault =
  | { readonly kind: "isolate" }
  | { readonly kind: "cut"; readonly ids: readonly NodeId[]; readonly direction: "in" | "out" | "both" }
  /** Each message, each way. */
  | { readonly kind: "delay"; readonly ms: Millis; readonly jitterMs: Millis }
  /** 0 to 1, each way. */
  | { readonly kind: "drop"; readonly fraction: number }
  | { readonly kind: "duplicate"; readonly fraction: number }
  | { readonly kind: "pause" }
  /** Each write waits so long before it begins. */
  | { readonly kind: "slowDisk"; readonly ms: Millis }
  /** The next write fails, and with it the node. */
  | { readonly kind: "failDisk" }
  | { readonly kind: "heal" };

/** What a person decides when a majority is gone, and about texts that gave way. */
export type GenerationRequest =
  | { readonly kind: "continueWithoutOthers" }
  /** The page's answer to `superseded`; `text`: as it is shown, with what is not committed. Then the page loads anew. */
  | { readonly kind: "yield"; readonly text: string }
  | { readonly kind: "compareCopy"; readonly copyId: string }
  /** Its changes since the histories parted, as ordinary edits. */
  | { readonly kind: "mergeCopy"; readonly copyId: string }
  | { readonly kind: "dropCopy"; readonly copyId: string };

/** A text that gave way to another generation. */
export interface CopyLine {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly isMerged: boolean;
  /** Where the two texts parted is known, so its changes can be told from the others'. */
  readonly canMerge: boolean;
}

/** The two texts side by side, each in its parts. */
export interface CopyComparison {
  readonly document: readonly { readonly text: string; readonly isChanged: boolean }[];
  readonly copy: readonly { readonly text: string; readonly isChanged: boolean }[];
}

/** Changes of the cluster by hand. A refusal says in a sentence what would be unsafe. */
export type MembershipAction =
  | { readonly verb: "add" | "remove" | "promote" | "demote"; readonly id: NodeId }
  /** A pinned node votes as long as it lives, whatever the autopilot thinks. */
  | { readonly verb: "pin"; readonly id: NodeId; readonly on: boolean }
  /** `null`: to whoever follows best. */
  | { readonly verb: "transfer"; readonly id: NodeId | null }
  | { readonly verb: "autopilot"; readonly on: boolean };

/** The value that each request resolves with. */
export interface NodeResults {
  edit: { readonly index: LogIndex; readonly term: Term; readonly response: DocumentResponse };
  set: { readonly index: LogIndex; readonly term: Term };
  compareAndSet: { readonly index: LogIndex; readonly term: Term; readonly swapped: boolean };
  get: MapValue;
  read: { readonly text: string; readonly version: number; readonly map: { readonly [key: string]: MapValue } };
  membership: null;
  fault: null;
  log: readonly LogLine[];
  metrics: string;
  trace: string;
  continueWithoutOthers: { readonly number: number };
  yield: null;
  compareCopy: CopyComparison;
  /** Places that both sides had changed: they stand as `theirs`. */
  mergeCopy: { readonly conflicts: readonly { readonly mine: string; readonly theirs: string }[] };
  dropCopy: null;
}

/** One entry, without its content. */
export interface LogLine {
  readonly index: LogIndex;
  readonly term: Term;
  readonly kind: string;
  /** Of an edit; `null` for everything else. */
  readonly author: string | null;
  readonly bytes: number;
  readonly committed: boolean;
}

/** One second. */
export interface MetricSample {
  /** Milliseconds since the epoch, at its end. */
  readonly at: Millis;
  /** Entries that became known as committed. */
  readonly commits: number;
  /** `null`: nothing was committed. */
  readonly commitP50Ms: Millis | null;
  readonly commitP99Ms: Millis | null;
  /** `null`: nothing was written. */
  readonly storageP50Ms: Millis | null;
  readonly storageP99Ms: Millis | null;
  readonly elections: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly roundTripMs: { readonly [id: NodeId]: Millis };
}

/** `granted` and `refused`: answers to a `vote`. `answer`: any other. */
export type MarkKind = "heartbeat" | "entries" | "answer" | "vote" | "granted" | "refused" | "proposal" | "snapshot";

/** Messages of one kind that went to a peer, or came from it, within a tenth of a second. */
export interface ActivityMark {
  readonly peer: NodeId;
  readonly out: boolean;
  readonly kind: MarkKind;
  readonly count: number;
}

/** Until this node campaigns, unless it hears a leader. */
export interface ElectionTimer {
  readonly remainingMs: Millis;
  readonly timeoutMs: Millis;
}

/** One moment of a replayed trace; step 0 is the one before the first event. */
export interface ReplayedStep {
  readonly step: number;
  /** On the clock of the node that was traced. */
  readonly at: Millis;
  readonly event: string;
  readonly asked: readonly string[];
  readonly turnsPoint: boolean;
  readonly role: string;
  readonly term: Term;
  readonly commitIndex: LogIndex;
  readonly lastLogIndex: LogIndex;
  readonly state: string;
}

/** What the page says to the worker that replays a trace, and hears from it. */
export type ToReplay = { readonly kind: "open"; readonly text: string } | { readonly kind: "at"; readonly step: number };
export type FromReplay =
  | {
      readonly kind: "opened";
      readonly nodeId: NodeId;
      readonly names: { readonly [id: NodeId]: string };
      readonly wallTimeAtZero: Millis;
      readonly steps: number;
      /** Steps at which role, term or leader changed. */
      readonly turningPoints: readonly number[];
      /** Whether the core became what the trace says that it was. */
      readonly endsAsWritten: boolean;
    }
  | { readonly kind: "step"; readonly step: ReplayedStep }
  | { readonly kind: "failed"; readonly message: string };

/** A refusal that crossed the thread: `name` is one of the driver's error names. */
export interface NodeFailure {
  readonly name: string;
  readonly message: string;
  /** For edits: the code of the document (`baseTooOld`, ...). */
  readonly code: string | null;
  /** False: surely not applied. */
  readonly mayHaveApplied: boolean;
}

/** Ends the node of this tab, or keeps it from starting. */
export interface NodeStop {
  readonly code: "storage" | "assertion" | "badLink" | "unsupported" | "identityTaken" | "outdated";
  /** Of `storage`: in which way it failed. */
  readonly failure?: "damaged" | "full" | "lost" | "future";
  readonly message: string;
}

/** Changes that the editor has just made, for the outbox. */
export interface KeepMessage {
  readonly kind: "keep";
  readonly clientId: string;
  readonly author: string;
  readonly color: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Of the first of `updates`. */
  readonly serial: number;
  readonly baseVersion: number;
  readonly updates: readonly ChangesJson[];
  /** These are all that is not confirmed; what was kept before is in the document, or is among these in another form. */
  readonly afresh: boolean;
}

/** What an editor left and could not be placed: how the place was, what the editor made of it, how it is now. */
export interface UnplacedText {
  readonly base: string;
  readonly mine: string;
  readonly theirs: string;
}

export type ToNode =
  | {
      readonly kind: "open";
      /** What stands behind `#` in the link: 128 random bits, base64url, 22 characters. */
      readonly secret: string;
      readonly create: boolean;
      /** This tab's last node in this room (sessionStorage): a hint, never an identity. */
      readonly hint: NodeId | null;
      readonly name: string;
      /** `null`: no signaling server. */
      readonly signalingUrl: string | null;
      readonly visible: boolean;
      /** Whether the browser promised to keep the origin's storage. */
      readonly persistent: boolean;
    }
  | { readonly kind: "request"; readonly id: number; readonly request: NodeRequest }
  | { readonly kind: "rename"; readonly name: string }
  | { readonly kind: "visibility"; readonly visible: boolean }
  /** The browser has promised to keep the origin's storage, or not. */
  | { readonly kind: "persistent"; readonly persistent: boolean }
  | { readonly kind: "leaving" }
  /** Somebody looks at the dashboard, or no longer does: `activity` and `samples` come only meanwhile. */
  | { readonly kind: "watch"; readonly on: boolean }
  /** An editor begins, whose updates will be of this client. */
  | { readonly kind: "editing"; readonly clientId: string }
  | KeepMessage
  /** The editor has lost its place in the document; what it kept is to be brought in without it. */
  | { readonly kind: "strand"; readonly clientId: string }
  /** The person has seen what could not be brought in. */
  | { readonly kind: "forget"; readonly clientId: string }
  /** What simple-peer wants told to the other side: session description or candidate. */
  | { readonly kind: "signal"; readonly connectionId: string; readonly data: unknown }
  /** The negotiated data channel, transferred before its use; or a port to it where it had to stay on the page. */
  | { readonly kind: "channel"; readonly connectionId: string; readonly channel: RTCDataChannel | MessagePort }
  /** SHA-256 fingerprints of both DTLS certificates, from the connection's actual descriptions, upper-case hexadecimal with colons. */
  | {
      readonly kind: "connected";
      readonly connectionId: string;
      readonly localFingerprint: string;
      readonly remoteFingerprint: string;
    }
  | { readonly kind: "closed"; readonly connectionId: string; readonly reason: string };

export type FromNode =
  /** `told`: what the person must know of it: a memory that was damaged. */
  | { readonly kind: "opened"; readonly nodeId: NodeId; readonly secret: string; readonly told: readonly string[] }
  | { readonly kind: "stopped"; readonly stop: NodeStop }
  /** Another generation goes on: the page answers with `yield`. */
  | { readonly kind: "superseded"; readonly by: { readonly number: number; readonly id: string } }
  | { readonly kind: "copies"; readonly copies: readonly CopyLine[] }
  | { readonly kind: "status"; readonly status: NodeStatus }
  /** The whole document as applied; first thing after `opened`, and whenever it was replaced. */
  | {
      readonly kind: "document";
      readonly version: number;
      readonly text: string;
      readonly map: { readonly [key: string]: MapValue };
    }
  /** What was accepted since: the first update leads from `fromVersion` to the next version. */
  | { readonly kind: "updates"; readonly fromVersion: number; readonly updates: readonly AcceptedUpdate[] }
  | { readonly kind: "map"; readonly key: string; readonly value: MapValue }
  | { readonly kind: "answered"; readonly id: number; readonly value: NodeResults[keyof NodeResults] }
  | { readonly kind: "refused"; readonly id: number; readonly failure: NodeFailure }
  | { readonly kind: "event"; readonly event: NodeEvent }
  | { readonly kind: "activity"; readonly marks: readonly ActivityMark[]; readonly timer: ElectionTimer | null }
  /** All that are kept first, then one each second. */
  | { readonly kind: "samples"; readonly samples: readonly MetricSample[] }
  /** What earlier editors left: updates that wait, and what could not be placed. `failure`: the disk does not take the outbox. */
  | {
      readonly kind: "outbox";
      readonly waiting: number;
      readonly unplaced: readonly { readonly clientId: string; readonly texts: readonly UnplacedText[] }[];
      readonly failure: string | null;
    }
  /** Make a connection; the initiator offers. */
  | {
      readonly kind: "dial";
      readonly connectionId: string;
      readonly initiator: boolean;
      readonly iceServers: readonly RTCIceServer[];
      /** Whether this worker can take a data channel itself. */
      readonly takesChannels: boolean;
    }
  | { readonly kind: "signal"; readonly connectionId: string; readonly data: unknown }
  | { readonly kind: "hangUp"; readonly connectionId: string };

/** One line of `events()`. `at`: milliseconds since the epoch, for people only. */
export interface NodeEvent {
  readonly at: number;
  readonly kind: "election" | "configuration" | "autopilot" | "log" | "fault" | "peer" | "storage" | "signaling";
  readonly term: Term;
  readonly text: string;
}

/** A document on this device, for the home page. */
export interface ShelfDocument {
  /** The room's public topic. */
  readonly topic: string;
  readonly secret: string;
  /** "" if it has none. */
  readonly title: string;
  /** Milliseconds since the epoch. */
  readonly lastUse: number;
  /** What its nodes take on the disk. */
  readonly bytes: number;
  /** As far as is known here, no other device has it. */
  readonly isOnlyCopy: boolean;
  /** A tab runs a node of it. */
  readonly isOpen: boolean;
}

/** The home page has a worker of its own, which opens no node. It answers with the list as it then is. */
export type ToShelf = { readonly kind: "list" } | { readonly kind: "forget"; readonly topic: string };

export interface FromShelf {
  readonly documents: readonly ShelfDocument[];
  /** Why nothing was forgotten, or why the list may not be whole, in words. */
  readonly failure: string | null;
}
