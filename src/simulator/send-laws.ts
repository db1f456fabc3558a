/** "Send after durable": what a message says of its sender must be true after a crash that comes now; and what passing messages tell. */
import { lastIndex, termAt } from "../raft/mod.ts";
import type { AppendEntriesResponse, Message, RelayEntries } from "../raft/types.ts";
import { law } from "./law.ts";
import type { Observer } from "./observer.ts";

export function checkSend(observer: Observer, message: Message): void {
  const disk = observer.image(message.from);
  if (!disk) return;
  const { currentTerm, votedFor } = disk.hardState;
  const preVote = message.kind === "requestVote" && message.preVote;
  law(
    preVote || currentTerm >= message.term,
    "Send after durable",
    () => `${message.from} sent ${message.kind} of term ${message.term}, its disk knows ${currentTerm}`,
  );
  if (message.kind === "requestVote" && !message.preVote && currentTerm === message.term)
    law(votedFor === message.from, "Send after durable", () => `${message.from} asked for votes before its own was durable`);
  if (message.kind === "requestVoteResponse" && !message.preVote && message.voteGranted && currentTerm === message.term)
    law(
      votedFor === message.to,
      "Send after durable",
      () => `${message.from} granted ${message.to} a vote before it was durable`,
    );
  if (message.kind === "appendEntriesResponse" && message.success) checkAcknowledgement(observer, message);
  if (message.kind === "relayEntries") checkRelay(observer, message);
}

/** By what the whole cluster knows to be committed, and by what its sender does. */
function checkRelay(observer: Observer, { from, to, term, entries }: RelayEntries): void {
  const core = observer.view(from)?.core;
  if (!core) return;
  law(
    term <= core.hardState.currentTerm,
    "Relay what is committed",
    () => `${from} relayed in term ${term}, which it has not entered`,
  );
  for (const entry of entries)
    law(
      entry.index <= core.commitIndex && observer.committed[entry.index - 1]?.term === entry.term,
      "Relay what is committed",
      () => `${from} relayed ${entry.index}@${entry.term} to ${to}, and has committed ${core.commitIndex}`,
    );
}

function checkAcknowledgement(observer: Observer, { from, matchIndex }: AppendEntriesResponse): void {
  const core = observer.view(from)?.core;
  if (!core || matchIndex === 0 || matchIndex > lastIndex(core.log)) return;
  const term = termAt(core.log, matchIndex);
  if (term === null) return;
  law(
    observer.image(from)?.holds(matchIndex, term) ?? false,
    "Send after durable",
    () => `${from} acknowledged ${matchIndex}@${term} before it was durable`,
  );
}
