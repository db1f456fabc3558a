/**
 * Watches a whole cluster, after every step of a node, by laws that need no trust in the code that they judge (Figure 3, and durability).
 * Each check costs as much as the step has changed.
 */
import { LawWatch } from "../raft/law-watch.ts";
import { checkState } from "../raft/laws.ts";
import { AssertionFailed, configurationInForce, isJoint, isVoter, lastIndex, type RaftState, termAt } from "../raft/mod.ts";
import type { Entry, Event, HardState, LogIndex, NodeId, Term, Update } from "../raft/types.ts";
import { checkBounds } from "./bounds.ts";
import { checkChange, isHeldByQuorum } from "./configuration-laws.ts";
import { LawBroken, law, type Situations } from "./law.ts";

export { LawBroken } from "./law.ts";

/** What a node's disk would give back after a crash now. */
export interface DurableImage {
  readonly hardState: HardState;
  /** Whether the entry, or a snapshot that stands for it, is there. */
  holds(index: LogIndex, term: Term): boolean;
}

/** A node of this life, as last seen. */
export interface NodeView {
  readonly core: Readonly<RaftState>;
  /** The log, from the entry after `base` on. */
  log: Entry[];
  base: LogIndex;
  term: Term;
  votedFor: NodeId | null;
  /** The term that it led when last seen; 0: none. */
  ledTerm: Term;
  commitIndex: LogIndex;
  snapshotIndex: LogIndex;
  steps: number;
  /** The core's own laws, after every step. */
  readonly laws: LawWatch;
}

/** Beside what each step has changed, the whole state is looked at again at every so manieth. */
const wholeEvery = 32;

export class Observer {
  /** Committed, as the first node that knew it had it. */
  readonly committed: Entry[] = [];
  /** The term in which each of them was committed. */
  readonly #committedIn: Term[] = [];
  /** Where configurations stand among them. */
  lastConfigurationIndex: LogIndex = 0;
  configurations = 0;
  elections = 0;
  maxTerm: Term = 0;
  readonly #nodes = new Map<NodeId, NodeView>();
  readonly #images = new Map<NodeId, DurableImage>();
  readonly #leaders = new Map<Term, NodeId>();
  /** Log Matching by induction: every entry that was ever in a log, by index, and the term before it. */
  readonly #entries: { readonly entry: Entry; readonly previousTerm: Term }[][] = [];
  readonly #situations: Situations;
  /** Where disks may lose what they called durable, only what rests on term and vote is promised. */
  readonly #strictOnly: boolean;

  constructor(situations: Situations, strictOnly: boolean) {
    this.#situations = situations;
    this.#strictOnly = strictOnly;
  }

  /** A life of a node begins. */
  watch(core: Readonly<RaftState>): void {
    const view: NodeView = {
      core,
      log: [],
      base: core.log.baseIndex,
      term: core.hardState.currentTerm,
      votedFor: core.hardState.votedFor,
      ledTerm: 0,
      commitIndex: core.log.baseIndex,
      snapshotIndex: core.snapshot?.index ?? 0,
      steps: 0,
      laws: watchLaws(core),
    };
    this.#nodes.set(core.id, view);
    this.#append(view, core.log.entries);
    this.#checkCommit(view);
  }

  forget(id: NodeId): void {
    this.#nodes.delete(id);
  }

  view(id: NodeId): NodeView | undefined {
    return this.#nodes.get(id);
  }

  /** Disks outlive the lives of their nodes. */
  addDisk(id: NodeId, disk: DurableImage): void {
    this.#images.set(id, disk);
  }

  image(id: NodeId): DurableImage | undefined {
    return this.#images.get(id);
  }

  /** After each step of a node. */
  check(event: Event, update: Update, core: Readonly<RaftState>): void {
    const view = this.#nodes.get(core.id);
    if (view?.core !== core) return;
    this.#checkLog(view, update);
    this.#checkRole(view, event, update);
    if (core.commitIndex !== view.commitIndex) this.#checkCommit(view);
    this.#checkOrder(view);
    checkBounds(core);
    try {
      view.laws.stepped();
      if (++view.steps % wholeEvery === 0) checkState(core);
    } catch (error) {
      throw ownLaw(core.id, error);
    }
  }

  // ---- terms and leaders ----

  #checkRole(view: NodeView, event: Event, update: Update): void {
    const { core } = view;
    const { currentTerm, votedFor } = core.hardState;
    if (update.hardState) {
      law(currentTerm >= view.term, "Monotonic", () => `the term of ${core.id} went back from ${view.term} to ${currentTerm}`);
      if (currentTerm === view.term)
        law(
          view.votedFor === null || view.votedFor === votedFor,
          "One vote a term",
          () => `${core.id} voted for ${view.votedFor}, then for ${votedFor} in term ${currentTerm}`,
        );
      view.term = currentTerm;
      view.votedFor = votedFor;
    }
    const led = view.ledTerm;
    view.ledTerm = core.role.kind === "leader" ? currentTerm : 0;
    if (view.ledTerm !== 0 && led !== currentTerm) this.#checkNewLeader(view);
    if (core.role.kind === "leader" && event.kind === "receive") {
      const progress = core.role.progress.get(event.message.from);
      if (progress && event.message.kind !== "propose")
        law(
          progress.matchIndex < progress.nextIndex && progress.matchIndex <= lastIndex(core.log),
          "State ordering",
          () => `${core.id}: progress of ${event.message.from} is ${progress.matchIndex}, ${progress.nextIndex}`,
        );
    }
    if (led !== 0 && view.ledTerm === 0 && led === currentTerm && !isVoter(configurationInForce(core.log).configuration, core.id))
      this.#situations.reach("leader removed itself");
  }

  #checkNewLeader({ core }: NodeView): void {
    const { currentTerm } = core.hardState;
    const known = this.#leaders.get(currentTerm);
    law(
      known === undefined || known === core.id,
      "Election Safety",
      () => `${known} and ${core.id} both lead term ${currentTerm}`,
    );
    if (known === undefined) this.elections++;
    this.#leaders.set(currentTerm, core.id);
    this.maxTerm = Math.max(this.maxTerm, currentTerm);
    if (isJoint(configurationInForce(core.log).configuration)) this.#situations.reach("election in a joint configuration");
    for (const other of this.#nodes.values())
      if (other.ledTerm !== 0 && other.ledTerm < currentTerm) this.#situations.reach("two leaders of different terms at once");
    // Votes that come late may make a leader of a term that is past already: it need not have what was committed since (§5.4.3).
    let count = this.committed.length;
    while (count > 0 && (this.#committedIn[count - 1] ?? 0) >= currentTerm) count--;
    const last = this.committed[count - 1];
    if (!last || this.#strictOnly) return;
    const term = termAt(core.log, last.index);
    law(
      term === last.term || (term === null && last.index <= core.log.baseIndex),
      "Leader Completeness",
      () => `${core.id} leads term ${currentTerm} without entry ${last.index}@${last.term}`,
    );
  }

  // ---- the log ----

  #checkLog(view: NodeView, update: Update): void {
    const { core } = view;
    const { truncateFrom, entries } = update;
    if (truncateFrom !== null) this.#truncate(view, truncateFrom);
    if (update.restore) {
      if (view.base + view.log.length > update.restore.index) this.#situations.reach("snapshot in place of a longer log");
      view.log = [];
      view.base = core.log.baseIndex;
    }
    if (core.log.baseIndex !== view.base) this.#followBase(view);
    if (entries.length > 0) this.#append(view, entries);
    law(
      lastIndex(core.log) === view.base + view.log.length && core.log.entries.at(-1) === view.log.at(-1),
      "Log Matching",
      () =>
        `the log of ${core.id} ends at ${lastIndex(core.log)}, but what it asked the disk for at ${view.base + view.log.length}`,
    );
  }

  #truncate(view: NodeView, from: LogIndex): void {
    const { core } = view;
    law(
      view.ledTerm === 0 || view.ledTerm !== core.hardState.currentTerm || core.role.kind !== "leader",
      "Leader Append-Only",
      () => `${core.id} truncated from ${from} while it led term ${view.ledTerm}`,
    );
    law(
      from > view.commitIndex,
      "State Machine Safety",
      () => `${core.id} truncated from ${from}, yet committed ${view.commitIndex}`,
    );
    const first = view.log[from - view.base - 1];
    if (first && this.#isOnMajority(view, first)) this.#situations.reach("entry on a majority, overwritten (Figure 8)");
    view.log.length = Math.min(view.log.length, from - view.base - 1);
  }

  #isOnMajority({ core }: NodeView, entry: Entry): boolean {
    return isHeldByQuorum(configurationInForce(core.log).configuration, (id) => this.#holds(id, entry));
  }

  #holds(id: NodeId, { index, term }: Entry): boolean {
    return this.#images.get(id)?.holds(index, term) ?? false;
  }

  /** Compaction drops what is committed; a snapshot from elsewhere takes the place of everything. */
  #followBase(view: NodeView): void {
    const { core } = view;
    const { baseIndex, baseTerm } = core.log;
    law(baseIndex > view.base, "Monotonic", () => `${core.id} has again what it had compacted away`);
    law(baseIndex <= core.commitIndex, "State ordering", () => `${core.id} compacted beyond its commit`);
    if (baseIndex === lastIndex(core.log)) this.#situations.reach("compaction through the last entry");
    view.log = view.log.slice(baseIndex - view.base);
    view.base = baseIndex;
    const known = this.committed[baseIndex - 1];
    if (!this.#strictOnly)
      law(
        known?.term === baseTerm,
        "State Machine Safety",
        () => `${core.id} has term ${baseTerm} at ${baseIndex}, not ${known?.term}`,
      );
  }

  /** Two logs with an entry of one index and term are the same through it: the entries are equal, and so are those before. */
  #append(view: NodeView, entries: readonly Entry[]): void {
    const { core } = view;
    for (const entry of entries) {
      const previousTerm = view.log.length > 0 ? (view.log[view.log.length - 1]?.term ?? 0) : core.log.baseTerm;
      law(
        entry.index === view.base + view.log.length + 1,
        "Log Matching",
        () => `${core.id} put entry ${entry.index} behind ${view.base + view.log.length}`,
      );
      view.log.push(entry);
      this.#match(core.id, entry, previousTerm);
      if (entry.kind === "configuration" && core.role.kind === "leader" && entry.term === core.hardState.currentTerm)
        checkChange(core, entry);
    }
  }

  #match(id: NodeId, entry: Entry, previousTerm: Term): void {
    const known = this.#entries[entry.index];
    if (!known) {
      while (this.#entries.length < entry.index) this.#entries.push([]);
      this.#entries[entry.index] = [{ entry, previousTerm }];
      return;
    }
    for (const other of known) {
      if (other.entry.term !== entry.term || this.#strictOnly) continue;
      law(
        other.previousTerm === previousTerm && sameEntry(other.entry, entry),
        "Log Matching",
        () => `${id} has another entry ${entry.index}@${entry.term} than was seen before, or another before it`,
      );
      return;
    }
    known.push({ entry, previousTerm });
  }

  // ---- commit ----

  #checkCommit(view: NodeView): void {
    const { core } = view;
    law(
      core.commitIndex >= view.commitIndex,
      "Monotonic",
      () => `the commitIndex of ${core.id} went back from ${view.commitIndex} to ${core.commitIndex}`,
    );
    const isNews = core.commitIndex > this.committed.length;
    let ofEarlierTerms = 0;
    for (let index = Math.max(view.commitIndex, core.log.baseIndex) + 1; index <= core.commitIndex; index++) {
      const entry = core.log.entries[index - core.log.baseIndex - 1];
      law(entry !== undefined, "State ordering", () => `${core.id} committed ${index}, which it does not have`);
      if (entry.term < core.hardState.currentTerm) ofEarlierTerms++;
      this.#committedHere(core, entry);
    }
    if (core.role.kind === "leader" && ofEarlierTerms >= 2)
      this.#situations.reach("entries of earlier terms committed through a later one");
    if (view.ledTerm !== 0)
      law(
        termAt(core.log, core.commitIndex) === core.hardState.currentTerm,
        "Commit by its own term",
        () =>
          `${core.id}, leader of term ${core.hardState.currentTerm}, counted replicas of ${core.commitIndex}, of an earlier term (§5.4.2)`,
      );
    view.commitIndex = core.commitIndex;
    if (isNews && !this.#strictOnly) this.#checkDurable(core);
  }

  #committedHere(core: Readonly<RaftState>, entry: Entry): void {
    const known = this.committed[entry.index - 1];
    if (!known) {
      law(
        entry.index === this.committed.length + 1 || this.#strictOnly,
        "State Machine Safety",
        () => `${core.id} committed ${entry.index} before ${this.committed.length + 1} was`,
      );
      if (entry.index === this.committed.length + 1) {
        this.committed.push(entry);
        this.#committedIn.push(core.hardState.currentTerm);
      }
      if (entry.kind !== "configuration") return;
      this.lastConfigurationIndex = entry.index;
      this.configurations++;
    } else if (!this.#strictOnly)
      law(
        known.term === entry.term,
        "State Machine Safety",
        () => `${core.id} committed ${entry.index}@${entry.term}, another ${known.index}@${known.term}`,
      );
  }

  /** Committed means: durable, at this moment, on a majority of each half of the configuration that counted. */
  #checkDurable(core: Readonly<RaftState>): void {
    const entry = this.committed.at(-1);
    if (!entry) return;
    const { configuration } = configurationInForce(core.log);
    law(
      isHeldByQuorum(configuration, (id) => this.#holds(id, entry)),
      "Committed on a durable quorum",
      () =>
        `${core.id} committed ${entry.index}@${entry.term}, durable on ${[...this.#images.keys()].filter((id) => this.#holds(id, entry)).join(" ")} only`,
    );
  }

  #checkOrder(view: NodeView): void {
    const { core } = view;
    const snapshotIndex = core.snapshot?.index ?? 0;
    if (core.log.baseIndex <= snapshotIndex && snapshotIndex <= core.commitIndex && core.commitIndex <= lastIndex(core.log)) {
      law(snapshotIndex >= view.snapshotIndex, "Monotonic", () => `${core.id} went back to the snapshot of ${snapshotIndex}`);
      view.snapshotIndex = snapshotIndex;
      return;
    }
    throw new LawBroken(
      "State ordering",
      `${core.id}: base ${core.log.baseIndex}, snapshot ${snapshotIndex}, commit ${core.commitIndex}, last ${lastIndex(core.log)}`,
    );
  }

  /** Who leads the latest term, by its own account. */
  leader(): NodeId | null {
    let best: NodeView | null = null;
    for (const view of this.#nodes.values())
      if (view.core.role.kind === "leader" && (!best || view.core.hardState.currentTerm > best.core.hardState.currentTerm))
        best = view;
    return best?.core.id ?? null;
  }
}

function watchLaws(core: Readonly<RaftState>): LawWatch {
  try {
    return new LawWatch(core);
  } catch (error) {
    throw ownLaw(core.id, error);
  }
}

/** A law of one record, named as one of a run. */
function ownLaw(id: NodeId, error: unknown): unknown {
  return error instanceof AssertionFailed ? new LawBroken("Laws of a state", `${id}: ${error.message}`) : error;
}

function sameEntry(a: Entry, b: Entry): boolean {
  if (a === b) return true;
  if (a.kind === "command" && b.kind === "command")
    return a.command.length === b.command.length && a.command.every((byte, at) => byte === b.command[at]);
  if (a.kind === "configuration" && b.kind === "configuration")
    return JSON.stringify(a.configuration) === JSON.stringify(b.configuration);
  return a.kind === b.kind;
}
