/**
 * Reads the first format, and turns it into the second (frame.ts), in which it is then kept. In format 1 the meta record was rewritten by every
 * write, and a record was kept under the index of its first entry:
 *
 *   meta    topic text, nodeId text, hard state, commitIndex varint, firstIndex varint, baseTerm varint, firstRecord varint (the index where the
 *           first record begins), firstChain 4 bytes, lastIndex varint, lastChain 4 bytes, snapshot optional { index varint, checksum 4 bytes }
 *   record  chain 4 bytes, firstIndex varint, count varint, the entries
 *
 * Rejects what would have been damage then with `StorageFailed`: the database then stays as it is, for rescue.
 */
import { StorageFailed } from "../driver/interfaces.ts";
import type { Entry, NodeId } from "../raft/types.ts";
import { readEntries } from "./entry-record.ts";
import { openFrame } from "./frame.ts";
import { readHardState, readOptional } from "./hard-state-record.ts";
import { encodeMeta, type Meta, pristineMeta } from "./meta.ts";
import { checksumOf, encodeRecord } from "./record.ts";

/** The one key of its meta store. */
export const META_KEY_1 = "node";
const VERSIONS = [1];

export interface Upgraded {
  readonly meta: Meta;
  /** Numbered from 1. */
  readonly records: readonly Uint8Array<ArrayBuffer>[];
}

interface Meta1 {
  readonly kept: Pick<
    Meta,
    "topic" | "nodeId" | "hardState" | "commitIndex" | "firstIndex" | "baseTerm" | "lastIndex" | "snapshot"
  >;
  /** The index at which the first record begins. */
  readonly firstRecord: number;
  readonly firstChain: number;
  readonly lastChain: number;
}

/** The whole log is in memory meanwhile: compaction bounds it. */
export async function readFormat1(
  metaValue: unknown,
  keys: readonly unknown[],
  values: readonly unknown[],
  { topic, nodeId }: { readonly topic: string; readonly nodeId: NodeId },
): Promise<Upgraded> {
  const { kept, ...log } = readMeta1(metaValue);
  if (kept.topic !== topic || kept.nodeId !== nodeId) throw damage("the meta record is of another node");
  const pristine = pristineMeta(topic, nodeId);
  const records: Uint8Array<ArrayBuffer>[] = [];
  let lastIndex = log.firstRecord - 1;
  let chain1 = log.firstChain;
  let chain = pristine.firstChain;
  for (const [at, key] of keys.entries()) {
    const record = readRecord1(values[at]);
    if (record.entries[0]?.index !== key || key !== lastIndex + 1)
      throw damage(`record ${String(key)} follows entry ${lastIndex}`);
    if (record.chain !== chain1) throw damage(`record ${String(key)} does not continue the one before it`);
    lastIndex += record.entries.length;
    chain1 = checksumOf(values[at] as Uint8Array);
    const bytes = encodeRecord({
      chain,
      number: at + 1,
      hardState: null,
      truncateFrom: null,
      commitIndex: 0,
      entries: record.entries,
    });
    chain = checksumOf(bytes);
    records.push(bytes);
  }
  if (lastIndex !== kept.lastIndex || chain1 !== log.lastChain) throw damage(`the log ends with entry ${lastIndex}`);
  const numbers = { baseIndex: log.firstRecord - 1, nextRecord: records.length + 1, lastChain: chain };
  const meta = { ...pristine, ...kept, ...numbers };
  // Says so if it is senseless.
  encodeMeta(meta);
  return { meta, records };
}

function readMeta1(value: unknown): Meta1 {
  if (value === undefined) throw damage("the meta record is missing");
  const frame = openFrame("meta", value, VERSIONS);
  if (!frame.ok) throw new StorageFailed(frame.kind, `the meta record: ${frame.message}`);
  const reader = frame.value;
  const [topic, nodeId, hardState] = [reader.text(), reader.text(), readHardState(reader)];
  const [commitIndex, firstIndex, baseTerm, firstRecord] = [reader.varint(), reader.varint(), reader.varint(), reader.varint()];
  const firstChain = reader.u32();
  const lastIndex = reader.varint();
  const lastChain = reader.u32();
  const snapshot = readOptional(reader, () => ({ index: reader.varint(), checksum: reader.u32() }));
  if (reader.failed || reader.remaining !== 0) throw damage("the meta record is not as long as its fields");
  const kept = { topic, nodeId, hardState, commitIndex, firstIndex, baseTerm, lastIndex, snapshot };
  return { kept, firstRecord, firstChain, lastChain };
}

function readRecord1(value: unknown): { readonly chain: number; readonly entries: readonly Entry[] } {
  const frame = openFrame("record", value, VERSIONS);
  if (!frame.ok) throw new StorageFailed(frame.kind, `a log record: ${frame.message}`);
  const reader = frame.value;
  const chain = reader.u32();
  const firstIndex = reader.varint();
  const entries = readEntries(reader, firstIndex, reader.varint());
  if (typeof entries === "string" || entries.length === 0) throw damage(`a log record: ${entries}`);
  if (reader.failed || reader.remaining !== 0) throw damage("a log record is not as long as its entries");
  return { chain, entries };
}

function damage(message: string): StorageFailed {
  return new StorageFailed("damaged", message);
}
