/**
 * One line of words for whatever a core holds, is told or asks for. `n1@2` is node n1 in term 2; `5@2` the entry at index 5 of term 2. The same
 * lines serve transcripts, failure dumps and dashboards.
 */
import { isJoint } from "./configuration.ts";
import { lastIndex, lastTerm, termAt } from "./log.ts";
import type { Progress } from "./progress.ts";
import { configurationOf, leaderOf, type RaftState, roleNameOf } from "./state.ts";
import type { Answer, Configuration, Entry, Event, HardState, LogIndex, Message, Snapshot, Term, Update } from "./types.ts";

// ---- values ----

export function formatPosition(index: LogIndex, term: Term | null): string {
  return `${index}@${term ?? "?"}`;
}

const longestShown = 24;

/** Plain text as it is, anything else by its size. */
export function formatBytes(bytes: Uint8Array): string {
  const isText = bytes.length <= longestShown && bytes.every((byte) => byte >= 0x20 && byte < 0x7f && byte !== 0x22);
  return isText ? `"${String.fromCharCode(...bytes)}"` : `${bytes.length} bytes`;
}

export function formatConfiguration(configuration: Configuration): string {
  const { voters, votersOld, learners } = configuration;
  const parts = [`voters=${voters.join(",")}`];
  if (isJoint(configuration)) parts.push(`votersOld=${votersOld.join(",")}`);
  if (learners.length > 0) parts.push(`learners=${learners.join(",")}`);
  return parts.join(" ");
}

export function formatEntry(entry: Entry): string {
  const position = formatPosition(entry.index, entry.term);
  if (entry.kind === "command") return `${position} ${formatBytes(entry.command)}`;
  return `${position} ${entry.kind === "configuration" ? formatConfiguration(entry.configuration) : "blank"}`;
}

function formatEntries(entries: readonly Entry[]): string {
  return `[${entries.map(formatEntry).join(", ")}]`;
}

// ---- messages ----

export function formatMessage(message: Message): string {
  return `${message.from}@${message.term} → ${message.to} ${formatContent(message)}`;
}

function formatContent(message: Message): string {
  switch (message.kind) {
    case "requestVote": {
      const flags = `${message.preVote ? " preVote" : ""}${message.leadershipTransfer ? " leadershipTransfer" : ""}${message.leaderGone ? " leaderGone" : ""}`;
      return `RequestVote${flags} last=${formatPosition(message.lastLogIndex, message.lastLogTerm)}`;
    }
    case "requestVoteResponse": {
      const flags = `${message.preVote ? " preVote" : ""} for=${message.requestedTerm}`;
      return `RequestVoteResponse${flags} ${message.voteGranted ? "granted" : "refused"}`;
    }
    case "appendEntries": {
      const entries = message.entries.length > 0 ? ` ${formatEntries(message.entries)}` : "";
      const prev = formatPosition(message.prevLogIndex, message.prevLogTerm);
      return `AppendEntries prev=${prev}${entries} commit=${message.leaderCommit} round=${message.round}`;
    }
    case "appendEntriesResponse":
      return message.success
        ? `AppendEntriesResponse match=${message.matchIndex} round=${message.round}`
        : `AppendEntriesResponse refuses=${message.refusedIndex} hint=${formatPosition(message.hintIndex, message.hintTerm)} round=${message.round}`;
    case "propose":
      return `Propose #${message.requestId} ${message.commands.map(formatBytes).join(" ")}`;
    case "proposeResponse":
      return `ProposeResponse #${message.requestId} ${message.refusal ?? `at ${formatPosition(message.firstIndex, message.entriesTerm)}`}`;
    case "readIndex":
      return `ReadIndex #${message.requestId}`;
    case "readIndexResponse":
      return `ReadIndexResponse #${message.requestId} ${message.refusal ?? `index=${message.readIndex}`}`;
    case "installSnapshot": {
      const { snapshot, offset, data } = message;
      const chunk = data.length > 0 ? `bytes=${offset}..${offset + data.length}/${snapshot.size}` : "asks for the offset";
      return `InstallSnapshot ${formatPosition(snapshot.index, snapshot.term)} ${chunk}`;
    }
    case "installSnapshotResponse":
      return `InstallSnapshotResponse ${message.index} offset=${message.offset}`;
    case "timeoutNow":
      return "TimeoutNow";
    case "relayEntries": {
      const entries = message.entries.length > 0 ? ` ${formatEntries(message.entries)}` : "";
      return `RelayEntries prev=${formatPosition(message.prevLogIndex, message.prevLogTerm)}${entries} leader=${message.leader}`;
    }
    case "relayRequest":
      return `RelayRequest commit=${message.commitIndex} match=${message.matchIndex}${message.restart ? " restart" : ""}`;
    case "leaderCheck":
      return `LeaderCheck #${message.checkId}`;
    case "leaderCheckResponse":
      return `LeaderCheckResponse #${message.checkId}`;
  }
}

// ---- events ----

type Untimed = Event extends infer E ? (E extends Event ? Omit<E, "now"> : never) : never;

export function formatEvent(event: Untimed): string {
  switch (event.kind) {
    case "receive":
      return `receive ${formatMessage(event.message)}`;
    case "persisted":
      return `persisted write ${event.write} through ${formatPosition(event.index, event.term)}`;
    case "timeout":
      return "timeout";
    case "propose":
      return `propose #${event.requestId} ${event.commands.map(formatBytes).join(" ")}${event.ifTerm === null ? "" : ` ifTerm=${event.ifTerm}`}`;
    case "read":
      return `read #${event.requestId}`;
    case "changeConfiguration": {
      const { requestId, voters, learners, expectedConfigIndex } = event;
      const expected = expectedConfigIndex === null ? "" : ` expectedConfigIndex=${expectedConfigIndex}`;
      return `changeConfiguration #${requestId} ${formatConfiguration({ voters, votersOld: [], learners })}${expected}`;
    }
    case "initialize":
      return `initialize #${event.requestId} voters=${event.voters.join(",")} generation=${event.generation.number}`;
    case "continueWithoutOthers":
      return `continueWithoutOthers #${event.requestId}`;
    case "snapshotTaken":
      return `snapshotTaken ${event.index} (${event.data.length} bytes)`;
    case "snapshotPersisted":
      return `snapshotPersisted ${formatPosition(event.index, event.term)}`;
    case "transferLeadership":
      return `transferLeadership #${event.requestId} to ${event.to ?? "whoever follows best"}`;
    case "peer":
      return `peer ${event.id} ${event.up ? "up" : "down"}`;
    case "askRelay":
      return `askRelay ${event.to ?? "nobody"}`;
    case "hint":
      return `hint that ${event.id} is gone (round trip ${event.roundTripMs ?? "unknown"})`;
  }
}

// ---- updates ----

export function formatAnswer(answer: Answer): string {
  const request = `#${answer.requestId}`;
  switch (answer.kind) {
    case "proposed":
      return `${request} proposed at ${formatPosition(answer.index, answer.term)}`;
    case "readable":
      return `${request} readable at ${answer.index}`;
    case "refused":
      return `${request} refused: ${answer.refusal}${answer.leader === null ? "" : ` (leader ${answer.leader})`}`;
    case "transferred":
    case "lost":
      return `${request} ${answer.kind}`;
  }
}

function formatSnapshot(snapshot: Snapshot): string {
  const { index, term, configuration, size } = snapshot;
  return `snapshot ${formatPosition(index, term)} ${formatConfiguration(configuration)} (${size} bytes)`;
}

/** Of a history that was begun without a majority; of the first there is nothing to say. */
function formatChild({ generation }: HardState): string {
  return generation?.parentId ? `generation=${generation.number} forkIndex=${generation.forkIndex} ` : "";
}

/** The write of an update, without its snapshot; `null` if there is nothing to write. */
export function formatWrite({
  hardState,
  truncateFrom,
  entries,
}: Pick<Update, "hardState" | "truncateFrom" | "entries">): string | null {
  const parts: string[] = [];
  if (hardState) parts.push(`${formatChild(hardState)}term=${hardState.currentTerm} votedFor=${hardState.votedFor ?? "nobody"}`);
  if (truncateFrom !== null) parts.push(`truncates from ${truncateFrom}`);
  if (entries.length > 0) parts.push(formatEntries(entries));
  return parts.length > 0 ? parts.join(" ") : null;
}

/** One line for each thing that is asked for, in the order in which it must be done; messages by `formatMessage`. */
export function formatUpdate(id: string, update: Update): readonly string[] {
  const lines: string[] = [];
  const write = formatWrite(update);
  if (write !== null) lines.push(`${id} writes ${write}`);
  if (update.snapshot) {
    const { snapshot, compactThrough, reset } = update.snapshot;
    lines.push(
      `${id} writes ${formatSnapshot(snapshot)}, ${reset ? "dropping its log" : `compacting through ${compactThrough}`}`,
    );
  }
  if (update.restore) lines.push(`${id} restores ${formatPosition(update.restore.index, update.restore.term)}`);
  if (update.committed.length > 0) lines.push(`${id} commits ${formatEntries(update.committed)}`);
  for (const answer of update.answers) lines.push(`${id} answers ${formatAnswer(answer)}`);
  return lines;
}

// ---- state ----

/** Who, in which term, in which role: two of these tell a change of role. */
export function formatRole(raft: RaftState): string {
  const { role, id, hardState } = raft;
  const leader = leaderOf(raft);
  const name = role.kind === "candidate" && role.preVote ? "pre-candidate" : roleNameOf(raft);
  return `${id}@${hardState.currentTerm} ${name}${leader === null || leader === id ? "" : ` of ${leader}`}`;
}

/** `match→next`, and what is unusual about it. */
export function formatProgress({ matchIndex, nextIndex, state, transfer, inflight }: Progress): string {
  const range = `${matchIndex}→${nextIndex}`;
  if (transfer) return `${range} snapshot ${transfer.snapshot.index} ${transfer.ackedOffset ?? "?"}/${transfer.snapshot.size}`;
  return `${range}${state === "probe" ? " probe" : ""}${inflight.length > 0 ? ` inflight=${inflight.length}` : ""}`;
}

export function formatState(raft: RaftState): string {
  const { log, role, snapshot, commitIndex, hardState } = raft;
  const parts = [formatRole(raft)];
  if (role.kind !== "leader" && hardState.votedFor !== null) parts.push(`votedFor=${hardState.votedFor}`);
  if (snapshot) parts.push(`snapshot=${formatPosition(snapshot.index, snapshot.term)}`);
  if (log.baseIndex > 0) parts.push(`base=${formatPosition(log.baseIndex, log.baseTerm)}`);
  parts.push(`last=${formatPosition(lastIndex(log), lastTerm(log))}`);
  if (log.durableIndex !== lastIndex(log)) parts.push(`durable=${log.durableIndex}`);
  parts.push(`commit=${formatPosition(commitIndex, termAt(log, commitIndex))}`);
  parts.push(formatConfiguration(configurationOf(raft)));
  if (role.kind === "candidate") {
    const granted = [...role.votes].filter(([, isGranted]) => isGranted).map(([id]) => id);
    parts.push(`votes=${granted.sort().join(",")}`);
  }
  if (role.kind === "leader") for (const [id, progress] of role.progress) parts.push(`${id}:${formatProgress(progress)}`);
  return parts.join(" ");
}
