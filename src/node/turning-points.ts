/** Reads from the steps of the core why something happened: what an election came from, why a vote was refused, what was truncated. */
import { lastIndex, lastTerm, type RaftState } from "../raft/mod.ts";
import type { Event, NodeId, RequestVote, Update } from "../raft/types.ts";
import type { NodeEvent } from "./protocol.ts";

interface Remembered {
  readonly kind: RaftState["role"]["kind"];
  readonly term: number;
  readonly votedFor: NodeId | null;
  readonly leader: NodeId | null;
  /** When that leader was last heard, or the role began. */
  readonly since: number;
  readonly lastIndex: number;
}

export class TurningPoints {
  readonly #nameOf: (id: NodeId) => string;
  readonly #tell: (kind: NodeEvent["kind"], text: string) => void;
  #before: Remembered | null = null;
  /** Leaderless already, and said so: a node that is cut off asks again and again. */
  #toldSilence = false;

  constructor(nameOf: (id: NodeId) => string, tell: (kind: NodeEvent["kind"], text: string) => void) {
    this.#nameOf = nameOf;
    this.#tell = tell;
  }

  /** After each step of the core. */
  onStep(event: Event, update: Update, core: Readonly<RaftState>): void {
    const before = this.#before;
    if (before) {
      this.#campaign(before, core);
      this.#deposed(before, event, core);
      if (event.kind === "receive" && event.message.kind === "requestVote") this.#vote(before, event.message, update, core);
      this.#log(before, event, update, core);
    }
    if (!before || hasTurned(before, core)) this.#remember(core);
    else if (core.role.kind === "follower" && core.role.leaderContact !== before.since) this.#remember(core);
  }

  #remember(core: Readonly<RaftState>): void {
    const { role, hardState } = core;
    const leader = role.kind === "follower" ? role.leader : null;
    if (leader !== null || role.kind === "leader") this.#toldSilence = false;
    const known = this.#before;
    const kept = known !== null && known.kind === role.kind && leader === known.leader ? known.since : core.now;
    this.#before = {
      kind: role.kind,
      term: hardState.currentTerm,
      votedFor: hardState.votedFor,
      leader,
      since: role.kind === "follower" && leader !== null ? role.leaderContact : kept,
      lastIndex: lastIndex(core.log),
    };
  }

  #campaign(before: Remembered, { role, hardState, now, config }: Readonly<RaftState>): void {
    if (role.kind !== "candidate") return;
    const term = hardState.currentTerm;
    if (role.preVote) {
      if (before.kind === "candidate" || this.#toldSilence) return;
      this.#toldSilence = true;
      return this.#tell(
        "election",
        `${silence(before, now, config.electionTimeoutMinMs, this.#nameOf)}: asking whether term ${term + 1} could be won.`,
      );
    }
    if (term === before.term) return;
    if (role.leadershipTransfer && before.leader !== null)
      this.#tell("election", `${this.#nameOf(before.leader)} hands over: asking for votes in term ${term}.`);
    else this.#tell("election", `A majority would vote for this tab: asking for votes in term ${term}.`);
  }

  #deposed(before: Remembered, event: Event, { role, hardState, config }: Readonly<RaftState>): void {
    if (before.kind !== "leader" || role.kind === "leader") return;
    const { currentTerm } = hardState;
    if (currentTerm > before.term && event.kind === "receive")
      this.#tell(
        "election",
        `This tab leads no longer: ${this.#nameOf(event.message.from)} is in term ${currentTerm}, later than ${before.term}.`,
      );
    else if (currentTerm === before.term)
      this.#tell(
        "election",
        `This tab leads no longer: no majority answered within ${config.electionTimeoutMaxMs} ms (CheckQuorum).`,
      );
  }

  #vote(before: Remembered, message: RequestVote, update: Update, core: Readonly<RaftState>): void {
    if (message.preVote) return;
    const answer = update.messages.find((sent) => sent.kind === "requestVoteResponse" && sent.to === message.from);
    if (answer?.kind !== "requestVoteResponse") return;
    const who = this.#nameOf(message.from);
    if (answer.voteGranted) return this.#tell("election", `Voted for ${who} in term ${message.term}.`);
    this.#tell("election", `Refused ${who} the vote in term ${message.term}: ${this.#whyRefused(before, message, core)}.`);
  }

  #whyRefused(before: Remembered, message: RequestVote, core: Readonly<RaftState>): string {
    const { votedFor, currentTerm } = core.hardState;
    if (message.term < currentTerm) return `this tab is in term ${currentTerm} already`;
    if (votedFor !== null && votedFor !== message.from)
      return votedFor === core.id ? "this tab votes for itself" : `this tab voted for ${this.#nameOf(votedFor)}`;
    if (message.lastLogTerm < lastTerm(core.log) || message.lastLogIndex < lastIndex(core.log))
      return `its log ends at ${message.lastLogIndex} (term ${message.lastLogTerm}), behind ${lastIndex(core.log)} (term ${lastTerm(core.log)})`;
    return before.leader === null ? "it came too early" : `${this.#nameOf(before.leader)} is heard`;
  }

  #log(before: Remembered, event: Event, update: Update, core: Readonly<RaftState>): void {
    const { truncateFrom, snapshot } = update;
    if (truncateFrom !== null && truncateFrom <= before.lastIndex) {
      const from = event.kind === "receive" ? this.#nameOf(event.message.from) : "the leader";
      const gone = before.lastIndex - truncateFrom + 1;
      this.#tell(
        "log",
        `Truncated ${gone === 1 ? "entry" : "entries"} ${gone === 1 ? truncateFrom : `${truncateFrom} to ${before.lastIndex}`}, never committed: they conflict with the log of ${from}.`,
      );
    }
    if (!snapshot) return;
    const { index, term, size } = snapshot.snapshot;
    const how =
      event.kind === "snapshotTaken"
        ? "Took a snapshot"
        : `Installed a snapshot of ${event.kind === "receive" ? this.#nameOf(event.message.from) : "the leader"}`;
    this.#tell(
      "log",
      `${how} through entry ${index} of term ${term}, ${size} bytes; the log begins at ${core.log.baseIndex + 1}.`,
    );
  }
}

function hasTurned(before: Remembered, { role, hardState, log }: Readonly<RaftState>): boolean {
  return (
    before.kind !== role.kind ||
    before.term !== hardState.currentTerm ||
    before.votedFor !== hardState.votedFor ||
    before.lastIndex !== lastIndex(log) ||
    (role.kind === "follower" && before.leader !== role.leader)
  );
}

/** The cause, without the full stop. */
function silence(before: Remembered, now: number, timeoutMinMs: number, nameOf: (id: NodeId) => string): string {
  const ms = Math.round(now - before.since);
  if (before.leader === null) return `No leader for ${ms} ms`;
  const words = `No heartbeat from ${nameOf(before.leader)} for ${ms} ms`;
  return ms < timeoutMinMs ? `${words}, and a hint that it is gone` : words;
}
