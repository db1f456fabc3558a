/**
 * Log compaction and InstallSnapshot (§7): taken by each node for itself, sent in chunks to a follower whose next entry was compacted away.
 * A transfer that was interrupted, by a lost connection or a change of leader, goes on where the follower stopped.
 */
import { assert } from "./assert.ts";
import { advanceCommit } from "./commit.ts";
import { crc32c } from "./crc32c.ts";
import { envelope } from "./envelope.ts";
import { acknowledge, followLeader } from "./follower.ts";
import { compact, configurationAt, resetTo, termAt } from "./log.ts";
import type { Outbox } from "./outbox.ts";
import { becomeSnapshot, type Progress, type SnapshotTransfer } from "./progress.ts";
import type { RaftState } from "./state.ts";
import type { InstallSnapshot, InstallSnapshotResponse, LogIndex, NodeId, Snapshot, SnapshotMeta, Term } from "./types.ts";

// ---- its own ----

/** At most what is durable here: else a crash could leave a snapshot behind which the log has a hole. */
export function snapshotTaken(raft: RaftState, out: Outbox, index: LogIndex, data: Uint8Array): void {
  const isNewer = index > (raft.snapshot?.index ?? 0);
  if (!isNewer || raft.snapshotBeingWritten || index > raft.log.durableIndex) return;
  assert(index <= raft.commitIndex, "only what is committed is in a snapshot (§7)");
  const term = termAt(raft.log, index);
  assert(term !== null, "a snapshot ends within the log");
  const { index: configurationIndex, configuration } = configurationAt(raft.log, index);
  const snapshot = { index, term, configuration, configurationIndex, size: data.byteLength, checksum: crc32c(data), data };
  const compactThrough = Math.max(raft.log.baseIndex, Math.min(index - raft.config.keptEntries, neededThrough(raft)));
  raft.snapshotBeingWritten = { snapshot, compactThrough, reset: false };
  out.snapshot = raft.snapshotBeingWritten;
}

/**
 * What follows a snapshot that is on its way to a living follower must stay, or that follower would need the next one when it has got this
 * one, and so on for ever.
 */
function neededThrough(raft: RaftState): LogIndex {
  let needed = Number.POSITIVE_INFINITY;
  if (raft.role.kind !== "leader") return needed;
  for (const { transfer, lastContact } of raft.role.progress.values())
    if (transfer && raft.now - lastContact < raft.config.electionTimeoutMaxMs) needed = Math.min(needed, transfer.snapshot.index);
  return needed;
}

/** Only now may the log before it go; and only now is an installed one acknowledged. */
export function snapshotPersisted(raft: RaftState, out: Outbox, index: LogIndex, term: Term): void {
  const written = raft.snapshotBeingWritten;
  if (!written || written.snapshot.index !== index || written.snapshot.term !== term) return;
  raft.snapshotBeingWritten = null;
  if (written.reset) {
    raft.log.durableIndex = Math.max(raft.log.durableIndex, index);
    acknowledge(raft, out);
  } else {
    raft.snapshot = written.snapshot;
    compact(raft.log, written.compactThrough);
  }
}

// ---- receiving ----

export function handleInstallSnapshot(raft: RaftState, out: Outbox, message: InstallSnapshot): void {
  const { snapshot: meta } = message;
  if (message.term < raft.hardState.currentTerm) return tellOffset(raft, out, message.from, meta, 0);
  const role = followLeader(raft, out, message.from);
  if (meta.index <= raft.commitIndex) {
    // What is committed here the leader has too (§5.4), so it is verified, and an older snapshot says nothing new.
    role.verifiedIndex = Math.max(role.verifiedIndex, meta.index);
    raft.incoming = null;
    raft.refusedSnapshot = null;
    return acknowledge(raft, out);
  }
  if (meta.size > raft.config.maxSnapshotBytes) {
    raft.refusedSnapshot = { index: meta.index, bytes: meta.size, refusals: (raft.refusedSnapshot?.refusals ?? 0) + 1 };
    return;
  }
  raft.refusedSnapshot = null;
  const incoming = receiveChunk(raft, message);
  tellOffset(raft, out, message.from, meta, incoming.received);
  // While a snapshot is being written the next one waits: the leader asks again.
  if (incoming.received < meta.size || raft.snapshotBeingWritten) return;
  raft.incoming = null;
  if (crc32c(incoming.data) !== meta.checksum) return;
  install(raft, out, { ...meta, data: incoming.data });
  role.verifiedIndex = Math.max(role.verifiedIndex, meta.index);
  acknowledge(raft, out);
}

/** In order, each byte once; another snapshot takes the place of what had arrived. */
function receiveChunk(
  raft: RaftState,
  { snapshot: meta, offset, data }: InstallSnapshot,
): { data: Uint8Array; received: number } {
  if (!raft.incoming || !sameSnapshot(raft.incoming.meta, meta))
    raft.incoming = { meta, data: new Uint8Array(meta.size), received: 0 };
  const { incoming } = raft;
  if (offset === incoming.received && offset + data.byteLength <= meta.size) {
    incoming.data.set(data, offset);
    incoming.received += data.byteLength;
  }
  return incoming;
}

function sameSnapshot(a: SnapshotMeta, b: SnapshotMeta): boolean {
  return a.index === b.index && a.term === b.term && a.checksum === b.checksum && a.size === b.size;
}

function tellOffset(raft: RaftState, out: Outbox, to: NodeId, meta: SnapshotMeta, offset: number): void {
  const { index, checksum } = meta;
  out.messages.push({ ...envelope(raft, to), kind: "installSnapshotResponse", index, checksum, offset });
}

/** Figure 13, rules 6 to 8: a log that leads to the snapshot keeps what follows; any other is dropped whole. */
function install(raft: RaftState, out: Outbox, snapshot: Snapshot): void {
  const { index, term, configuration, configurationIndex } = snapshot;
  assert(index > raft.commitIndex, "a snapshot never takes back what is committed");
  if (termAt(raft.log, index) === term) return advanceCommit(raft, out, index);
  resetTo(raft.log, index, term, { index: configurationIndex, configuration });
  raft.log.truncatedByWrite = raft.lastWrite + 1;
  raft.commitIndex = index;
  raft.snapshot = snapshot;
  raft.snapshotBeingWritten = { snapshot, compactThrough: index, reset: true };
  out.snapshot = raft.snapshotBeingWritten;
  out.restore = snapshot;
}

// ---- sending ----

/** First the question how much is there already, then chunks, as many as the window allows. */
export function sendSnapshot(raft: RaftState, out: Outbox, to: NodeId, progress: Progress): void {
  const isUseless = !progress.transfer || progress.transfer.snapshot.index < raft.log.baseIndex;
  if (isUseless) {
    assert(raft.snapshot !== null && raft.snapshot.index >= raft.log.baseIndex, "a snapshot stands for what was compacted");
    becomeSnapshot(progress, raft.snapshot);
  }
  const { transfer } = progress;
  if (!transfer) return;
  if (transfer.ackedOffset === null) {
    if (!transfer.asked) sendChunk(raft, out, to, transfer, 0, 0);
    transfer.asked = true;
    return;
  }
  const { size } = transfer.snapshot;
  while (transfer.sentOffset < size && transfer.sentOffset - transfer.ackedOffset < raft.config.maxInflightBytes) {
    const length = Math.min(raft.config.snapshotChunkBytes, size - transfer.sentOffset);
    sendChunk(raft, out, to, transfer, transfer.sentOffset, length);
    transfer.sentOffset += length;
  }
}

function sendChunk(
  raft: RaftState,
  out: Outbox,
  to: NodeId,
  { snapshot }: SnapshotTransfer,
  offset: number,
  length: number,
): void {
  const { data, ...meta } = snapshot;
  const chunk = data.subarray(offset, offset + length);
  out.messages.push({ ...envelope(raft, to), kind: "installSnapshot", snapshot: meta, offset, data: chunk });
}

/** The message is of the current term. */
export function handleInstallSnapshotResponse(raft: RaftState, message: InstallSnapshotResponse): void {
  const progress = raft.role.kind === "leader" ? raft.role.progress.get(message.from) : undefined;
  if (!progress) return;
  progress.lastContact = raft.now;
  const { transfer } = progress;
  if (transfer?.snapshot.index !== message.index || transfer.snapshot.checksum !== message.checksum) return;
  if (message.offset > transfer.snapshot.size) return;
  transfer.moved ||= message.offset > (transfer.ackedOffset ?? -1);
  if (transfer.ackedOffset === null) transfer.sentOffset = message.offset;
  transfer.ackedOffset = Math.max(transfer.ackedOffset ?? 0, message.offset);
}

/** Nothing moved for a heartbeat: chunks may be lost, so the follower is asked where it stands. */
export function askAgainIfStalled(progress: Progress): void {
  const { transfer } = progress;
  if (!transfer) return;
  if (transfer.moved) transfer.moved = false;
  else restartTransfer(transfer);
}

export function restartTransfer(transfer: SnapshotTransfer): void {
  transfer.ackedOffset = null;
  transfer.asked = false;
}
