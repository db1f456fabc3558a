/** Watches the peers on every node; on the leader asks the autopilot, twice a second, and carries out what it says. */
import type { Health } from "../autopilot/health.ts";
import { type AutopilotInput, type Change, decide } from "../autopilot/policy.ts";
import { createStability, look, stabilityOf } from "../autopilot/stability.ts";
import type { RaftMetrics } from "../driver/metrics.ts";
import type { PeerStatus } from "../network/digest.ts";
import type { LogIndex, Millis, NodeId } from "../raft/types.ts";

/** What people have decided by hand. */
export interface Wishes {
  readonly on: boolean;
  readonly pinned: readonly NodeId[];
  readonly barred: readonly NodeId[];
}

export interface PilotOptions {
  readonly device: string;
  metrics(): RaftMetrics;
  peers(): readonly PeerStatus[];
  now(): Millis;
  visible(): boolean;
  storageOk(): boolean;
  /** For how long this tab has run that node besides its own; `undefined`: it does not. */
  adoptedMs(id: NodeId): Millis | undefined;
  wishes(): Wishes;
  nameOf(id: NodeId): string;
  change(change: Change & { readonly expectedConfigIndex: LogIndex }): Promise<unknown>;
  /** A decision, and its reason; or why it was refused. */
  tell(text: string): void;
}

export class Pilot {
  readonly #options: PilotOptions;
  readonly #stability = createStability();
  readonly #startedAt: Millis;
  #inOfficeSince: Millis | null = null;
  #busy = false;

  constructor(options: PilotOptions) {
    this.#options = options;
    this.#startedAt = options.now();
  }

  turn(): void {
    const { metrics: read, now, peers } = this.#options;
    const metrics = read();
    look(this.#stability, now(), peers());
    if (metrics.state !== "leader" || metrics.stopped) {
      this.#inOfficeSince = null;
      return;
    }
    this.#inOfficeSince ??= now();
    const { membershipConfig: configuration, membershipIndex, commitIndex } = metrics;
    if (this.#busy || configuration.votersOld.length > 0 || membershipIndex > commitIndex) return;
    if (!this.#options.wishes().on) return;
    const decision = decide(this.input());
    if (!decision) return;
    this.#busy = true;
    this.#options
      .change({ voters: decision.voters, learners: decision.learners, expectedConfigIndex: membershipIndex })
      .then(() => this.#options.tell(decision.reason))
      .catch((error: Error) => this.#options.tell(`A change of the voters was not made: ${error.message}.`))
      .finally(() => {
        this.#busy = false;
      });
  }

  /** What this node knows, as the policy wants it. Of use to a leader. */
  input(): AutopilotInput {
    const { wishes, nameOf } = this.#options;
    const metrics = this.#options.metrics();
    const { pinned, barred } = wishes();
    const { membershipConfig: configuration, commitIndex, id } = metrics;
    return { self: id, configuration, commitIndex, nodes: this.#nodes(metrics), pinned, barred, nameOf };
  }

  #nodes(metrics: RaftMetrics): readonly Health[] {
    return this.#seen(metrics).map((node) => {
      const adoptedMs = this.#options.adoptedMs(node.id);
      return adoptedMs === undefined ? node : { ...node, adoptedMs };
    });
  }

  #seen(metrics: RaftMetrics): readonly Health[] {
    const { device, now, peers, visible, storageOk } = this.#options;
    const at = now();
    const inOffice = at - (this.#inOfficeSince ?? at);
    const others = peers().map(
      ({ id, connected, lastContactMs, digest }): Health => ({
        id,
        connected,
        silentMs: Math.min(inOffice, lastContactMs ?? Number.POSITIVE_INFINITY),
        matchIndex: metrics.replication.find((progress) => progress.id === id)?.matchIndex ?? null,
        visible: digest?.visible ?? false,
        device: digest?.device ?? "",
        storageOk: digest?.storageOk ?? true,
        ...stabilityOf(this.#stability, id, at),
      }),
    );
    const known = new Set([metrics.id, ...others.map(({ id }) => id)]);
    const { voters, learners } = metrics.membershipConfig;
    const unseen = [...voters, ...learners].filter((id) => !known.has(id));
    const self = { id: metrics.id, connected: true, silentMs: 0, goneMs: null, breaks: 0, stableMs: at - this.#startedAt };
    return [
      { ...self, matchIndex: metrics.lastLogIndex, visible: visible(), device, storageOk: storageOk() },
      ...others,
      ...unseen.map((id) => ({
        ...{ id, connected: false, silentMs: inOffice, matchIndex: null, visible: false, device: "", storageOk: true },
        ...stabilityOf(this.#stability, id, at),
      })),
    ];
  }
}
