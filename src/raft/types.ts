/**
 * The words of the core: what it remembers, what it is told, what it asks for. Plain data, nothing else.
 * § n is the extended Raft paper (Ongaro and Ousterhout, 2014); "diss." is Ongaro's dissertation.
 */

/** Names one node for ever: an identity lives and dies with its log. 1 to 64 characters of `[A-Za-z0-9_-]`. */
export type NodeId = string;
/** §5.1: a logical clock. 0 before the first election, then only ever raised. A safe integer. */
export type Term = number;
/** §5.3: position in the log. The first entry is 1; 0 is "before the first". A safe integer. */
export type LogIndex = number;
/** Milliseconds on a monotonic clock of this node alone; never compared between nodes. */
export type Millis = number;
/** Counts the writes that a core asks for, from 1; 0 is "nothing to write". */
export type WriteId = number;
/** Correlates a request with its answer. Unique per asking node and process life. A safe integer. */
export type RequestId = number;
/** Counts the leader checks of one life of a node, from 1. */
export type CheckId = number;

/**
 * Which history of the room this is. The first generation is 1; a later one is begun by a person who continues without a
 * majority that is gone for good. Messages of another generation are refused.
 */
export interface Generation {
  readonly number: number;
  /** 128 random bits, 32 lower-case hexadecimal digits. */
  readonly id: string;
  readonly parentId: string | null;
  /** Last index that is shared with the parent; 0 without one. */
  readonly forkIndex: LogIndex;
}

/** Figure 2, "Persistent state on all servers", but for the log. Durable before any message that depends on it leaves. */
export interface HardState {
  readonly currentTerm: Term;
  readonly votedFor: NodeId | null;
  /** `null` on a pristine node, which adopts the generation of the first cluster that speaks to it. */
  readonly generation: Generation | null;
}

/**
 * §6: who takes part. While `votersOld` is not empty the cluster is in joint consensus, and every decision needs a majority of
 * `voters` and a majority of `votersOld`. Each list is sorted and without repeats; nobody is in `voters` and
 * `learners`, but a voter that is being demoted is in `votersOld` and `learners`.
 */
export interface Configuration {
  readonly voters: readonly NodeId[];
  readonly votersOld: readonly NodeId[];
  /** Diss. §4.2.1: receive the log and count for nothing. */
  readonly learners: readonly NodeId[];
}

interface EntryBase {
  readonly index: LogIndex;
  readonly term: Term;
}
/** §8: what a leader appends at the start of its term, to learn what is committed. */
export interface BlankEntry extends EntryBase {
  readonly kind: "blank";
}
export interface CommandEntry extends EntryBase {
  readonly kind: "command";
  /** Opaque to Raft. Never changed after it was handed over. */
  readonly command: Uint8Array;
}
export interface ConfigurationEntry extends EntryBase {
  readonly kind: "configuration";
  readonly configuration: Configuration;
}
export type Entry = BlankEntry | CommandEntry | ConfigurationEntry;

/** §7: what stands for the log through `index`. */
export interface SnapshotMeta {
  readonly index: LogIndex;
  readonly term: Term;
  /** The configuration in force at `index`, and where it stood. */
  readonly configuration: Configuration;
  readonly configurationIndex: LogIndex;
  /** Bytes. */
  readonly size: number;
  /** CRC-32C over all of them. */
  readonly checksum: number;
}
export interface Snapshot extends SnapshotMeta {
  /** Opaque to Raft. Never changed after it was handed over. */
  readonly data: Uint8Array;
}
/** One atomic write: the snapshot takes the place of the one before, and of a part of the log. */
export interface SnapshotWrite {
  readonly snapshot: Snapshot;
  /** Drop the log through here; at most `snapshot.index`: what is kept serves slow followers. */
  readonly compactThrough: LogIndex;
  /** An installed snapshot that the log does not lead to: drop all of the log. */
  readonly reset: boolean;
}

interface MessageBase {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly term: Term;
  readonly generation: Generation;
}

/** §5.2 RequestVote; with `preVote` the question of diss. §9.6, for a `term` that the asker has not entered yet. */
export interface RequestVote extends MessageBase {
  readonly kind: "requestVote";
  readonly preVote: boolean;
  /** Diss. §3.10: the leader itself asked for this campaign, so loyalty to it does not stand against it. */
  readonly leadershipTransfer: boolean;
  /** Of a PreVote: the leader did not answer the asker's check. Whoever hears that leader checks it too, and answers this then. */
  readonly leaderGone: boolean;
  readonly lastLogIndex: LogIndex;
  readonly lastLogTerm: Term;
}
export interface RequestVoteResponse extends MessageBase {
  readonly kind: "requestVoteResponse";
  readonly preVote: boolean;
  /** The term that was asked for, so that an answer to an earlier campaign is known as such. */
  readonly requestedTerm: Term;
  readonly voteGranted: boolean;
}
/** §5.3. Without entries: heartbeat, probe or commit notice. */
export interface AppendEntries extends MessageBase {
  readonly kind: "appendEntries";
  readonly prevLogIndex: LogIndex;
  readonly prevLogTerm: Term;
  readonly entries: readonly Entry[];
  readonly leaderCommit: LogIndex;
  /** Diss. §6.4: the leader's read round when this was sent; comes back in the answer. */
  readonly round: number;
}
export interface AppendEntriesResponse extends MessageBase {
  readonly kind: "appendEntriesResponse";
  readonly success: boolean;
  /** Success: the follower's log is durable and equal to the leader's through here. */
  readonly matchIndex: LogIndex;
  /** Refusal: the prevLogIndex that did not match, so that a stale refusal is known as such. */
  readonly refusedIndex: LogIndex;
  /** Refusal: where the leader may try next: the follower's log may agree through here, and term of that entry (§5.3, the optimisation). */
  readonly hintIndex: LogIndex;
  readonly hintTerm: Term;
  readonly round: number;
}
/** A follower hands commands on to its leader. */
export interface Propose extends MessageBase {
  readonly kind: "propose";
  readonly requestId: RequestId;
  readonly commands: readonly Uint8Array[];
}
export interface ProposeResponse extends MessageBase {
  readonly kind: "proposeResponse";
  readonly requestId: RequestId;
  /** Index of the first command's entry, in `entriesTerm`; 0 if refused. The others follow it without a gap. */
  readonly firstIndex: LogIndex;
  readonly entriesTerm: Term;
  readonly refusal: Refusal | null;
}
/** Diss. §6.4: a follower asks for a read point. */
export interface ReadIndex extends MessageBase {
  readonly kind: "readIndex";
  readonly requestId: RequestId;
}
export interface ReadIndexResponse extends MessageBase {
  readonly kind: "readIndexResponse";
  readonly requestId: RequestId;
  readonly readIndex: LogIndex;
  readonly refusal: Refusal | null;
}

/** §7, one chunk. Without data: asks how far the receiver has got. */
export interface InstallSnapshot extends MessageBase {
  readonly kind: "installSnapshot";
  readonly snapshot: SnapshotMeta;
  readonly offset: number;
  readonly data: Uint8Array;
}
/** The snapshot is there through `offset`; once it is durable, an AppendEntriesResponse says so. */
export interface InstallSnapshotResponse extends MessageBase {
  readonly kind: "installSnapshotResponse";
  readonly index: LogIndex;
  readonly checksum: number;
  readonly offset: number;
}
/** Something hints that the leader is gone: is it? A voter asks before it stops being loyal. */
export interface LeaderCheck extends MessageBase {
  readonly kind: "leaderCheck";
  readonly checkId: CheckId;
}
/** "I lead in this term." Nobody else answers. */
export interface LeaderCheckResponse extends MessageBase {
  readonly kind: "leaderCheckResponse";
  readonly checkId: CheckId;
}
/** Committed entries, from a follower that relays to a learner. Its sender's commitIndex is at or above the last of them. */
export interface RelayEntries extends MessageBase {
  readonly kind: "relayEntries";
  /** Whom the relay follows in this term. */
  readonly leader: NodeId;
  readonly prevLogIndex: LogIndex;
  readonly prevLogTerm: Term;
  readonly entries: readonly Entry[];
}
/** A learner wants to be fed by this follower, or tells it how far it has got. Says nothing to the leader. */
export interface RelayRequest extends MessageBase {
  readonly kind: "relayRequest";
  /** Here through this index, durable or not. */
  readonly commitIndex: LogIndex;
  /** Durable here through this index; at most `commitIndex`. */
  readonly matchIndex: LogIndex;
  /** What comes after `commitIndex` is wanted, also if it was sent before. */
  readonly restart: boolean;
}
/** Diss. §3.10: campaign at once. */
export interface TimeoutNow extends MessageBase {
  readonly kind: "timeoutNow";
}

export type Message =
  | InstallSnapshot
  | InstallSnapshotResponse
  | TimeoutNow
  | RelayEntries
  | RelayRequest
  | LeaderCheck
  | LeaderCheckResponse
  | RequestVote
  | RequestVoteResponse
  | AppendEntries
  | AppendEntriesResponse
  | Propose
  | ProposeResponse
  | ReadIndex
  | ReadIndexResponse;

/** Why a request was not carried out. Each of them is definite: nothing was appended. */
export type Refusal =
  | "notLeader"
  | "overloaded"
  | "notReady"
  | "changeOpen"
  | "configurationMoved"
  | "noVoters"
  | "noChange"
  | "notPristine"
  /** A leader is heard, so there is a majority: nobody needs to continue without it. */
  | "leaderHeard"
  /** Leadership is being transferred; ask again shortly. */
  | "transferring"
  /** The target is no voter, or this node itself. */
  | "noTarget"
  /** The target did not take over within an election timeout. */
  | "transferFailed";

/** What a node may be told. Every event carries the time at which it happened, and time never goes back. */
export type Event = { readonly now: Millis } & (
  | { readonly kind: "receive"; readonly message: Message }
  /** The write `write` and all before it are durable; the log then ended with the entry {index, term}. */
  | { readonly kind: "persisted"; readonly write: WriteId; readonly index: LogIndex; readonly term: Term }
  | { readonly kind: "timeout" }
  | {
      readonly kind: "propose";
      readonly requestId: RequestId;
      readonly commands: readonly Uint8Array[];
      /** Refuse in any other term than this; `null`: any will do. */
      readonly ifTerm: Term | null;
    }
  | { readonly kind: "read"; readonly requestId: RequestId }
  | {
      readonly kind: "changeConfiguration";
      readonly requestId: RequestId;
      readonly voters: readonly NodeId[];
      readonly learners: readonly NodeId[];
      /** Compare-and-set: the index of the configuration that the proposer has seen; `null` skips the comparison. */
      readonly expectedConfigIndex: LogIndex | null;
    }
  | {
      readonly kind: "initialize";
      readonly requestId: RequestId;
      readonly voters: readonly NodeId[];
      readonly generation: Generation;
    }
  /** A person gives the missing majority up: a new generation begins here, with this node as its only voter. */
  | {
      readonly kind: "continueWithoutOthers";
      readonly requestId: RequestId;
      /** 128 random bits, 32 lower-case hexadecimal digits. */
      readonly generationId: string;
    }
  /** The state machine's own image through `index`, which is applied here (§7). Ignored if it is older than the snapshot that there is. */
  | { readonly kind: "snapshotTaken"; readonly index: LogIndex; readonly data: Uint8Array }
  /** The snapshot of this index and term, and all writes before it, are durable. */
  | { readonly kind: "snapshotPersisted"; readonly index: LogIndex; readonly term: Term }
  /** Diss. §3.10; `null`: to whoever follows best. */
  | { readonly kind: "transferLeadership"; readonly requestId: RequestId; readonly to: NodeId | null }
  /** The network lost, or found again, the way to a peer. A hint: safety never depends on it. */
  | { readonly kind: "peer"; readonly id: NodeId; readonly up: boolean }
  /** A learner that its leader does not feed turns to a follower; to be repeated every second or so. `null`: to nobody any more. */
  | { readonly kind: "askRelay"; readonly to: NodeId | null }
  /** Something says that a node may have died. If it leads, it is asked, and only its silence has consequences; a lie costs one question. */
  | { readonly kind: "hint"; readonly id: NodeId; readonly roundTripMs: Millis | null }
);

/** What became of a request of this node. */
export type Answer = {
  readonly requestId: RequestId;
} /** Appended to the leader's log, in `term`, the first command at `index`. Not committed yet; a later term may overwrite it. */ & (
  | { readonly kind: "proposed"; readonly index: LogIndex; readonly term: Term }
  /** The state machine, once it has applied through `index`, is fresh enough for this read (diss. §6.4). */
  | { readonly kind: "readable"; readonly index: LogIndex }
  | { readonly kind: "refused"; readonly refusal: Refusal; readonly leader: NodeId | null }
  /** Another node leads now. */
  | { readonly kind: "transferred" }
  /** The leader that was asked is gone: the command may or may not be in the log. A read that is lost may be asked again. */
  | { readonly kind: "lost" }
);

/**
 * What one step asks of the driver. The fields are in the order in which they must be obeyed:
 * 1 to 3 are one atomic write; 5 leaves only once every hard state up to this update is durable; 6 and 7 need no local durability.
 */
export interface Update {
  /** Names the write of 1 to 3; comes back in `persisted`. 0: nothing to write. */
  readonly write: WriteId;
  /** 1. Changed term, vote or generation; `null`: unchanged. */
  readonly hardState: HardState | null;
  /** 2. Delete the log from here on; `null`: delete nothing. */
  readonly truncateFrom: LogIndex | null;
  /** 3. Then append these. */
  readonly entries: readonly Entry[];
  /** 4. Then, as a write of its own, this snapshot; when durable: `snapshotPersisted`. */
  readonly snapshot: SnapshotWrite | null;
  /** 5. Send, fire and forget. */
  readonly messages: readonly Message[];
  /** 6. An installed snapshot: the state machine becomes this ... */
  readonly restore: Snapshot | null;
  /** 7. ... and then applies these, newly known to be committed, in order. */
  readonly committed: readonly Entry[];
  /** 8. Settled requests of this node. */
  readonly answers: readonly Answer[];
  /** 9. When the next `timeout` is wanted; `Infinity`: never. */
  readonly deadline: Millis;
}

/** The four words for what a node is (§5.1; `learner` is the guide's NonVoter). */
export type RoleName = "learner" | "follower" | "candidate" | "leader";
