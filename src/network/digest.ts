/** DESIGN: what a node tells the others about itself, beside the log. The dashboard and the autopilot read it; safety never does. */
import type { Generation, LogIndex, Millis, NodeId, RoleName, Term } from "../raft/types.ts";

export interface Digest {
  readonly id: NodeId;
  /** What a person calls this tab; 1 to 40 characters. */
  readonly name: string;
  /** Equal for all tabs of one browser profile: they fail together. 32 lower-case hexadecimal digits. */
  readonly device: string;
  readonly visible: boolean;
  readonly role: RoleName;
  readonly term: Term;
  readonly leader: NodeId | null;
  readonly lastLogIndex: LogIndex;
  readonly commitIndex: LogIndex;
  readonly lastApplied: LogIndex;
  readonly storageOk: boolean;
  /** `null`: pristine. */
  readonly generation: Generation | null;
  /** Whether a majority of the voters answers, as far as it knows. */
  readonly quorum: boolean;
}

/** One line of the peer list. */
export interface PeerStatus {
  readonly id: NodeId;
  readonly connected: boolean;
  /** Smoothed; `null` before the first answer. */
  readonly roundTripMs: Millis | null;
  /** Since anything authentic arrived; `null` if nothing ever did. */
  readonly lastContactMs: Millis | null;
  /** Signaling, which answers, does not know it any more, and no connection to it is left: its tab is gone, or without network. */
  readonly gone: boolean;
  readonly digest: Digest | null;
}
