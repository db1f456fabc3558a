/** Asks the autopilot, on the leader, twice a second, and carries out what it says. */
import { decide, type Health } from "../autopilot/policy.ts";
import type { RaftMetrics } from "../driver/metrics.ts";
import type { PeerStatus } from "../network/digest.ts";
import type { LogIndex, Millis, NodeId } from "../raft/types.ts";

export interface PilotOptions {
  readonly device: string;
  metrics(): RaftMetrics;
  peers(): readonly PeerStatus[];
  now(): Millis;
  visible(): boolean;
  change(change: {
    readonly voters: readonly NodeId[];
    readonly learners: readonly NodeId[];
    readonly expectedConfigIndex: LogIndex;
  }): Promise<unknown>;
  /** A decision, and its reason; or why it was refused. */
  tell(text: string): void;
}

export class Pilot {
  readonly #options: PilotOptions;
  #inOfficeSince: Millis | null = null;
  #busy = false;

  constructor(options: PilotOptions) {
    this.#options = options;
  }

  turn(): void {
    const metrics = this.#options.metrics();
    if (metrics.state !== "leader" || metrics.stopped) {
      this.#inOfficeSince = null;
      return;
    }
    this.#inOfficeSince ??= this.#options.now();
    const { membershipConfig: configuration, membershipIndex, commitIndex, id } = metrics;
    if (this.#busy || configuration.votersOld.length > 0 || membershipIndex > commitIndex) return;
    const decision = decide({ self: id, configuration, commitIndex, nodes: this.#nodes(metrics, this.#inOfficeSince) });
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

  #nodes(metrics: RaftMetrics, inOfficeSince: Millis): readonly Health[] {
    const { device, now, peers, visible } = this.#options;
    const inOffice = now() - inOfficeSince;
    const others = peers().map(({ id, connected, lastContactMs, digest }) => ({
      id,
      connected,
      silentMs: Math.min(inOffice, lastContactMs ?? Number.POSITIVE_INFINITY),
      matchIndex: metrics.replication.find((progress) => progress.id === id)?.matchIndex ?? null,
      visible: digest?.visible ?? false,
      device: digest?.device ?? "",
    }));
    const known = new Set([metrics.id, ...others.map(({ id }) => id)]);
    const { voters, learners } = metrics.membershipConfig;
    const unseen = [...voters, ...learners].filter((id) => !known.has(id));
    return [
      { id: metrics.id, connected: true, silentMs: 0, matchIndex: metrics.lastLogIndex, visible: visible(), device },
      ...others,
      ...unseen.map((id) => ({ id, connected: false, silentMs: inOffice, matchIndex: null, visible: false, device: "" })),
    ];
  }
}
