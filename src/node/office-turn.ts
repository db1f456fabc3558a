/** Asks the rule of the office, on the leader, twice a second, and hands over if it says so. */
import { handOverTo } from "../autopilot/office.ts";
import type { RaftMetrics } from "../driver/metrics.ts";
import type { PeerStatus } from "../network/digest.ts";
import type { Millis, NodeId } from "../raft/types.ts";

const changesKept = 8;

export interface OfficeTurnOptions {
  metrics(): RaftMetrics;
  peers(): readonly PeerStatus[];
  now(): Millis;
  visible(): boolean;
  transfer(to: NodeId): Promise<void>;
  tell(text: string): void;
}

export class OfficeTurn {
  readonly #options: OfficeTurnOptions;
  readonly #visibleSince = new Map<NodeId, Millis>();
  #hiddenSince: Millis | null = null;
  #leader: NodeId | null = null;
  #changes: Millis[] = [];
  #busy = false;

  constructor(options: OfficeTurnOptions) {
    this.#options = options;
  }

  turn(): void {
    const { now, visible, peers, metrics } = this.#options;
    const at = now();
    const known = metrics();
    this.#hiddenSince = visible() ? null : (this.#hiddenSince ?? at);
    for (const { id, digest, connected } of peers()) {
      if (!connected || digest?.visible !== true) this.#visibleSince.delete(id);
      else if (!this.#visibleSince.has(id)) this.#visibleSince.set(id, at);
    }
    this.#countChanges(known.currentLeader, at);
    if (known.state === "leader" && known.stopped === null && !this.#busy) this.#ask(known, at);
  }

  #countChanges(leader: NodeId | null, at: Millis): void {
    if (leader === null || leader === this.#leader) return;
    // The first that is seen is no change.
    if (this.#leader !== null) this.#changes = [...this.#changes.slice(1 - changesKept), at];
    this.#leader = leader;
  }

  #ask({ id, membershipConfig, replication, lastLogIndex }: RaftMetrics, at: Millis): void {
    const { peers, transfer, tell } = this.#options;
    const present = peers();
    const to = handOverTo({
      hiddenMs: this.#hiddenSince === null ? null : at - this.#hiddenSince,
      changesAgoMs: this.#changes.map((change) => at - change),
      lastLogIndex,
      voters: membershipConfig.voters
        .filter((voter) => voter !== id)
        .map((voter) => {
          const since = this.#visibleSince.get(voter);
          return {
            id: voter,
            connected: present.some((peer) => peer.id === voter && peer.connected),
            visibleMs: since === undefined ? null : at - since,
            matchIndex: replication.find((progress) => progress.id === voter)?.matchIndex ?? null,
          };
        }),
    });
    if (to === null) return;
    this.#busy = true;
    transfer(to)
      .then(() => tell("This tab is hidden: the office went to a tab that somebody looks at."))
      .catch((error: Error) => tell(`This tab is hidden, and the office stays here: ${error.message}.`))
      .finally(() => {
        this.#busy = false;
      });
  }
}
