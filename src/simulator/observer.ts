/**
 * Watches a whole cluster, after every step, by laws that need no trust in the code that they judge (Figure 3, and durability).
 * Each check costs as much as has changed since the last one.
 */
import { isVoter, lastIndex, leaderOf, type RaftState, termAt } from "../raft/mod.ts";
import type { Configuration, Entry, HardState, LogIndex, Message, NodeId, Term } from "../raft/types.ts";

/** A law was broken. */
export class LawBroken extends Error {
  override readonly name = "LawBroken";
}

function law(holds: boolean, text: () => string): void {
  if (!holds) throw new LawBroken(text());
}

/** What a node's disk would give back after a crash now. */
export interface DurableImage {
  readonly hardState: HardState;
  /** Whether the entry, or a snapshot that stands for it, is there. */
  holds(index: LogIndex, term: Term): boolean;
}

interface NodeView {
  core: RaftState;
  disk: DurableImage;
  /** The log as last seen, entry by entry, from the one after `base` on. */
  log: Entry[];
  base: LogIndex;
  term: Term;
  /** The term that it led when last seen; 0: none. */
  ledTerm: Term;
  commitIndex: LogIndex;
}

export class Observer {
  /** Committed, as the first node that knew it had it. */
  readonly committed: Entry[] = [];
  elections = 0;
  readonly #nodes = new Map<NodeId, NodeView>();
  readonly #images = new Map<NodeId, DurableImage>();
  readonly #leaders = new Map<Term, NodeId>();
  readonly #acknowledged = new Map<LogIndex, string>();
  /** Log Matching by induction: the term before each entry that was ever in a log. */
  readonly #entries = new Map<string, { readonly entry: Entry; readonly previousTerm: Term }>();

  /** A life of a node begins. */
  watch(core: RaftState, disk: DurableImage): void {
    this.#nodes.set(core.id, {
      core,
      disk,
      log: [],
      base: core.log.baseIndex,
      term: core.hardState.currentTerm,
      ledTerm: 0,
      commitIndex: 0,
    });
    this.check(core.id);
  }

  forget(id: NodeId): void {
    this.#nodes.delete(id);
  }

  /** After each step of a node. */
  check(id: NodeId): void {
    const view = this.#nodes.get(id);
    if (!view) return;
    this.#checkRole(view);
    this.#checkLog(view);
    this.#checkCommit(view);
  }

  #checkRole(view: NodeView): void {
    const { core } = view;
    law(core.hardState.currentTerm >= view.term, () => `${core.id}: currentTerm went back from ${view.term}`);
    view.term = core.hardState.currentTerm;
    if (core.role.kind !== "leader") return;
    const known = this.#leaders.get(core.hardState.currentTerm);
    law(
      known === undefined || known === core.id,
      () => `Election Safety: ${known} and ${core.id} lead term ${core.hardState.currentTerm}`,
    );
    if (known === undefined) {
      this.#leaders.set(core.hardState.currentTerm, core.id);
      this.elections++;
      this.#checkLeaderCompleteness(core);
    }
    for (const [peer, { matchIndex, nextIndex }] of core.role.progress)
      law(
        matchIndex < nextIndex && matchIndex <= lastIndex(core.log),
        () => `${core.id}: progress of ${peer} is ${matchIndex}, ${nextIndex}`,
      );
  }

  #checkLeaderCompleteness(core: RaftState): void {
    const last = this.committed.at(-1);
    if (last)
      law(
        (termAt(core.log, last.index) ?? (core.snapshot && last.index <= core.snapshot.index ? last.term : null)) === last.term,
        () => `Leader Completeness: ${core.id} leads without entry ${last.index}`,
      );
  }

  #checkLog(view: NodeView): void {
    const { core } = view;
    this.#followBase(view);
    let same = Math.min(view.log.length, core.log.entries.length);
    while (same > 0 && view.log[same - 1] !== core.log.entries[same - 1]) same--;
    const leads = core.role.kind === "leader" ? core.hardState.currentTerm : 0;
    if (leads !== 0 && leads === view.ledTerm)
      law(same === view.log.length, () => `Leader Append-Only: ${core.id} changed ${same + 1}`);
    view.ledTerm = leads;
    law(
      view.base + same >= Math.min(view.commitIndex, view.base + view.log.length),
      () => `${core.id} changed a committed entry`,
    );
    view.log.length = same;
    for (const entry of core.log.entries.slice(same)) {
      const previousTerm = view.log.at(-1)?.term ?? core.log.baseTerm;
      law(entry.index === view.base + view.log.length + 1, () => `${core.id}: entry ${entry.index} is out of place`);
      this.#matchLog(core.id, entry, previousTerm);
      view.log.push(entry);
    }
  }

  /** Compaction drops what is committed; a snapshot from elsewhere takes the place of everything. */
  #followBase(view: NodeView): void {
    const { log, commitIndex } = view.core;
    if (log.baseIndex === view.base) return;
    law(log.baseIndex <= commitIndex, () => `${view.core.id} compacted beyond its commit`);
    const known = this.committed[log.baseIndex - 1];
    law(known?.term === log.baseTerm, () => `${view.core.id} has term ${log.baseTerm} before its log, not ${known?.term}`);
    const kept = view.log.slice(log.baseIndex - view.base);
    view.log = kept[0] === log.entries[0] ? kept : [];
    view.base = log.baseIndex;
    view.commitIndex = Math.max(view.commitIndex, log.baseIndex);
  }

  /** Two logs with an entry of one index and term are the same through it: the entries are equal, and so are those before. */
  #matchLog(id: NodeId, entry: Entry, previousTerm: Term): void {
    const key = `${entry.index} ${entry.term}`;
    const known = this.#entries.get(key);
    if (!known) {
      this.#entries.set(key, { entry, previousTerm });
      return;
    }
    law(known.previousTerm === previousTerm && sameEntry(known.entry, entry), () => `Log Matching: ${id} at ${key}`);
  }

  #checkCommit(view: NodeView): void {
    const { core } = view;
    law(core.commitIndex >= view.commitIndex, () => `${core.id}: commitIndex went back from ${view.commitIndex}`);
    for (let index = view.commitIndex + 1; index <= core.commitIndex; index++) {
      const entry = core.log.entries[index - core.log.baseIndex - 1];
      if (!entry && index <= (core.snapshot?.index ?? 0)) continue;
      law(entry !== undefined, () => `${core.id} committed ${index}, which it does not have`);
      const known = this.committed[index - 1];
      if (known && entry)
        law(
          known.term === entry.term,
          () => `State Machine Safety: ${core.id} has term ${entry.term} at ${index}, not ${known.term}`,
        );
      else if (entry) this.#firstCommitted(core, entry);
    }
    view.commitIndex = core.commitIndex;
  }

  /** Committed means: durable, at this moment, on a majority of each half of the configuration that counted. */
  #firstCommitted(core: RaftState, entry: Entry): void {
    law(
      entry.index === this.committed.length + 1,
      () => `${core.id} committed ${entry.index} before ${this.committed.length + 1}`,
    );
    this.committed.push(entry);
    const configuration = latestConfiguration(core, lastIndex(core.log));
    for (const half of [configuration.voters, configuration.votersOld]) {
      const holders = half.filter((id) => this.#images.get(id)?.holds(entry.index, entry.term));
      law(
        half.length === 0 || holders.length * 2 > half.length,
        () => `entry ${entry.index} is durable on ${holders.join(" ")} only`,
      );
    }
  }

  /** Disks outlive the lives of their nodes. */
  addDisk(id: NodeId, disk: DurableImage): void {
    this.#images.set(id, disk);
  }

  /** "Send after durable": what a message says of its sender must be true after a crash that comes now. */
  checkSend(message: Message): void {
    const disk = this.#images.get(message.from);
    if (!disk) return;
    const { currentTerm, votedFor } = disk.hardState;
    const preVote = message.kind === "requestVote" && message.preVote;
    law(
      preVote || currentTerm >= message.term,
      () => `${message.from} sent ${message.kind} of term ${message.term} before it was durable`,
    );
    if (message.kind === "requestVote" && !message.preVote && currentTerm === message.term)
      law(votedFor === message.from, () => `${message.from} asked for votes before its own was durable`);
    if (message.kind === "requestVoteResponse" && !message.preVote && message.voteGranted && currentTerm === message.term)
      law(votedFor === message.to, () => `${message.from} granted a vote before it was durable`);
    if (message.kind === "appendEntriesResponse" && message.success)
      this.#checkAcknowledgement(message.from, disk, message.matchIndex);
  }

  #checkAcknowledgement(from: NodeId, disk: DurableImage, matchIndex: LogIndex): void {
    const core = this.#nodes.get(from)?.core;
    if (!core || matchIndex === 0 || matchIndex > lastIndex(core.log)) return;
    law(
      disk.holds(matchIndex, termAt(core.log, matchIndex) ?? -1),
      () => `${from} acknowledged ${matchIndex} before it was durable`,
    );
  }

  /** A client was told that its command is at `index`. */
  acknowledge(index: LogIndex, command: string): void {
    const entry = this.committed[index - 1];
    law(entry?.kind === "command", () => `a client was told of ${index}, which is not committed`);
    law(!this.#acknowledged.has(index), () => `two clients were told of ${index}`);
    this.#acknowledged.set(index, command);
  }

  get acknowledged(): ReadonlyMap<LogIndex, string> {
    return this.#acknowledged;
  }

  /** Who leads the latest term, by its own account. */
  leader(): NodeId | null {
    let best: RaftState | null = null;
    for (const { core } of this.#nodes.values())
      if (leaderOf(core) === core.id && (!best || core.hardState.currentTerm > best.hardState.currentTerm)) best = core;
    return best?.id ?? null;
  }
}

function latestConfiguration(core: RaftState, through: LogIndex): Configuration {
  const found = core.log.configurations.filter(({ index }) => index <= through).at(-1);
  return found?.configuration ?? { voters: [], votersOld: [], learners: [] };
}

function sameEntry(a: Entry, b: Entry): boolean {
  if (a === b) return true;
  if (a.kind !== b.kind) return false;
  if (a.kind === "command" && b.kind === "command")
    return a.command.length === b.command.length && a.command.every((byte, at) => byte === b.command[at]);
  if (a.kind === "configuration" && b.kind === "configuration") {
    const ids = [...a.configuration.voters, ...a.configuration.votersOld, ...a.configuration.learners];
    return ids.every((id) => isVoter(a.configuration, id) === isVoter(b.configuration, id));
  }
  return true;
}
