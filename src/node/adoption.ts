/**
 * Orphans: three tabs of one browser close and one reopens. It is one voter of three, yet the memory of the other two lies on the same disk. When
 * those that answer are no quorum, the tab runs the free nodes of the room on this device too, in its own worker, over links in memory, until
 * the configuration has shrunk to living tabs. Plain Raft: each node's lock is held and its log is its own. They are handed over to tabs
 * that open, and let go once another device leads, which cannot reach them.
 */
import type { RaftMetrics } from "../driver/metrics.ts";
import type { Millis, NodeId } from "../raft/types.ts";

/** A node that runs here beside the tab's own. */
export interface AdoptedNode {
  readonly id: NodeId;
  metrics(): RaftMetrics | null;
  /** Of a leader: `to` gets a vote if it has none, and then the office. Asked again until it is done. */
  makeLeader(to: NodeId): void;
  /** Ends it, closes its database and frees its lock. */
  release(): Promise<void>;
}

export interface AdoptionOptions {
  metrics(): RaftMetrics;
  /** The nodes of the room that lie on this device and may run, whether or not somebody runs them. */
  nodesHere(): Promise<readonly NodeId[]>;
  /** Takes it, if it is free, and starts it; `null` if it is not. Rejects if its memory cannot be read. */
  take(id: NodeId, onEnded: () => void): Promise<AdoptedNode | null>;
  /** That this tab has adopted nodes, or has none any more: so that a tab which opens knows whom to ask. */
  announce(adopts: boolean): void;
  now(): Millis;
  /** Milliseconds without a leader after which nodes are adopted. */
  readonly afterMs: Millis;
  nameOf(id: NodeId): string;
  tell(text: string): void;
}

/** As long as a tab may take to open with the node that it was given. */
const promiseMs: Millis = 10_000;

export class Adoption {
  readonly #options: AdoptionOptions;
  readonly #adopted = new Map<NodeId, AdoptedNode>();
  readonly #since = new Map<NodeId, Millis>();
  /** Handed over, and when: whoever asked gets it, not this tab again. */
  readonly #promised = new Map<NodeId, Millis>();
  /** Their memory cannot be read: not tried again. */
  readonly #unreadable = new Set<NodeId>();
  #leaderlessSince: Millis | null;
  #busy: Promise<void> | null = null;
  #ended = false;

  constructor(options: AdoptionOptions) {
    this.#options = options;
    this.#leaderlessSince = options.now();
  }

  ids(): readonly NodeId[] {
    return [...this.#adopted.keys()].sort();
  }

  nodes(): Iterable<AdoptedNode> {
    return this.#adopted.values();
  }

  has(id: NodeId): boolean {
    return this.#adopted.has(id);
  }

  /** For how long it has run here; `undefined`: it does not. */
  adoptedMs(id: NodeId): Millis | undefined {
    const since = this.#since.get(id);
    return since === undefined || !this.has(id) ? undefined : this.#options.now() - since;
  }

  /** A few times a second. */
  turn(): void {
    if (this.#busy !== null || this.#ended) return;
    const { now, metrics, afterMs } = this.#options;
    const known = metrics();
    this.#leaderlessSince = leaderHeard(known, afterMs) === null ? (this.#leaderlessSince ?? now()) : null;
    this.#leadOneself(known);
    const useless = this.ids().filter((id) => isUseless(id, known, leaderHeard(known, afterMs), this.#adopted));
    if (useless.length > 0) return this.#do(this.#release(useless, "is let go: it is not needed any more"));
    if (this.#leaderlessSince === null || now() - this.#leaderlessSince < afterMs) return;
    const isPromised = (id: NodeId): boolean => now() - (this.#promised.get(id) ?? Number.NEGATIVE_INFINITY) < promiseMs;
    const wanted = votersOf(known).filter(
      (id) => id !== known.id && !this.has(id) && !isPromised(id) && !this.#unreadable.has(id),
    );
    if (wanted.length > 0) this.#do(this.#adopt(wanted));
  }

  /** A tab opens: it gets one of the nodes here, the one that it ran before if it may. `null`: there is none. */
  async handOver(hint: NodeId | null): Promise<NodeId | null> {
    await this.#busy;
    const id = hint !== null && this.has(hint) ? hint : this.ids()[0];
    if (id === undefined) return null;
    this.#promised.set(id, this.#options.now());
    await this.#release([id], "goes to a tab that has opened");
    return id;
  }

  async end(): Promise<void> {
    this.#ended = true;
    await this.#busy;
    await this.#release(this.ids(), "ends with this tab");
  }

  #do(work: Promise<void>): void {
    this.#busy = work.finally(() => {
      this.#busy = null;
    });
  }

  /** An adopted node reaches nobody but this tab, so it is this tab's own node that leads. */
  #leadOneself({ id: self }: RaftMetrics): void {
    for (const node of this.#adopted.values()) if (node.metrics()?.state === "leader") node.makeLeader(self);
  }

  async #adopt(wanted: readonly NodeId[]): Promise<void> {
    const { nodesHere, take, tell, nameOf, announce } = this.#options;
    const here = await nodesHere().catch((error: Error) => {
      tell(`The nodes on this device could not be listed: ${error.message}.`);
      return [] as readonly NodeId[];
    });
    for (const id of wanted) {
      if (!here.includes(id) || this.#ended) continue;
      const node = await take(id, () => this.#adopted.delete(id)).catch((error: Error) => {
        this.#unreadable.add(id);
        tell(`${nameOf(id)} has no tab and lies on this device, but its memory cannot be read: ${error.message}.`);
        return null;
      });
      if (node === null) continue;
      this.#adopted.set(id, node);
      this.#since.set(id, this.#options.now());
      announce(true);
      tell(`${nameOf(id)} has no tab and lies on this device: this tab runs it too.`);
    }
  }

  async #release(ids: readonly NodeId[], why: string): Promise<void> {
    const { tell, nameOf, announce } = this.#options;
    for (const id of ids) {
      const node = this.#adopted.get(id);
      if (node === undefined) continue;
      this.#adopted.delete(id);
      await node.release();
      tell(`${nameOf(id)}, which this tab ran too, ${why}.`);
    }
    announce(this.#adopted.size > 0);
  }
}

function votersOf({ membershipConfig: { voters, votersOld } }: RaftMetrics): readonly NodeId[] {
  return [...new Set([...voters, ...votersOld])];
}

/** A learner never campaigns, so it names a leader for ever that it hears no more. */
function leaderHeard({ id, currentLeader, leaderContactMs }: RaftMetrics, afterMs: Millis): NodeId | null {
  return currentLeader === id || leaderContactMs === null || leaderContactMs < afterMs ? currentLeader : null;
}

/** No member any more by a committed configuration; or another device leads, which does not reach it. */
function isUseless(id: NodeId, known: RaftMetrics, leader: NodeId | null, adopted: ReadonlyMap<NodeId, AdoptedNode>): boolean {
  const { membershipConfig, membershipIndex, commitIndex } = known;
  if (leader !== null && leader !== known.id && !adopted.has(leader)) return true;
  const isMember = votersOf(known).includes(id) || membershipConfig.learners.includes(id);
  return !isMember && membershipIndex <= commitIndex;
}
