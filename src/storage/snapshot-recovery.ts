/** Reads the snapshot back, some chunks at a time, and believes none of it before all checksums hold. */
import type { IDBPObjectStore } from "idb";
import { StorageFailed } from "../driver/interfaces.ts";
import { joinCrc32c } from "../raft/crc32c.ts";
import type { Snapshot, SnapshotMeta } from "../raft/types.ts";
import { checksumOf, type Unreadable } from "./frame.ts";
import type { Meta } from "./meta.ts";
import { type NodeSchema, SNAPSHOT_HEADER_KEY } from "./node-database.ts";
import {
  countChunks,
  decodeSnapshotChunk,
  decodeSnapshotHeader,
  SNAPSHOT_CHUNK_BYTES,
  type SnapshotChunk,
} from "./snapshot-record.ts";

export interface RecoveredSnapshot {
  readonly snapshot: Snapshot | null;
  /** Size of what is stored. */
  readonly bytes: number;
}

type Store = IDBPObjectStore<NodeSchema, ("meta" | "log" | "snapshot")[], "snapshot", "readonly">;

/** About 4 MiB are asked of the database at once. */
const CHUNKS_AT_ONCE = 4;

export interface SnapshotBeginning {
  /** Values in the store. */
  readonly count: number;
  readonly header: unknown;
  /** The first of them, as far as there are any. */
  readonly chunks: readonly unknown[];
}

/** Asks for what is needed of any snapshot, all at once. */
export async function askSnapshot(store: Store): Promise<SnapshotBeginning> {
  const asked = [store.count(), store.get(SNAPSHOT_HEADER_KEY), readValues(store, 1, CHUNKS_AT_ONCE)] as const;
  const [count, header, chunks] = await Promise.all(asked);
  return { count, header, chunks };
}

function readValues(store: Store, first: number, count: number): Promise<unknown[]> {
  return Promise.all(Array.from({ length: count }, (_, at) => store.get(first + at)));
}

/** `expected`: what the meta record knows of it. Rejects with `StorageFailed`: "damaged" or "future". */
export async function recoverSnapshot(
  store: Store,
  beginning: SnapshotBeginning,
  expected: Meta["snapshot"],
): Promise<RecoveredSnapshot> {
  const { count: values, header } = beginning;
  if (expected === null) {
    if (values > 0) throw new StorageFailed("damaged", "a snapshot that the meta record does not know");
    return { snapshot: null, bytes: 0 };
  }
  const meta = readHeader(header, expected);
  const chunks = countChunks(meta.size);
  // Before anything is allocated for them.
  if (values !== 1 + chunks) throw new StorageFailed("damaged", `the snapshot has ${values - 1} chunks, not ${chunks}`);
  // One chunk is taken as it is; several are put together.
  const whole = chunks > 1 ? new Uint8Array(meta.size) : null;
  let data: Uint8Array = whole ?? new Uint8Array(0);
  let checksum = 0;
  let bytes = header instanceof Uint8Array ? header.length : 0;
  for (let first = 1; first <= chunks; first += CHUNKS_AT_ONCE) {
    const count = Math.min(CHUNKS_AT_ONCE, chunks - first + 1);
    const read = first === 1 ? beginning.chunks.slice(0, count) : await readValues(store, first, count);
    for (const [at, value] of read.entries()) {
      const chunk = readChunk(value, first + at, meta.size);
      checksum = joinCrc32c(checksum, chunk.checksum, chunk.data.length);
      bytes += (value as Uint8Array).length;
      if (whole === null) data = chunk.data;
      else whole.set(chunk.data, chunk.offset);
    }
  }
  if (checksum !== meta.checksum) throw new StorageFailed("damaged", "the checksum of the snapshot does not match");
  return { snapshot: { ...meta, data }, bytes };
}

function readHeader(value: unknown, expected: NonNullable<Meta["snapshot"]>): SnapshotMeta {
  if (value === undefined) throw new StorageFailed("damaged", "the snapshot is missing");
  const decoded = decodeSnapshotHeader(value);
  if (!decoded.ok) throw unreadable("the header of the snapshot", decoded);
  const isExpected = value instanceof Uint8Array && checksumOf(value) === expected.checksum;
  if (isExpected && decoded.value.index === expected.index) return decoded.value;
  throw new StorageFailed("damaged", "the snapshot is not the one that was written last");
}

/** `size`: of all of the data. */
function readChunk(value: unknown, at: number, size: number): SnapshotChunk {
  const decoded = decodeSnapshotChunk(value);
  if (!decoded.ok) throw unreadable(`chunk ${at} of the snapshot`, decoded);
  const chunk = decoded.value;
  const offset = (at - 1) * SNAPSHOT_CHUNK_BYTES;
  const length = Math.min(SNAPSHOT_CHUNK_BYTES, size - offset);
  if (chunk.offset === offset && chunk.data.length === length) return chunk;
  throw new StorageFailed("damaged", `chunk ${at} of the snapshot holds ${chunk.data.length} bytes from ${chunk.offset} on`);
}

function unreadable(name: string, { kind, message }: Unreadable): StorageFailed {
  return new StorageFailed(kind, `${name}: ${message}`);
}
