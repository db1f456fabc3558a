/**
 * Some nodes with a network where messages wait until they are delivered and disks whose writes wait until they are persisted. Nothing
 * happens unless it is asked for; the laws are checked after every step of every node.
 */
import { assert } from "../assert.ts";
import { createConfig, type RaftConfig } from "../config.ts";
import { createConfiguration } from "../configuration.ts";
import { formatRole } from "../format.ts";
import { checkState, checkTransition, summarize } from "../laws.ts";
import { lastIndex, lastTerm, termAt } from "../log.ts";
import { createRaft, deadlineOf, type RaftState } from "../state.ts";
import { step } from "../step.ts";
import type { Entry, Event, Generation, LogIndex, Message, Millis, NodeId, Snapshot, Term, Update, WriteId } from "../types.ts";
import { pristineStored, type Stored, TestDisk } from "./disk.ts";

export type Untimed = Event extends infer E ? (E extends Event ? Omit<E, "now"> : never) : never;

export const testGeneration: Generation = { number: 1, id: "1".repeat(32), parentId: null, forkIndex: 0 };

interface Gated {
  readonly after: WriteId;
  readonly message: Message;
}

export interface TestNode {
  readonly id: NodeId;
  readonly disk: TestDisk;
  core: RaftState;
  /** This node's own clock. */
  now: Millis;
  down: boolean;
  /** Writes become durable at once; else with `persist`. */
  fastDisk: boolean;
  gated: Gated[];
  lastHardStateWrite: WriteId;
  applied: LogIndex;
}

/** What a step did, told after its laws were checked and before its messages leave. */
export interface Stepped {
  readonly node: TestNode;
  readonly event: Untimed;
  readonly update: Update;
  readonly roleBefore: string;
}

export interface ClusterListener {
  stepped(step: Stepped): void;
  sent(message: Message, fate: "waits" | "is lost"): void;
}

const silent: ClusterListener = { stepped: () => undefined, sent: () => undefined };

export class Cluster {
  readonly nodes = new Map<NodeId, TestNode>();
  /** Under way, in the order of sending. */
  waiting: Message[] = [];
  /** "n1 n2": nothing passes from n1 to n2. */
  readonly cut = new Set<string>();
  listener: ClusterListener = silent;
  readonly #config: RaftConfig;
  /** By generation and term. */
  readonly #leaders = new Map<string, NodeId>();
  /** By generation: what a child holds from before its fork is committed there anew. */
  readonly #committed = new Map<string, Map<LogIndex, Entry>>();
  #lives = 0;
  #requests = 0;

  constructor(config: Partial<RaftConfig> = {}) {
    this.#config = createConfig({ snapshotEveryEntries: 0, snapshotEveryBytes: 0, keptEntries: 0, ...config });
  }

  // ---- making nodes ----

  /** `stored`: what its disk holds at the start; without it the node is pristine. */
  add(id: NodeId, stored: Partial<Stored> = {}, config: Partial<RaftConfig> = {}): TestNode {
    const disk = new TestDisk({ ...pristineStored, ...stored });
    const node = { id, disk, now: 0, down: false, fastDisk: true, gated: [], lastHardStateWrite: 0, applied: 0 };
    const whole = { ...node, core: this.#createCore(id, disk, 0, createConfig({ ...this.#config, ...config })) };
    this.nodes.set(id, whole);
    this.#beginLife(whole);
    return whole;
  }

  /** Nodes that were given the same first configuration. */
  addVoters(voters: readonly NodeId[], learners: readonly NodeId[] = []): void {
    const first = firstEntry(voters, learners);
    for (const id of [...voters, ...learners])
      this.add(id, { hardState: { currentTerm: 1, votedFor: null, generation: testGeneration }, entries: [first] });
  }

  #createCore(id: NodeId, disk: TestDisk, now: Millis, config: RaftConfig): RaftState {
    const { hardState, snapshot, baseIndex, baseTerm, entries, commitIndex } = disk.stored;
    const seed = 1000 * ++this.#lives + Number(id.replace(/\D/g, ""));
    return createRaft({
      id,
      config,
      seed,
      now,
      hardState,
      snapshot,
      firstIndex: baseIndex + 1,
      baseTerm,
      entries: [...entries],
      commitIndex,
    });
  }

  #beginLife(node: TestNode): void {
    node.applied = node.core.commitIndex;
    checkState(node.core);
    for (const entry of node.core.log.entries) if (entry.index <= node.core.commitIndex) this.#checkCommitted(node, entry);
  }

  node(id: NodeId): TestNode {
    const node = this.nodes.get(id);
    if (!node) throw new Error(`there is no node ${id}`);
    return node;
  }

  core(id: NodeId): RaftState {
    return this.node(id).core;
  }

  // ---- stepping ----

  /** @throws AssertionFailed if a law does not hold afterwards */
  step(id: NodeId, event: Untimed): Update {
    const node = this.node(id);
    const before = summarize(node.core);
    const roleBefore = formatRole(node.core);
    const update = step(node.core, { ...event, now: node.now } as Event);
    checkState(node.core);
    checkTransition(before, node.core);
    this.#checkCluster(node, update);
    this.listener.stepped({ node, event, update, roleBefore });
    this.#obey(node, update);
    return update;
  }

  #obey(node: TestNode, update: Update): void {
    const { core, disk } = node;
    const end = { index: lastIndex(core.log), term: lastTerm(core.log) };
    if (update.write !== 0) disk.queue.push({ kind: "write", update, end, commitIndex: core.commitIndex });
    if (update.snapshot) disk.queue.push({ kind: "snapshot", write: update.snapshot });
    if (update.hardState) node.lastHardStateWrite = update.write;
    for (const message of update.messages) node.gated.push({ after: node.lastHardStateWrite, message });
    this.#release(node);
    if (node.fastDisk) this.persist(node.id);
  }

  #release(node: TestNode): void {
    while (node.gated[0] && node.gated[0].after <= node.disk.durableWrite) {
      const message = node.gated.shift()?.message;
      if (message) this.send(message);
    }
  }

  /** Completes the writes of a node, the oldest first: `count` of them, or all. */
  persist(id: NodeId, count = Number.POSITIVE_INFINITY): void {
    const node = this.node(id);
    for (let left = count; left > 0 && node.disk.queue.length > 0; left--) {
      const done = node.disk.completeOne();
      this.#release(node);
      if (done.kind === "write")
        this.step(id, { kind: "persisted", write: done.update.write, index: done.end.index, term: done.end.term });
      else this.step(id, { kind: "snapshotPersisted", index: done.write.snapshot.index, term: done.write.snapshot.term });
    }
  }

  // ---- laws of the whole (Figure 3) ----

  #checkCluster(node: TestNode, update: Update): void {
    const { core } = node;
    const term = core.hardState.currentTerm;
    if (core.role.kind === "leader") {
      const office = `${core.hardState.generation?.id} ${term}`;
      assert((this.#leaders.get(office) ?? node.id) === node.id, `Election Safety: two leaders in term ${term}`);
      if (!this.#leaders.has(office)) this.#checkCompleteness(core);
      this.#leaders.set(office, node.id);
    }
    if (update.restore) node.applied = update.restore.index;
    for (const entry of update.committed) {
      assert(entry.index === node.applied + 1, "entries are applied in order, each once");
      node.applied = entry.index;
      this.#checkCommitted(node, entry);
    }
  }

  #committedIn(core: RaftState): Map<LogIndex, Entry> {
    const id = core.hardState.generation?.id ?? "none";
    const committed = this.#committed.get(id) ?? new Map<LogIndex, Entry>();
    this.#committed.set(id, committed);
    return committed;
  }

  #checkCommitted({ id, core }: TestNode, entry: Entry): void {
    const committed = this.#committedIn(core);
    const known = committed.get(entry.index) ?? entry;
    assert(known.term === entry.term && known.kind === entry.kind, `State Machine Safety: ${id} at ${entry.index}`);
    committed.set(entry.index, entry);
  }

  #checkCompleteness(core: RaftState): void {
    for (const { index, term } of this.#committedIn(core).values())
      assert(
        index <= core.log.baseIndex || termAt(core.log, index) === term,
        `Leader Completeness: ${core.id} leads without ${index}@${term}`,
      );
  }

  // ---- network ----

  send(message: Message): void {
    const isCut = this.cut.has(`${message.from} ${message.to}`) || !this.nodes.has(message.to);
    this.listener.sent(message, isCut ? "is lost" : "waits");
    if (!isCut) this.waiting.push(message);
  }

  /** What waits now on the way from and to these; `null`: from or to anybody. */
  take(from: NodeId | null = null, to: NodeId | null = null): readonly Message[] {
    const isMeant = (message: Message): boolean => (from === null || message.from === from) && (to === null || message.to === to);
    const taken = this.waiting.filter(isMeant);
    this.waiting = this.waiting.filter((message) => !isMeant(message));
    return taken;
  }

  deliver(messages: readonly Message[]): void {
    for (const message of messages) {
      const node = this.nodes.get(message.to);
      if (node && !node.down && !this.cut.has(`${message.from} ${message.to}`))
        this.step(message.to, { kind: "receive", message });
    }
  }

  /** Until nothing is under way. */
  settle(): void {
    for (let wave = 0; this.waiting.length > 0; wave++) {
      assert(wave < 1000, "messages come to rest");
      this.deliver(this.take());
    }
  }

  // ---- time ----

  /** This node's clock moves to its deadline. */
  timeout(id: NodeId): Update {
    const node = this.node(id);
    const deadline = deadlineOf(node.core);
    if (deadline !== Number.POSITIVE_INFINITY) node.now = Math.max(node.now, deadline);
    return this.step(id, { kind: "timeout" });
  }

  /** Clocks move on by `ms`, deadlines fire when they are due; nothing is delivered. */
  tick(ms: Millis, ids: readonly NodeId[] = [...this.nodes.keys()]): void {
    for (const id of ids) {
      const node = this.node(id);
      const until = node.now + ms;
      while (!node.down && deadlineOf(node.core) <= until) this.timeout(id);
      node.now = until;
    }
  }

  /** As a living cluster: in steps of 10 ms all that waits is delivered. */
  run(ms: Millis): void {
    for (let passed = 0; passed < ms; passed += 10) {
      this.settle();
      this.tick(10);
    }
    this.settle();
  }

  /** Campaigns with everybody's help until it leads. */
  elect(id: NodeId): void {
    this.outlastLoyalty();
    this.timeout(id);
    this.settle();
    assert(this.core(id).role.kind === "leader", `${id} was to be elected`);
  }

  /** For each follower it is as late as it can be without a timeout of its own: the leader that it heard counts no more. */
  outlastLoyalty(): void {
    for (const node of this.nodes.values()) {
      const { role, config } = node.core;
      if (role.kind !== "follower" || role.leader === null) continue;
      node.now = Math.max(node.now, Math.min(role.leaderContact + config.electionTimeoutMinMs, role.electionDeadline - 1));
    }
  }

  // ---- life and death ----

  crash(id: NodeId): void {
    const node = this.node(id);
    node.down = true;
    node.disk.queue = [];
    node.gated = [];
  }

  restart(id: NodeId): void {
    const node = this.node(id);
    if (!node.down) this.crash(id);
    node.down = false;
    node.disk.durableWrite = 0;
    node.lastHardStateWrite = 0;
    node.core = this.#createCore(id, node.disk, node.now, node.core.config);
    this.#beginLife(node);
  }

  // ---- asking ----

  nextRequest(): number {
    return ++this.#requests;
  }

  propose(id: NodeId, ...commands: readonly string[]): Update {
    const bytes = commands.map((command) => bytesOf(command));
    return this.step(id, { kind: "propose", requestId: this.nextRequest(), commands: bytes, ifTerm: null });
  }

  read(id: NodeId): Update {
    return this.step(id, { kind: "read", requestId: this.nextRequest() });
  }

  change(
    id: NodeId,
    voters: readonly NodeId[],
    learners: readonly NodeId[] = [],
    expectedConfigIndex: LogIndex | null = null,
  ): Update {
    return this.step(id, { kind: "changeConfiguration", requestId: this.nextRequest(), voters, learners, expectedConfigIndex });
  }

  transfer(id: NodeId, to: NodeId | null): Update {
    return this.step(id, { kind: "transferLeadership", requestId: this.nextRequest(), to });
  }

  /** Of what it has applied, `size` bytes long. */
  snapshot(id: NodeId, index: LogIndex, size = 16): Update {
    return this.step(id, { kind: "snapshotTaken", index, data: new Uint8Array(size).fill(index) });
  }

  /** A new generation, named by the node that begins it. */
  continueWithoutOthers(id: NodeId): Update {
    const generationId = id.replace(/\D/g, "").padStart(32, "c");
    return this.step(id, { kind: "continueWithoutOthers", requestId: this.nextRequest(), generationId });
  }

  snapshotOf(id: NodeId): Snapshot | null {
    return this.core(id).snapshot;
  }
}

export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

export function firstEntry(voters: readonly NodeId[], learners: readonly NodeId[] = []): Entry {
  return { kind: "configuration", index: 1, term: 1, configuration: createConfiguration(voters, learners) };
}

/** A log as the paper draws it: the term of each entry. The first entry is the configuration, the others are commands named after their term. */
export function logOfTerms(terms: readonly Term[], voters: readonly NodeId[]): readonly Entry[] {
  return terms.map((term, at) =>
    at === 0 ? { ...firstEntry(voters), term } : { kind: "command", index: at + 1, term, command: bytesOf(`t${term}`) },
  );
}
