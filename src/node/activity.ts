/** What passes between this node and its peers, summed for a tenth of a second at a time: what a picture can show of it. */
import type { Message, NodeId, Update } from "../raft/types.ts";
import type { ActivityMark, MarkKind } from "./protocol.ts";

const KINDS: { readonly [kind in Exclude<Message["kind"], "appendEntries" | "requestVote" | "requestVoteResponse">]: MarkKind } =
  {
    appendEntriesResponse: "answer",
    propose: "proposal",
    proposeResponse: "answer",
    readIndex: "proposal",
    readIndexResponse: "answer",
    installSnapshot: "snapshot",
    installSnapshotResponse: "answer",
    timeoutNow: "vote",
    relayEntries: "entries",
    relayRequest: "proposal",
    leaderCheck: "heartbeat",
    leaderCheckResponse: "answer",
  } as const;

function kindOf(message: Message): MarkKind {
  switch (message.kind) {
    case "appendEntries":
      return message.entries.length > 0 ? "entries" : "heartbeat";
    case "requestVote":
      return "vote";
    case "requestVoteResponse":
      return message.voteGranted ? "granted" : "refused";
    default:
      return KINDS[message.kind] ?? "answer";
  }
}

export class Activity {
  /** Nobody looks: nothing is counted. */
  watched = false;
  #marks = new Map<string, { peer: NodeId; out: boolean; kind: MarkKind; count: number }>();

  received(message: Message): void {
    if (this.watched) this.#add(message.from, false, kindOf(message));
  }

  sent({ messages }: Update): void {
    if (this.watched) for (const message of messages) this.#add(message.to, true, kindOf(message));
  }

  /** What has passed since the last call. */
  take(): readonly ActivityMark[] {
    if (this.#marks.size === 0) return [];
    const taken = [...this.#marks.values()];
    this.#marks = new Map();
    return taken;
  }

  #add(peer: NodeId, out: boolean, kind: MarkKind): void {
    const key = `${out ? ">" : "<"}${kind} ${peer}`;
    const mark = this.#marks.get(key);
    if (mark) mark.count++;
    else this.#marks.set(key, { peer, out, kind, count: 1 });
  }
}
