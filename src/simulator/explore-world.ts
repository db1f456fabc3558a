/**
 * One state of the walk: the cores' own records, what each disk holds and is still to write, what is under way on each link, what may still
 * happen, and as much of the past as the laws need. A state never changes once it is made; states share what is equal.
 */
import { createRaft, type RaftConfig, type RaftState, type Random } from "../raft/mod.ts";
import type { Configuration, Entry, LogIndex, Message, NodeId, RequestId, Term } from "../raft/types.ts";
import type { DiskImage, WriteModel } from "./explore-disk.ts";

/** What may happen how often in one walk; what is not named does not happen. */
export interface Budget {
  readonly proposals: number;
  readonly reads: number;
  readonly heartbeats: number;
  readonly crashes: number;
  /** All that is under way on one link is lost. */
  readonly resets: number;
  /** A message arrives twice. */
  readonly duplicates: number;
  readonly changes: number;
  readonly snapshots: number;
  readonly transfers: number;
}
export type BudgetName = keyof Budget;

/** How far one walk goes. */
export interface Scope {
  readonly name: string;
  readonly config: Partial<RaftConfig>;
  readonly nodes: number;
  /** How many of the nodes vote in the first configuration; the others are pristine. */
  readonly voters: number;
  /** The first node leads, and all is quiet, where the walk begins; else nobody does. */
  readonly led: boolean;
  /** Nobody campaigns beyond. The first election is that of term 2. */
  readonly maxTerm: Term;
  readonly budget: Partial<Budget>;
  /** Targets of configuration changes, as numbers of nodes; closed under renaming of the nodes. */
  readonly targets: readonly { readonly voters: readonly number[]; readonly learners: readonly number[] }[];
  /** Most messages on one link, and on all of them; a step that would send more waits. */
  readonly linkLength: number;
  readonly underWay: number;
  /** A write is durable as soon as it is asked for. */
  readonly quickDisks: boolean;
  /** The commit index is stored by itself when nothing else is written. */
  readonly quietWrites: boolean;
  /** A timeout may come after a long silence too: CheckQuorum, a disk that hangs, a transfer that is given up. */
  readonly longSilence: boolean;
  /** Followers hand proposals and reads on. */
  readonly forwarding: boolean;
}

/** Two words for each permutation of the nodes; what is not known yet is missing. */
export type Prints = (number | undefined)[];

/** One node. */
export interface Cell {
  readonly core: RaftState;
  readonly disk: DiskImage;
  readonly writes: WriteModel;
  /** Fingerprints by permutation, filled when first needed. */
  readonly prints: Prints;
}

export interface Packet {
  readonly message: Message;
  readonly prints: Prints;
}

export interface CommittedEntry {
  readonly entry: Entry;
  /** The term of the leader that committed it first. */
  readonly by: Term;
}

/** What no record remembers, and laws are about. */
export interface Past {
  /** By index from 1: what any node ever knew to be committed. */
  readonly committed: readonly CommittedEntry[];
  /** Who led which term. */
  readonly leaders: ReadonlyMap<Term, NodeId>;
  /** Reads without an answer, and what was committed when they began. */
  readonly floors: ReadonlyMap<RequestId, { readonly index: LogIndex; readonly by: NodeId }>;
  /** Commands of which somebody was told that they were surely not appended. */
  readonly refused: readonly number[];
}

export interface WorldState {
  readonly cells: readonly Cell[];
  /** From node a to node b at `a * cells.length + b`. */
  readonly links: readonly (readonly Packet[])[];
  readonly left: Budget;
  readonly past: Past;
}

export const noBudget: Budget = {
  proposals: 0,
  reads: 0,
  heartbeats: 0,
  crashes: 0,
  resets: 0,
  duplicates: 0,
  changes: 0,
  snapshots: 0,
  transfers: 0,
};

export function nodeId(place: number): NodeId {
  return `n${place + 1}`;
}

/** The inverse of `nodeId`. */
export function placeOf(id: NodeId): number {
  return id.charCodeAt(1) - 49;
}

// Time is abstract: nothing is due at 0, where every step but a timeout happens, and every deadline is at 1.
const due = 1;
export const stepTime = 0;
export const timeoutTime = due;
/** Of a timeout after a silence that is longer than every limit. */
export const silenceTime = 1_000_000;
/** A transfer is given up after a long silence alone. */
const transferDue = 2;

/** What is drawn is a deadline, and those are abstract. */
const anyRandom: Random = { a: 1, b: 2, c: 3, counter: 4 };

/** Takes out of a record what must not tell two states apart: times and randomness. */
export function forgetTime(core: RaftState): RaftState {
  core.now = stepTime;
  core.random = anyRandom;
  core.writePendingSince = stepTime;
  const { role } = core;
  if (role.kind === "follower") {
    role.leaderContact = stepTime;
    role.electionDeadline = due;
    if (role.check) role.check = { ...role.check, deadline: due };
  } else if (role.kind === "candidate") {
    role.electionDeadline = due;
  } else {
    role.heartbeatDeadline = due;
    role.roundsBegun = [];
    if (role.transfer) role.transfer = { ...role.transfer, deadline: transferDue };
    for (const progress of role.progress.values()) progress.lastContact = stepTime;
  }
  return core;
}

/** A record of its own; entries, snapshots and the like never change and are shared. */
export function cloneCore(core: RaftState): RaftState {
  const { log, incoming } = core;
  return {
    ...core,
    log: { ...log, entries: log.entries.slice(), configurations: log.configurations.slice() },
    role: cloneRole(core.role),
    incoming: incoming ? { ...incoming, data: incoming.data.slice() } : null,
    forwarded: core.forwarded.size > 0 ? new Map(core.forwarded) : new Map(),
  };
}

function cloneRole(role: RaftState["role"]): RaftState["role"] {
  if (role.kind === "follower") return { ...role, check: role.check && { ...role.check, waiting: new Map(role.check.waiting) } };
  if (role.kind === "candidate") return { ...role, votes: new Map(role.votes) };
  const progress: typeof role.progress = new Map();
  for (const [id, one] of role.progress) {
    const transfer = one.transfer ? { ...one.transfer } : null;
    progress.set(id, { ...one, transfer, inflight: one.inflight.slice() });
  }
  return {
    ...role,
    progress,
    transfer: role.transfer ? { ...role.transfer } : null,
    roundsBegun: [],
    readsInRound: role.readsInRound.slice(),
    readsWaiting: role.readsWaiting.slice(),
    requestsSeen: new Map([...role.requestsSeen].map(([id, seen]) => [id, new Set(seen)])),
  };
}

/** A life that begins with what the disk holds. */
export function startCore(id: NodeId, config: RaftConfig, disk: DiskImage): RaftState {
  const { hardState, snapshot, baseIndex, baseTerm, entries, commitIndex } = disk;
  const stored = { hardState, snapshot, firstIndex: baseIndex + 1, baseTerm, entries, commitIndex };
  return forgetTime(createRaft({ id, config, seed: 1, now: stepTime, ...stored }));
}

/** The command that was proposed as the `number`th; from 1. */
export function commandOf(number: number): Uint8Array {
  return Uint8Array.of(number);
}

/** Of an entry: the number of its command, 0 for any other. */
export function commandNumber(entry: Entry): number {
  return entry.kind === "command" ? (entry.command[0] ?? 0) : 0;
}

export function configurationBits(configuration: Configuration, permutation: readonly number[]): number {
  const { voters, votersOld, learners } = configuration;
  let bits = 0;
  for (const ids of [voters, votersOld, learners]) {
    bits <<= 3;
    for (const id of ids) bits |= 1 << (permutation[placeOf(id)] ?? 0);
  }
  return bits;
}
