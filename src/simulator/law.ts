/** What a run may not break, by name; and what it should come across. */

export const lawNames = [
  "Election Safety",
  "Leader Append-Only",
  "Log Matching",
  "Leader Completeness",
  "Commit by its own term",
  "State Machine Safety",
  "Committed on a durable quorum",
  "Send after durable",
  "Nothing acknowledged is lost",
  "Monotonic",
  "One vote a term",
  "State ordering",
  "One change at a time",
  "Quorum overlap",
  "Exactly once",
  "Linearizable reads",
  "Linearizable edits",
  "Definite errors",
  "Subscription",
  "Identical snapshots",
  "Relay what is committed",
  "Bounded queues",
  "One process an identity",
  "Laws of a state",
  "No throw",
  "Liveness",
  "Stability",
] as const;
export type LawName = (typeof lawNames)[number];

/** A law was broken. */
export class LawBroken extends Error {
  override readonly name = "LawBroken";
  constructor(
    /** Its name: one of `lawNames`, or one of a checker's own. */
    readonly law: string,
    detail = "",
  ) {
    super(detail === "" ? law : `${law}: ${detail}`);
  }
}

export function law(holds: boolean, name: LawName, detail: () => string): asserts holds {
  if (!holds) throw new LawBroken(name, detail());
}

/** Situations that a large batch must have reached, or it has not tested what it says. */
export const situations = [
  "election in a joint configuration",
  "leader removed itself",
  "two leaders of different terms at once",
  "snapshot in place of a longer log",
  "snapshot of a joint configuration",
  "entry on a majority, overwritten (Figure 8)",
  "entries of earlier terms committed through a later one",
  "conflict hint skips a term",
  "read pending across a change of leader",
  "vote refused for the log",
  "vote refused for loyalty",
  "read asked of a deposed leader that has leases",
  "crash between a vote and its answer",
  "crash between the effects of one step",
  "crash while a snapshot is written",
  "compaction through the last entry",
  "session ended, then used",
  "thaw with more than 100 messages waiting",
  "quota failure on a vote",
  "quota failure while appending",
  "channel reset with a snapshot on its way",
  "new identity for a lost disk",
  "identity clash",
  "leadership transferred",
  "repeated command answered from its session",
] as const;
export type Situation = (typeof situations)[number];

/** How often each was reached. */
export class Situations {
  readonly counts: { [name in Situation]?: number } = {};

  reach(name: Situation): void {
    this.counts[name] = (this.counts[name] ?? 0) + 1;
  }
}
