/**
 * What must hold of a record after each step, and between two of them, whatever happened: Figure 2 and Figure 3 as far as one node can see
 * them. Nothing in the core depends on this file; tests, the simulator and the walk call it after every step. Cost: some
 * microseconds, whatever the length of the log.
 */
import { assert } from "./assert.ts";
import { isJoint } from "./configuration.ts";
import { configurationInForce, entryAt, lastIndex, lastTerm, termAt } from "./log.ts";
import type { Progress } from "./progress.ts";
import { voteResult } from "./quorum.ts";
import { type Candidate, configurationOf, type Leader, mayCampaign, type RaftState } from "./state.ts";
import type { Configuration, Entry, LogIndex, NodeId, Term, WriteId } from "./types.ts";

// ---- of one state ----

/** How many entries at the end of the log are looked at: what stands before was at the end once. */
const tailLength = 16;

/** @throws AssertionFailed, naming the law that does not hold */
export function checkState(raft: RaftState): void {
  checkIndexes(raft);
  checkLog(raft);
  checkConfigurations(raft);
  checkHardState(raft);
  checkRole(raft);
}

export function checkIndexes(raft: RaftState): void {
  const { log, snapshot, snapshotBeingWritten: written, commitIndex } = raft;
  const snapshotIndex = snapshot?.index ?? 0;
  assert(log.baseIndex <= snapshotIndex, "what was compacted away stands in a snapshot (§7)");
  assert(snapshotIndex <= commitIndex, "a snapshot holds nothing but what is committed (§7)");
  assert(commitIndex <= lastIndex(log), "nothing beyond the log is committed");
  assert(log.durableIndex <= lastIndex(log), "nothing beyond the log is durable");
  assert(log.durableIndex >= log.baseIndex || written?.reset === true, "what was compacted away was durable");
  assert(raft.durableWrite <= raft.lastWrite, "only what was written is durable");
  if (snapshot) {
    const term = termAt(log, snapshot.index);
    assert(term === null || term === snapshot.term, "a snapshot and the log agree on its last term (§7)");
  }
  if (!written) return;
  assert(written.compactThrough <= written.snapshot.index, "a snapshot stands for no more of the log than it holds (§7)");
  assert(written.snapshot.index <= commitIndex, "a snapshot under way holds nothing but what is committed (§7)");
}

/** `from`: of the entries, by their place in memory, the first that is looked at. */
export function checkLog({ log, hardState }: RaftState, from = Math.max(0, log.entries.length - tailLength)): void {
  const { entries, baseIndex, baseTerm } = log;
  for (let at = from; at < entries.length; at++) {
    const entry = entries[at];
    assert(entry?.index === baseIndex + 1 + at, "the log has no gap (§5.3)");
    assert(entry.term >= (at === 0 ? baseTerm : (entries[at - 1]?.term ?? 0)), "terms along a log never fall (§5.3)");
    assert(
      entry.kind !== "configuration" || log.configurations.some(({ index }) => index === entry.index),
      "a configuration in the log is on the stack (§6)",
    );
  }
  assert(lastTerm(log) <= hardState.currentTerm, "no entry is of a term that is still to come (§5.1)");
}

export function checkConfigurations({ log }: RaftState): void {
  let before = -1;
  for (const { index, configuration } of log.configurations) {
    assert(index > before, "configurations are stacked in the order of the log (§6)");
    before = index;
    checkConfiguration(configuration);
    if (index > log.baseIndex)
      assert(entryAt(log, index)?.kind === "configuration", "a configuration on the stack stands in the log (§6)");
  }
  assert(configurationInForce(log).index <= lastIndex(log), "the configuration in force is the last in the log (§6)");
  assert(
    (log.configurations[1]?.index ?? Number.POSITIVE_INFINITY) > log.baseIndex,
    "one configuration alone comes from before the log",
  );
}

function checkConfiguration(configuration: Configuration): void {
  const { voters, votersOld, learners } = configuration;
  for (const ids of [voters, votersOld, learners])
    for (let at = 1; at < ids.length; at++)
      assert((ids[at - 1] ?? "") < (ids[at] ?? ""), "members are sorted and without repeats");
  assert(!learners.some((id) => voters.includes(id)), "nobody is voter and learner at once");
  assert(voters.length > 0 || (votersOld.length === 0 && learners.length === 0), "a configuration has voters");
}

export function checkHardState({ hardState, log, role }: RaftState): void {
  const { currentTerm, votedFor, generation } = hardState;
  assert(Number.isSafeInteger(currentTerm) && currentTerm >= 0, "a term is a count");
  assert(votedFor === null || currentTerm > 0, "nobody votes before the first term");
  const isPristine = currentTerm === 0 && votedFor === null && lastIndex(log) === 0 && role.kind === "follower";
  assert(generation !== null || isPristine, "whoever has a history has a generation");
}

/** `hasNews`: configurations, the term, or who is fed may have changed since the last look. */
export function checkRole(raft: RaftState, hasNews = true): void {
  const { role, log } = raft;
  if (role.kind === "leader") checkLeader(raft, role, hasNews);
  else if (role.kind === "candidate") checkCandidate(raft, role);
  else {
    assert(role.leader !== raft.id, "a follower follows another");
    assert(role.verifiedIndex <= lastIndex(log), "nothing beyond the log is verified");
  }
}

function checkCandidate(raft: RaftState, candidate: Candidate): void {
  assert(mayCampaign(raft), "a learner never campaigns (diss. §4.2.1)");
  assert(candidate.preVote || raft.hardState.votedFor === raft.id, "a candidate votes for itself (§5.2)");
  assert(
    candidate.preVote || !candidate.votes.has(raft.id) || raft.durableWrite >= candidate.ownVoteWrite,
    "a candidate counts its own vote once it is durable",
  );
  assert(
    voteResult(configurationOf(raft), candidate.votes) === "pending",
    "a candidate whose election is decided is none any more (§5.2)",
  );
}

function checkLeader(raft: RaftState, leader: Leader, hasNews: boolean): void {
  const { log, hardState, commitIndex } = raft;
  assert(hardState.votedFor === raft.id, "a leader voted for itself (§5.2)");
  assert(lastTerm(log) === hardState.currentTerm, "a leader's log ends in its own term (§8)");
  assert(leader.termStartIndex > 0 && leader.termStartIndex <= lastIndex(log), "a leader's term begins within its log");
  assert(leader.readIndex <= commitIndex, "a read sees nothing but what is committed (diss. §6.4)");
  assert(
    leader.readsInRound.length === 0 || leader.readIndex >= leader.termStartIndex,
    "no read before the term's first commit (§8)",
  );
  assert(leader.uncommittedBytes >= 0, "uncommitted bytes are a count");
  for (const progress of leader.progress.values()) checkProgress(raft, leader, progress);
  if (hasNews) checkMembers(raft, leader);
}

/** What changes with the configurations alone, or with a new leader. */
function checkMembers(raft: RaftState, leader: Leader): void {
  assert(!leader.progress.has(raft.id), "a leader does not feed itself");
  const { voters, votersOld, learners } = configurationOf(raft);
  for (const ids of [voters, votersOld, learners])
    for (const id of ids) assert(id === raft.id || leader.progress.has(id), "a leader feeds every member");
  checkOpenChange(raft);
}

function checkProgress(raft: RaftState, leader: Leader, progress: Progress): void {
  const { matchIndex, nextIndex, state, transfer, inflight } = progress;
  assert(matchIndex < nextIndex, "matchIndex is below nextIndex (§5.3)");
  assert(matchIndex <= lastIndex(raft.log), "nobody matches beyond the leader's log");
  assert(nextIndex <= lastIndex(raft.log) + 1, "nextIndex is at most one past the log");
  assert((state === "snapshot") === (transfer !== null), "a snapshot is under way in the state of that name");
  assert(state === "replicate" || inflight.length === 0, "messages are pipelined while replicating alone");
  let inflightBytes = 0;
  for (const { bytes } of inflight) inflightBytes += bytes;
  assert(progress.inflightBytes === inflightBytes, "the in-flight window counts what was sent");
  assert(inflight.length <= raft.config.maxInflightMessages, "the in-flight window is bounded");
  assert(progress.ackedRound <= leader.round && progress.sentRound <= leader.round, "no round is answered before it began");
  if (transfer) assert((transfer.ackedOffset ?? 0) <= transfer.snapshot.size, "no more of a snapshot arrives than there is");
}

/** What a leader itself has appended as a configuration came after every earlier one was committed. */
function checkOpenChange(raft: RaftState): void {
  const { configurations } = raft.log;
  const last = configurations[configurations.length - 1];
  if (!last || termAt(raft.log, last.index) !== raft.hardState.currentTerm) return;
  for (const { index } of configurations)
    assert(index === last.index || index <= raft.commitIndex, "a leader has one change open at a time (§6)");
  assert(!isJoint(last.configuration) || last.configuration.voters.length > 0, "a joint configuration has both halves (§6)");
}

// ---- of a transition ----

/** As much of a record as a later one is held against. */
export interface Summary {
  currentTerm: Term;
  votedFor: NodeId | null;
  generationId: string | null;
  role: "follower" | "preCandidate" | "candidate" | "leader";
  commitIndex: LogIndex;
  committed: Entry | null;
  last: Entry | null;
  baseIndex: LogIndex;
  snapshotIndex: LogIndex;
  lastWrite: WriteId;
  durableWrite: WriteId;
  readonly matchIndexes: Map<NodeId, LogIndex>;
}

export function summarize(raft: RaftState): Summary {
  const summary: Summary = {
    currentTerm: 0,
    votedFor: null,
    generationId: null,
    role: "follower",
    commitIndex: 0,
    committed: null,
    last: null,
    baseIndex: 0,
    snapshotIndex: 0,
    lastWrite: 0,
    durableWrite: 0,
    matchIndexes: new Map(),
  };
  renew(summary, raft);
  return summary;
}

/** Makes of a summary what `summarize` would give now. */
export function renew(summary: Summary, raft: RaftState): void {
  const { hardState, log, role } = raft;
  summary.currentTerm = hardState.currentTerm;
  summary.votedFor = hardState.votedFor;
  summary.generationId = hardState.generation?.id ?? null;
  summary.role = role.kind === "candidate" && role.preVote ? "preCandidate" : role.kind;
  summary.commitIndex = raft.commitIndex;
  summary.committed = entryAt(log, raft.commitIndex);
  summary.last = entryAt(log, lastIndex(log));
  summary.baseIndex = log.baseIndex;
  summary.snapshotIndex = raft.snapshot?.index ?? 0;
  summary.lastWrite = raft.lastWrite;
  summary.durableWrite = raft.durableWrite;
  const { matchIndexes } = summary;
  if (role.kind !== "leader") {
    if (matchIndexes.size > 0) matchIndexes.clear();
    return;
  }
  for (const [id, { matchIndex }] of role.progress) if (matchIndexes.get(id) !== matchIndex) matchIndexes.set(id, matchIndex);
  if (matchIndexes.size === role.progress.size) return;
  for (const id of matchIndexes.keys()) if (!role.progress.has(id)) matchIndexes.delete(id);
}

/**
 * Of one step: `before` was taken of this same record.
 * @throws AssertionFailed, naming the law that does not hold
 */
export function checkTransition(before: Summary, raft: RaftState): void {
  checkCounts(before, raft);
  checkTerm(before, raft);
  checkKept(before, raft);
  checkNewRole(before, raft);
}

export function checkCounts(before: Summary, { commitIndex, log, snapshot, lastWrite, durableWrite }: RaftState): void {
  assert(commitIndex >= before.commitIndex, "commitIndex never falls");
  assert(log.baseIndex >= before.baseIndex, "what was compacted away does not come back");
  assert((snapshot?.index ?? 0) >= before.snapshotIndex, "a newer snapshot is not replaced by an older one (§7)");
  assert(lastWrite >= before.lastWrite && durableWrite >= before.durableWrite, "writes are counted upwards");
}

export function checkTerm(before: Summary, raft: RaftState): void {
  const { currentTerm, votedFor } = raft.hardState;
  assert(currentTerm >= before.currentTerm, "currentTerm never falls (§5.1)");
  assert(
    currentTerm !== before.currentTerm || before.votedFor === null || votedFor === before.votedFor,
    "a vote is given once a term (§5.2)",
  );
  checkGeneration(before, raft);
}

export function checkKept(before: Summary, raft: RaftState): void {
  assert(stillHolds(raft, before.committed), "what is committed never changes (§5.4)");
  const staysLeader =
    raft.role.kind === "leader" && before.role === "leader" && raft.hardState.currentTerm === before.currentTerm;
  assert(!staysLeader || stillHolds(raft, before.last), "a leader only appends (§5.3)");
}

export function checkNewRole(before: Summary, { hardState, role }: RaftState): void {
  const sameTerm = hardState.currentTerm === before.currentTerm;
  if (role.kind === "leader") {
    assert(
      sameTerm && (before.role === "leader" || before.role === "candidate"),
      "only a candidate becomes leader, in the term of its campaign (Figure 4)",
    );
    for (const [id, { matchIndex }] of role.progress)
      assert(matchIndex >= (before.matchIndexes.get(id) ?? 0), "matchIndex never falls (Figure 2)");
  } else if (before.role === "leader" && sameTerm)
    assert(role.kind !== "candidate", "a leader does not campaign in its own term (Figure 4)");
}

function checkGeneration(before: Summary, { hardState, role }: RaftState): void {
  const { generation, currentTerm } = hardState;
  if (before.generationId === null || before.generationId === generation?.id) return;
  assert(
    generation !== null && generation.parentId === before.generationId,
    "a node keeps its generation, or begins a child of it",
  );
  assert(currentTerm > before.currentTerm && role.kind !== "leader", "a generation begins in a later term, without a leader");
}

/** In the log where it stood, or compacted away. By Log Matching what stood before it then does too. */
function stillHolds({ log }: RaftState, entry: Entry | null): boolean {
  if (entry === null || entry.index <= log.baseIndex) return true;
  const there = entryAt(log, entry.index);
  return there?.term === entry.term && there.kind === entry.kind;
}
