/**
 * The laws of a whole cluster, of every state and every step of the walk: Figure 3, durability, reads, and what clients were told. What one
 * record can show by itself stands in the core's own laws.
 */
import { lastIndex, type RaftState, termAt } from "../raft/mod.ts";
import type { Configuration, Entry, LogIndex, Message, Update } from "../raft/types.ts";
import { type DiskImage, isOnDisk } from "./explore-disk.ts";
import { type Cell, type CommittedEntry, commandNumber, type Past, placeOf } from "./explore-world.ts";
import { LawBroken } from "./observer.ts";

function law(holds: boolean, words: () => string): asserts holds {
  if (!holds) throw new LawBroken(words());
}

/** "Send after durable": what a message says of its sender's hard state must be true after a crash that comes now. */
export function checkSend(message: Message, { hardState }: DiskImage): void {
  const { from, to, term, kind } = message;
  const isPreVote = kind === "requestVote" && message.preVote;
  law(
    isPreVote || hardState.currentTerm >= term,
    () => `Send after durable: ${from} sent ${kind} of term ${term} before it was durable`,
  );
  if (hardState.currentTerm !== term) return;
  if (kind === "requestVote" && !message.preVote)
    law(hardState.votedFor === from, () => `Send after durable: ${from} asked for votes before its own was durable`);
  if (kind === "requestVoteResponse" && !message.preVote && message.voteGranted)
    law(hardState.votedFor === to, () => `Send after durable: ${from} granted a vote before it was durable`);
}

/** Of what a step asks to be sent: an acknowledgement speaks of what is durable already. */
export function checkAcknowledgements(core: RaftState, disk: DiskImage, update: Update): void {
  for (const message of update.messages) {
    if (message.kind !== "appendEntriesResponse" || !message.success || message.matchIndex === 0) continue;
    const { matchIndex } = message;
    const term = termAt(core.log, matchIndex);
    law(
      isOnDisk(disk, matchIndex, term ?? -1),
      () => `Acknowledge after durable: ${core.id} acknowledged ${matchIndex} before it was durable`,
    );
  }
}

function holds(core: RaftState, { entry }: CommittedEntry): boolean {
  return entry.index <= core.log.baseIndex || termAt(core.log, entry.index) === entry.term;
}

/** Election Safety, Leader Completeness, and the durability of the leader's own vote. */
export function checkLeader(core: RaftState, disk: DiskImage, past: Past): void {
  if (core.role.kind !== "leader") return;
  const { currentTerm } = core.hardState;
  const known = past.leaders.get(currentTerm);
  law(known === undefined || known === core.id, () => `Election Safety: ${known} and ${core.id} lead term ${currentTerm}`);
  for (const one of past.committed)
    law(
      one.by >= currentTerm || holds(core, one),
      () => `Leader Completeness: ${core.id} leads term ${currentTerm} without entry ${one.entry.index}`,
    );
  const { hardState } = disk;
  law(
    hardState.currentTerm > currentTerm || (hardState.currentTerm === currentTerm && hardState.votedFor === core.id),
    () => `Send after durable: ${core.id} leads term ${currentTerm} before its own vote is durable`,
  );
}

/** Log Matching: two logs with an entry of one index and term are the same through it. */
export function checkLogMatching(core: RaftState, cells: readonly Cell[]): void {
  for (const { core: other } of cells) {
    if (other.id === core.id) continue;
    const base = Math.max(core.log.baseIndex, other.log.baseIndex);
    let matches = false;
    for (let index = Math.min(lastIndex(core.log), lastIndex(other.log)); index > base; index--) {
      const [mine, theirs] = [entryOf(core, index), entryOf(other, index)];
      const same = mine !== undefined && theirs !== undefined && sameEntry(mine, theirs);
      law(same || (!matches && mine?.term !== theirs?.term), () => `Log Matching: ${core.id} and ${other.id} at ${index}`);
      matches ||= same;
    }
  }
}

function entryOf(core: RaftState, index: LogIndex): Entry | undefined {
  return core.log.entries[index - core.log.baseIndex - 1];
}

function sameEntry(a: Entry, b: Entry): boolean {
  if (a === b) return true;
  if (a.term !== b.term || a.kind !== b.kind || commandNumber(a) !== commandNumber(b)) return false;
  return a.kind !== "configuration" || (b.kind === "configuration" && sameMembers(a.configuration, b.configuration));
}

function sameMembers(a: Configuration, b: Configuration): boolean {
  return [a.voters, a.votersOld, a.learners].join(" ") === [b.voters, b.votersOld, b.learners].join(" ");
}

/**
 * State Machine Safety against all of the past, and "committed on a durable quorum". `configuration`: in force where the step began.
 * Returns what has been committed by now.
 */
export function checkCommitted(
  core: RaftState,
  committed: readonly Entry[],
  configuration: Configuration,
  cells: readonly Cell[],
  past: Past,
): readonly CommittedEntry[] {
  let all = past.committed;
  for (const entry of committed) {
    const known = all[entry.index - 1];
    if (known) {
      law(
        sameEntry(known.entry, entry),
        () => `State Machine Safety: ${core.id} has another entry ${entry.index} than was committed`,
      );
      continue;
    }
    law(entry.index === all.length + 1, () => `${core.id} commits ${entry.index} before ${all.length + 1}`);
    checkQuorum(entry, configuration, cells);
    checkOnce(entry, all, past.refused);
    all = [...all, { entry, by: core.hardState.currentTerm }];
  }
  return all;
}

function checkQuorum({ index, term }: Entry, configuration: Configuration, cells: readonly Cell[]): void {
  for (const half of [configuration.voters, configuration.votersOld]) {
    const holders = half.filter((id) => {
      const cell = cells[placeOf(id)];
      return cell !== undefined && isOnDisk(cell.disk, index, term);
    });
    law(
      half.length === 0 || holders.length * 2 > half.length,
      () => `Committed on a durable quorum: entry ${index} is durable on ${holders.join(" ") || "nobody"} alone`,
    );
  }
}

function checkOnce(entry: Entry, all: readonly CommittedEntry[], refused: readonly number[]): void {
  const number = commandNumber(entry);
  if (number === 0) return;
  law(!all.some((one) => commandNumber(one.entry) === number), () => `command ${number} is committed twice`);
  law(!refused.includes(number), () => `command ${number} is committed, yet its client was told that it was refused`);
}

/** What a node takes to be committed without having heard it in this step: from its disk, or by a snapshot. */
export function checkKnownCommitted(core: RaftState, past: Past): void {
  law(
    core.commitIndex <= past.committed.length,
    () => `${core.id} takes ${core.commitIndex} for committed, which nobody has committed`,
  );
  const last = past.committed[core.commitIndex - 1];
  const term = termAt(core.log, core.commitIndex);
  law(
    !last || term === null || term === last.entry.term,
    () => `State Machine Safety: ${core.id} has another entry ${core.commitIndex} than was committed`,
  );
}

/** The image of a state machine that has applied so much. */
export function imageThrough(past: Past, index: LogIndex): Uint8Array {
  return Uint8Array.from(past.committed.slice(0, index).flatMap(({ entry }) => [entry.term, commandNumber(entry)]));
}

export function checkRestore(update: Update, past: Past): void {
  const { restore } = update;
  if (!restore) return;
  const expected = imageThrough(past, restore.index);
  const same = expected.length === restore.data.length && expected.every((byte, at) => byte === restore.data[at]);
  law(same, () => `a snapshot through ${restore.index} is not what was committed`);
  const configurations = past.committed.slice(0, restore.index).filter(({ entry }) => entry.kind === "configuration");
  const inForce = configurations.at(-1)?.entry;
  law(
    inForce?.kind === "configuration" && sameMembers(inForce.configuration, restore.configuration),
    () => `a snapshot through ${restore.index} has another configuration than was in force`,
  );
}

/** A linearizable read sees all that was committed before it was asked for. */
export function checkAnswers(core: RaftState, update: Update, past: Past): void {
  for (const answer of update.answers) {
    if (answer.kind !== "readable") continue;
    const floor = past.floors.get(answer.requestId)?.index ?? 0;
    law(
      answer.index >= floor,
      () => `Linearizable reads: ${core.id} reads at ${answer.index}, yet ${floor} was committed before it asked`,
    );
  }
}
