/**
 * Two words of 32 bits for a state: equal for states that differ only in the names of the nodes (symmetry), in times or in how far counters
 * have run, and in practice for no others: among a million states two would share one by chance once in tens of millions of walks.
 */
import type { RaftState } from "../raft/mod.ts";
import type { Progress } from "../raft/progress.ts";
import type { Candidate, Follower, Leader } from "../raft/state.ts";
import type { Entry, Message, NodeId, Snapshot } from "../raft/types.ts";
import type { DiskImage, PendingWrite, WriteModel } from "./explore-disk.ts";
import {
  type Cell,
  commandNumber,
  configurationBits,
  type Packet,
  type Prints,
  placeOf,
  type WorldState,
} from "./explore-world.ts";

/** By place, the place that it is renamed to. */
type Permutation = readonly number[];

/** Takes numbers in, one after the other; two independent sums come out. */
class Hash {
  one = 0;
  two = 0;
  permutation: Permutation = [];

  begin(permutation: Permutation): void {
    this.permutation = permutation;
    this.one = 0x9747b28c;
    this.two = 0x3c6ef372;
  }

  number(value: number): void {
    let a = Math.imul(value, 0xcc9e2d51);
    a = Math.imul((a << 15) | (a >>> 17), 0x1b873593);
    this.one ^= a;
    this.one = (Math.imul((this.one << 13) | (this.one >>> 19), 5) + 0xe6546b64) | 0;
    let b = Math.imul(value ^ 0x5bd1e995, 0x85ebca6b);
    b = Math.imul(b ^ (b >>> 13), 0xc2b2ae35);
    this.two = Math.imul(this.two ^ b ^ (b >>> 16), 0x27d4eb2f);
    this.two = (this.two ^ (this.two >>> 15)) + 0x165667b1;
  }

  /** 0 for nobody. */
  node(id: NodeId | null): void {
    this.number(id === null ? 0 : (this.permutation[placeOf(id)] ?? 0) + 1);
  }
}

const permutationsOf: Readonly<Record<number, readonly Permutation[]>> = {
  1: [[0]],
  2: [
    [0, 1],
    [1, 0],
  ],
  3: [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ],
};

/** Not to be used by two callers at a time. */
export class Fingerprinter {
  one = 0;
  two = 0;
  readonly #inner = new Hash();
  readonly #outer = new Hash();
  readonly #permutations: readonly Permutation[];

  constructor(nodes: number) {
    const permutations = permutationsOf[nodes];
    if (!permutations) throw new Error("a walk has one to three nodes");
    this.#permutations = permutations;
  }

  /** Leaves its result in `one` and `two`: the least over the permutations that put the nodes in order of what they are. */
  take(state: WorldState): void {
    const kinds = state.cells.map(kindOf);
    let first = true;
    for (const [number, permutation] of this.#permutations.entries()) {
      if (!putsInOrder(kinds, permutation)) continue;
      this.#sum(state, permutation, number);
      const { one, two } = this.#outer;
      if (first || one < this.one || (one === this.one && two < this.two)) {
        this.one = one;
        this.two = two;
      }
      first = false;
    }
  }

  #sum(state: WorldState, permutation: Permutation, number: number): void {
    const { cells, links, left, past } = state;
    const outer = this.#outer;
    outer.begin(permutation);
    const placeFor = (at: number): number => permutation.indexOf(at);
    for (let at = 0; at < cells.length; at++) {
      const cell = cells[placeFor(at)];
      if (cell) this.#add(cell.prints, number, permutation, (hash) => addCell(hash, cell));
    }
    for (let a = 0; a < cells.length; a++)
      for (let b = 0; b < cells.length; b++) {
        if (a === b) continue;
        const packets: readonly Packet[] = links[placeFor(a) * cells.length + placeFor(b)] ?? [];
        outer.number(packets.length);
        for (const packet of packets) this.#add(packet.prints, number, permutation, (hash) => addMessage(hash, packet.message));
      }
    for (const count of Object.values(left)) outer.number(count);
    addPast(outer, state, past);
  }

  /** What was summed up before, or is now and is kept. */
  #add(prints: Prints, number: number, permutation: Permutation, sum: (hash: Hash) => void): void {
    const at = number * 2;
    if (prints[at] === undefined) {
      const inner = this.#inner;
      inner.begin(permutation);
      sum(inner);
      prints[at] = inner.one;
      prints[at + 1] = inner.two;
    }
    this.#outer.number(prints[at] ?? 0);
    this.#outer.number(prints[at + 1] ?? 0);
  }
}

/** Of a node, without any name: nodes of different kinds are never taken for each other. */
function kindOf({ core, disk, writes }: Cell): number {
  const { role, hardState, log, commitIndex } = core;
  let kind = hardState.currentTerm * 4 + (role.kind === "leader" ? 2 : role.kind === "candidate" ? 1 : 0);
  kind = kind * 16 + log.entries.length + log.baseIndex;
  kind = kind * 16 + commitIndex;
  kind = kind * 16 + log.durableIndex;
  kind = kind * 8 + disk.hardState.currentTerm;
  kind = kind * 4 + writes.queued.length + (writes.underWay ? 1 : 0);
  kind = kind * 4 + (hardState.votedFor === null ? 0 : hardState.votedFor === core.id ? 1 : 2);
  return kind;
}

function putsInOrder(kinds: readonly number[], permutation: Permutation): boolean {
  for (let a = 0; a < kinds.length; a++)
    for (let b = 0; b < kinds.length; b++)
      if ((kinds[a] ?? 0) < (kinds[b] ?? 0) && (permutation[a] ?? 0) > (permutation[b] ?? 0)) return false;
  return true;
}

function addPast(hash: Hash, { cells }: WorldState, { committed, leaders, floors, refused }: WorldState["past"]): void {
  hash.number(committed.length);
  for (const { entry, by } of committed) {
    addEntry(hash, entry);
    hash.number(by);
  }
  // Nobody can win a term any more that every disk has left behind.
  const least = Math.min(...cells.map(({ disk }) => disk.hardState.currentTerm));
  for (const [term, id] of leaders) if (term >= least) hash.number(term * 4 + (hash.permutation[placeOf(id)] ?? 0) + 100);
  for (const [request, { index, by }] of floors) {
    hash.number(request * 64 + index);
    hash.node(by);
  }
  hash.number(-1);
  for (const number of refused) hash.number(number);
}

function addEntry(hash: Hash, entry: Entry): void {
  hash.number(entry.index * 4096 + entry.term * 64 + commandNumber(entry) + (entry.kind === "blank" ? 63 : 0));
  if (entry.kind === "configuration") hash.number(configurationBits(entry.configuration, hash.permutation));
}

function addEntries(hash: Hash, entries: readonly Entry[]): void {
  hash.number(entries.length);
  for (const entry of entries) addEntry(hash, entry);
}

function addSnapshot(hash: Hash, snapshot: Snapshot | null): void {
  hash.number(snapshot ? snapshot.index * 64 + snapshot.term : 0);
  if (!snapshot) return;
  hash.number(configurationBits(snapshot.configuration, hash.permutation));
  hash.number(snapshot.configurationIndex);
}

function addCell(hash: Hash, cell: Cell): void {
  const { core, disk, writes } = cell;
  addCore(hash, core);
  addDisk(hash, disk);
  addWrites(hash, writes);
}

function addCore(hash: Hash, core: RaftState): void {
  const { hardState, log, durableWrite, snapshotBeingWritten: taken, incoming } = core;
  hash.number(hardState.currentTerm * 2 + (hardState.generation ? 1 : 0));
  hash.node(hardState.votedFor);
  hash.number(log.baseIndex * 64 + log.baseTerm);
  addEntries(hash, log.entries);
  const [base] = log.configurations;
  hash.number(base ? configurationBits(base.configuration, hash.permutation) * 64 + base.index : 0);
  hash.number(log.configurations.length);
  hash.number(log.durableIndex * 64 + core.commitIndex);
  // Writes are counted from the last durable one: what lies before it makes no difference any more.
  hash.number(Math.max(0, log.truncatedByWrite - durableWrite) * 64 + core.lastWrite - durableWrite);
  addSnapshot(hash, core.snapshot);
  addSnapshot(hash, taken?.snapshot ?? null);
  if (taken) hash.number(taken.compactThrough * 2 + (taken.reset ? 1 : 0));
  hash.number(incoming ? incoming.meta.index * 4096 + incoming.meta.term * 64 + incoming.received : 0);
  hash.number(core.forwarded.size);
  for (const [request, to] of core.forwarded) {
    hash.number(request);
    hash.node(to);
  }
  const { role } = core;
  if (role.kind === "follower") addFollower(hash, role);
  else if (role.kind === "candidate") addCandidate(hash, role, durableWrite);
  else addLeader(hash, role);
}

function addFollower(hash: Hash, { leader, verifiedIndex, round, toldIndex, toldRound, check, leaderGone }: Follower): void {
  hash.number(1 + (leaderGone ? 8 : 0) + (check ? 16 * check.checkId : 0));
  for (const id of check?.waiting.keys() ?? []) hash.node(id);
  hash.node(leader);
  hash.number(verifiedIndex * 64 + round);
  hash.number((toldIndex + 1) * 64 + toldRound + 1);
}

function addCandidate(hash: Hash, { preVote, votes, leadershipTransfer, ownVoteWrite }: Candidate, durableWrite: number): void {
  hash.number(2 + (preVote ? 8 : 0) + (leadershipTransfer ? 16 : 0) + 32 * Math.max(0, ownVoteWrite - durableWrite));
  let bits = 0;
  for (const [id, granted] of votes) bits |= (granted ? 1 : 8) << (hash.permutation[placeOf(id)] ?? 0);
  hash.number(bits);
}

function addLeader(hash: Hash, leader: Leader): void {
  const { progress, termStartIndex, round, transfer, readsInRound, readsWaiting, readIndex, requestsSeen } = leader;
  hash.number(3 + 64 * termStartIndex + 4096 * round);
  const byPlace = [...progress].sort(([a], [b]) => (hash.permutation[placeOf(a)] ?? 0) - (hash.permutation[placeOf(b)] ?? 0));
  for (const [id, one] of byPlace) {
    hash.node(id);
    addProgress(hash, one);
  }
  hash.number(-1);
  if (transfer) {
    hash.node(transfer.to);
    hash.number(transfer.sent ? 1 : 0);
  }
  for (const reads of [readsInRound, readsWaiting]) {
    hash.number(reads.length);
    for (const { from, requestId } of reads) {
      hash.node(from);
      hash.number(requestId);
    }
  }
  hash.number(readIndex);
  let seen = 0;
  for (const [id, requests] of requestsSeen)
    for (const request of requests) seen += (request + 1) * 4 ** (hash.permutation[placeOf(id)] ?? 0);
  hash.number(seen);
}

function addProgress(hash: Hash, progress: Progress): void {
  const { matchIndex, nextIndex, state, transfer, probeSent, inflight, sentCommit, sentRound, ackedRound } = progress;
  hash.number(matchIndex * 4096 + nextIndex * 64 + sentCommit);
  hash.number(sentRound * 4096 + ackedRound * 64 + (state === "probe" ? 1 : state === "replicate" ? 2 : 3) + (probeSent ? 4 : 0));
  for (const { lastIndex } of inflight) hash.number(lastIndex);
  if (!transfer) return;
  const { snapshot, ackedOffset, sentOffset, asked, moved } = transfer;
  hash.number(snapshot.index * 64 + snapshot.term);
  hash.number(((ackedOffset ?? -1) + 1) * 256 + sentOffset * 4 + (asked ? 2 : 0) + (moved ? 1 : 0));
}

function addDisk(hash: Hash, { hardState, snapshot, baseIndex, baseTerm, entries, commitIndex }: DiskImage): void {
  hash.number(hardState.currentTerm * 2 + (hardState.generation ? 1 : 0));
  hash.node(hardState.votedFor);
  hash.number(baseIndex * 4096 + baseTerm * 64 + commitIndex);
  addSnapshot(hash, snapshot);
  addEntries(hash, entries);
}

function addWrites(hash: Hash, { underWay, queued, durable, lastHardState, gated, end, storedCommitIndex }: WriteModel): void {
  hash.number(queued.length * 2 + (underWay ? 1 : 0));
  if (underWay) addWrite(hash, underWay, durable);
  for (const one of queued) addWrite(hash, one, durable);
  hash.number(Math.max(0, lastHardState - durable) * 64 + gated.length);
  hash.number(end.index * 4096 + end.term * 64 + storedCommitIndex);
  for (const { after, messages } of gated) {
    hash.number(Math.max(0, after - durable) * 64 + messages.length);
    for (const message of messages) addMessage(hash, message);
  }
}

function addWrite(hash: Hash, pending: PendingWrite, durable: number): void {
  if (pending.kind === "snapshot") {
    addSnapshot(hash, pending.write.snapshot);
    hash.number(pending.write.compactThrough * 2 + (pending.write.reset ? 1 : 0));
    return;
  }
  const { write, hardState, truncateFrom, entries, end, commitIndex } = pending;
  hash.number(write === 0 ? -2 : write - durable);
  hash.number(hardState ? hardState.currentTerm * 2 + (hardState.generation ? 1 : 0) : 0);
  if (hardState) hash.node(hardState.votedFor);
  hash.number((truncateFrom ?? 0) * 64 + commitIndex);
  addEntries(hash, entries);
  hash.number(end.index * 64 + end.term);
}

const messageKinds: readonly Message["kind"][] = [
  "requestVote",
  "requestVoteResponse",
  "appendEntries",
  "appendEntriesResponse",
  "propose",
  "proposeResponse",
  "readIndex",
  "readIndexResponse",
  "installSnapshot",
  "installSnapshotResponse",
  "timeoutNow",
  "leaderCheck",
  "leaderCheckResponse",
  "relayEntries",
  "relayRequest",
];

/** Its fields in the order in which they were set, which is the same for all messages of a kind. */
function addMessage(hash: Hash, message: Message): void {
  hash.number(messageKinds.indexOf(message.kind) * 64 + message.term);
  hash.node(message.from);
  hash.node(message.to);
  switch (message.kind) {
    case "requestVote":
      hash.number((message.preVote ? 1 : 0) + (message.leadershipTransfer ? 2 : 0) + (message.leaderGone ? 4 : 0));
      hash.number(message.lastLogIndex * 64 + message.lastLogTerm);
      break;
    case "requestVoteResponse":
      hash.number((message.preVote ? 1 : 0) + (message.voteGranted ? 2 : 0) + message.requestedTerm * 4);
      break;
    case "appendEntries":
      hash.number(message.prevLogIndex * 4096 + message.prevLogTerm * 64 + message.leaderCommit);
      hash.number(message.round);
      addEntries(hash, message.entries);
      break;
    case "appendEntriesResponse":
      hash.number((message.success ? 1 : 0) + message.matchIndex * 2 + message.refusedIndex * 128);
      hash.number(message.hintIndex * 4096 + message.hintTerm * 64 + message.round);
      break;
    case "propose":
      hash.number(message.requestId);
      break;
    case "proposeResponse":
      hash.number(message.requestId * 4096 + message.firstIndex * 64 + message.entriesTerm);
      break;
    case "readIndex":
      hash.number(message.requestId);
      break;
    case "readIndexResponse":
      hash.number(message.requestId * 64 + message.readIndex + (message.refusal ? 32 : 0));
      break;
    case "installSnapshot":
      hash.number(message.snapshot.index * 64 + message.snapshot.term);
      hash.number(message.offset * 64 + message.data.length);
      break;
    case "installSnapshotResponse":
      hash.number(message.index * 64 + message.offset);
      break;
    case "leaderCheck":
    case "leaderCheckResponse":
      hash.number(message.checkId);
      break;
    case "relayEntries":
      hash.node(message.leader);
      hash.number(message.prevLogIndex * 64 + message.prevLogTerm);
      for (const entry of message.entries) hash.number(entry.index * 64 + entry.term);
      break;
    case "relayRequest":
      hash.number((message.commitIndex * 64 + message.matchIndex) * 2 + (message.restart ? 1 : 0));
      break;
    case "timeoutNow":
      break;
  }
}
