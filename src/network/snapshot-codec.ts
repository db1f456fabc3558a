/** A snapshot's chunk on the wire, and what each says of the whole: every chunk can be judged alone. */
import type { InstallSnapshot, SnapshotMeta, Term } from "../raft/types.ts";
import type { ByteReader, ByteWriter } from "./bytes.ts";
import { readConfiguration, writeConfiguration } from "./entry-codec.ts";

/** More than any configuration of a node may accept. */
export const MAX_SNAPSHOT_BYTES = 2 ** 32;

type Chunk = Pick<InstallSnapshot, "snapshot" | "offset" | "data">;

export function writeChunk(writer: ByteWriter, { snapshot, offset, data }: Chunk): void {
  writer.integer(snapshot.index);
  writer.integer(snapshot.term);
  writeConfiguration(writer, snapshot.configuration);
  writer.integer(snapshot.configurationIndex);
  writer.integer(snapshot.size);
  writer.uint32(snapshot.checksum);
  writer.integer(offset);
  writer.bytes(data);
}

/** `maxTerm`: of the leader that sends it, which has nothing of a later one. */
export function readChunk(reader: ByteReader, maxTerm: Term): Chunk {
  const snapshot = readMeta(reader, maxTerm);
  const offset = reader.integer();
  const data = reader.bytes();
  if (offset + data.length > snapshot.size) reader.fail("badInteger");
  return { snapshot, offset, data };
}

function readMeta(reader: ByteReader, maxTerm: Term): SnapshotMeta {
  const index = reader.integer();
  const term = reader.integer();
  const configuration = readConfiguration(reader);
  const configurationIndex = reader.integer();
  const size = reader.integer();
  const checksum = reader.uint32();
  if (index === 0 || term === 0 || term > maxTerm) reader.fail("badInteger");
  // Somebody votes, so some entry says who.
  if (configurationIndex === 0 || configurationIndex > index) reader.fail("badInteger");
  if (size > MAX_SNAPSHOT_BYTES) reader.fail("badInteger");
  return { index, term, configuration, configurationIndex, size, checksum };
}
