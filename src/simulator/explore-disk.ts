/**
 * What a node's disk holds and is still to write, as values. The queue is the driver's group commit with its gate, as data that can be
 * copied and compared, which the driver's own cannot: one write under way, what is asked for meanwhile folds into the next, and a message
 * leaves once every hard state that its update knew of is durable. A test holds it against the driver's.
 */
import type { LogEnd } from "../driver/write-queue.ts";
import { pristineHardState } from "../raft/mod.ts";
import type { Entry, HardState, LogIndex, Message, Snapshot, SnapshotWrite, Term, Update, WriteId } from "../raft/types.ts";

/** What a crash leaves. */
export interface DiskImage {
  readonly hardState: HardState;
  readonly snapshot: Snapshot | null;
  readonly baseIndex: LogIndex;
  readonly baseTerm: Term;
  readonly entries: readonly Entry[];
  readonly commitIndex: LogIndex;
}

export interface LogPart {
  readonly kind: "write";
  /** 0: the commit index alone. */
  readonly write: WriteId;
  readonly hardState: HardState | null;
  readonly truncateFrom: LogIndex | null;
  readonly entries: readonly Entry[];
  readonly end: LogEnd;
  /** As it was when the write began. */
  readonly commitIndex: LogIndex;
}
export interface SnapshotPart {
  readonly kind: "snapshot";
  readonly write: SnapshotWrite;
}
export type PendingWrite = LogPart | SnapshotPart;

export interface GatedMessages {
  readonly after: WriteId;
  readonly messages: readonly Message[];
}

export interface WriteModel {
  readonly underWay: PendingWrite | null;
  readonly queued: readonly PendingWrite[];
  readonly durable: WriteId;
  readonly lastHardState: WriteId;
  readonly gated: readonly GatedMessages[];
  readonly end: LogEnd;
  readonly storedCommitIndex: LogIndex;
}

export const pristineDisk: DiskImage = {
  hardState: pristineHardState,
  snapshot: null,
  baseIndex: 0,
  baseTerm: 0,
  entries: [],
  commitIndex: 0,
};

export function termOnDisk(disk: DiskImage, index: LogIndex): Term | null {
  if (index === disk.baseIndex) return disk.baseTerm;
  return disk.entries[index - disk.baseIndex - 1]?.term ?? null;
}

/** Whether the entry, or a snapshot that stands for it, is durable. */
export function isOnDisk(disk: DiskImage, index: LogIndex, term: Term): boolean {
  return index <= (disk.snapshot?.index ?? 0) || termOnDisk(disk, index) === term;
}

/** @throws Error if the log would have a gap */
export function written(disk: DiskImage, pending: PendingWrite): DiskImage {
  if (pending.kind === "snapshot") return withSnapshot(disk, pending.write);
  const { hardState, truncateFrom, commitIndex } = pending;
  const kept = truncateFrom === null ? disk.entries : disk.entries.slice(0, Math.max(0, truncateFrom - disk.baseIndex - 1));
  const entries = pending.entries.length > 0 ? [...kept, ...pending.entries] : kept;
  for (let at = kept.length; at < entries.length; at++)
    if (entries[at]?.index !== disk.baseIndex + at + 1)
      throw new Error(`the disk was asked to leave a gap at ${disk.baseIndex + at + 1}`);
  return { ...disk, hardState: hardState ?? disk.hardState, entries, commitIndex };
}

function withSnapshot(disk: DiskImage, { snapshot, compactThrough, reset }: SnapshotWrite): DiskImage {
  if (reset) return { ...disk, snapshot, entries: [], baseIndex: snapshot.index, baseTerm: snapshot.term };
  const baseTerm = termOnDisk(disk, compactThrough);
  if (baseTerm === null) throw new Error(`the disk was asked to compact through ${compactThrough}, which it does not have`);
  return { ...disk, snapshot, entries: disk.entries.slice(compactThrough - disk.baseIndex), baseIndex: compactThrough, baseTerm };
}

/** Of a life that begins. */
export function idleWrites(end: LogEnd, commitIndex: LogIndex): WriteModel {
  return { underWay: null, queued: [], durable: 0, lastHardState: 0, gated: [], end, storedCommitIndex: commitIndex };
}

export interface Released {
  readonly writes: WriteModel;
  readonly messages: readonly Message[];
}

/** Rules 1 to 5 of `Update`; `end`: where the core's log ends after it. */
export function withUpdate(before: WriteModel, update: Update, end: LogEnd, commitIndex: LogIndex): Released {
  let queued = before.queued;
  if (update.write !== 0) queued = folded(queued, update, end);
  if (update.snapshot) queued = [...queued, { kind: "snapshot", write: update.snapshot }];
  const lastHardState = update.hardState ? update.write : before.lastHardState;
  const flushed = withNext({ ...before, queued, lastHardState }, commitIndex);
  if (update.messages.length === 0) return { writes: flushed, messages: [] };
  return released({ ...flushed, gated: [...flushed.gated, { after: lastHardState, messages: update.messages }] });
}

/** The last in the queue takes it, unless a snapshot stands there: what is written after it must stay after it. */
function folded(queued: readonly PendingWrite[], update: Update, end: LogEnd): readonly PendingWrite[] {
  const last = queued.at(-1);
  const open = last?.kind === "write" ? last : null;
  const from = update.truncateFrom;
  const kept = open ? open.entries.filter(({ index }) => from === null || index < from) : [];
  const part: LogPart = {
    kind: "write",
    write: update.write,
    hardState: update.hardState ?? open?.hardState ?? null,
    truncateFrom: from === null ? (open?.truncateFrom ?? null) : Math.min(open?.truncateFrom ?? from, from),
    entries: [...kept, ...update.entries],
    end,
    commitIndex: 0,
  };
  return [...(open ? queued.slice(0, -1) : queued), part];
}

function withNext(writes: WriteModel, commitIndex: LogIndex): WriteModel {
  const [next, ...queued] = writes.queued;
  if (writes.underWay || !next) return writes;
  if (next.kind === "snapshot") {
    const { index, term } = next.write.snapshot;
    return { ...writes, underWay: next, queued, end: next.write.reset ? { index, term } : writes.end };
  }
  return { ...writes, underWay: { ...next, commitIndex: Math.min(commitIndex, next.end.index) }, queued, end: next.end };
}

/** Stores the commit index alone; `null` if something else is to be written, or nothing has changed. */
export function withQuietWrite(writes: WriteModel, commitIndex: LogIndex): WriteModel | null {
  if (writes.underWay || writes.queued.length > 0 || commitIndex <= writes.storedCommitIndex) return null;
  const { end } = writes;
  const underWay: LogPart = {
    kind: "write",
    write: 0,
    hardState: null,
    truncateFrom: null,
    entries: [],
    end,
    commitIndex: Math.min(commitIndex, end.index),
  };
  return { ...writes, underWay };
}

/** The write under way has become durable. The next one begins when the core has heard of it, or at once after a quiet one. */
export function withCompletion(writes: WriteModel): Released {
  const { underWay } = writes;
  if (underWay?.kind !== "write") return { writes: { ...writes, underWay: null }, messages: [] };
  const storedCommitIndex = Math.max(writes.storedCommitIndex, underWay.commitIndex);
  if (underWay.write === 0)
    return { writes: withNext({ ...writes, underWay: null, storedCommitIndex }, underWay.commitIndex), messages: [] };
  return released({ ...writes, underWay: null, storedCommitIndex, durable: underWay.write });
}

function released(writes: WriteModel): Released {
  let count = 0;
  const messages: Message[] = [];
  for (const gate of writes.gated) {
    if (gate.after > writes.durable) break;
    count++;
    messages.push(...gate.messages);
  }
  return { writes: count > 0 ? { ...writes, gated: writes.gated.slice(count) } : writes, messages };
}
