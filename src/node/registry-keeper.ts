/** Keeps the device's registry true of a running node, and this device free of what nodes left that are members no more. */
import type { MapValue } from "../document/types.ts";
import type { RaftMetrics } from "../driver/metrics.ts";
import type { LogIndex, NodeId } from "../raft/types.ts";
import { deleteNodeDatabase } from "../storage/node-database.ts";
import type { Registry } from "../storage/registry.ts";
import { type LocksLike, lockNode } from "./identity.ts";
import type { OpenedNode } from "./open.ts";

export interface RegistryKeeperOptions {
  readonly registry: Registry;
  readonly locks: LocksLike;
  /** The room, as its public topic, and what stands behind `#` in its link. */
  readonly topic: string;
  readonly secret: string;
  readonly nodeId: NodeId;
  metrics(): RaftMetrics | null;
  /** What a person would know it by. */
  room(): { readonly title: string; readonly name: string };
  /** What the node takes on the disk. */
  bytes(): number;
  /** Milliseconds since the epoch. */
  now(): number;
  tell(text: string): void;
}

/** That of the node which was opened. The title is what the document's map says of it. */
export function createKeeper(
  { registry, keys, secret, identity, storage }: OpenedNode,
  edges: Pick<RegistryKeeperOptions, "metrics" | "tell"> & { room(): { readonly title: MapValue; readonly name: string } },
): RegistryKeeper {
  return new RegistryKeeper({
    registry,
    locks: navigator.locks,
    topic: keys.topic,
    secret,
    nodeId: identity.nodeId,
    metrics: edges.metrics,
    room: () => {
      const { title, name } = edges.room();
      return { title: typeof title === "string" ? title : "", name };
    },
    bytes: () => storage.bytes,
    now: () => Date.now(),
    tell: edges.tell,
  });
}

export class RegistryKeeper {
  readonly #options: RegistryKeeperOptions;
  #noted = "";
  #tidiedAt: LogIndex | null = null;
  #working = false;

  constructor(options: RegistryKeeperOptions) {
    this.#options = options;
  }

  /** To be called now and then. */
  turn(): void {
    const metrics = this.#options.metrics();
    if (metrics === null || this.#working) return;
    this.#working = true;
    this.#note(metrics)
      .then(() => this.#tidy(metrics))
      .catch((error: Error) => this.#options.tell(`The list of documents on this device was not updated: ${error.message}`))
      .finally(() => {
        this.#working = false;
      });
  }

  /** So that a tab which opens the room later knows which of the nodes here to take, and the home page what there is. */
  async #note(metrics: RaftMetrics): Promise<void> {
    const { registry, topic, secret, nodeId } = this.#options;
    const { title, name } = this.#options.room();
    const { currentTerm: lastTerm, lastLogIndex: lastIndex, membershipConfig, membershipIndex } = metrics;
    const isVoter = membershipConfig.voters.includes(metrics.id);
    const note = JSON.stringify([lastTerm, lastIndex, isVoter, membershipIndex, title, name]);
    if (note === this.#noted) return;
    this.#noted = note;
    const here = new Set((await registry.nodes(topic)).map(({ id }) => id));
    const isOnlyCopy = membersOf(metrics).every((id) => here.has(id));
    const lastUse = this.#options.now();
    await registry.touchNode(nodeId, { lastTerm, lastIndex, isVoter, lastUse, isOnlyCopy, bytes: this.#options.bytes() });
    await registry.putRoom({ topic, secret, title, name, lastUse });
  }

  /**
   * Once for each configuration that is known to be committed: nodes of this room on this device that are no members and that no tab runs have
   * nothing that the cluster lacks, also those that were set aside.
   */
  async #tidy(metrics: RaftMetrics): Promise<void> {
    const { membershipIndex, membershipConfig, commitIndex, currentLeader, stopped } = metrics;
    const isSettled = membershipIndex <= commitIndex && membershipConfig.votersOld.length === 0 && currentLeader !== null;
    const members = new Set(membersOf(metrics));
    if (stopped || !isSettled || !members.has(metrics.id) || membershipIndex === this.#tidiedAt) return;
    this.#tidiedAt = membershipIndex;
    const { registry, topic } = this.#options;
    for (const { id } of await registry.nodes(topic)) if (!members.has(id)) await this.#remove(id);
  }

  async #remove(id: NodeId): Promise<void> {
    const { registry, locks, topic } = this.#options;
    const held = await lockNode(locks, topic, id);
    if (held === null) return;
    try {
      await deleteNodeDatabase(topic, id);
      await registry.removeNode(id);
      this.#options.tell(`What node ${id.slice(0, 6)} had left on this device was removed: it is a member no more.`);
    } finally {
      await held.release();
    }
  }
}

function membersOf({ membershipConfig: { voters, votersOld, learners } }: RaftMetrics): readonly NodeId[] {
  return [...voters, ...votersOld, ...learners];
}
