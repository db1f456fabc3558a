/**
 * The wire's envelope: protocol version, connection epoch, and one of four bodies. Decoding is total: whatever the bytes, it ends,
 * in time and memory of the order of their number, in an envelope all of whose fields were checked, or in a refusal.
 */
import type { Message } from "../raft/types.ts";
import { ByteReader, ByteWriter, type ReadFault } from "./bytes.ts";
import type { Digest } from "./digest.ts";
import { type Link, readGeneration, readMessage, writeGeneration, writeMessage } from "./message-codec.ts";

/** Of everything that peers say to each other. Nodes of different versions do not talk. */
export const PROTOCOL_VERSION = 2;

export type Body =
  | { readonly kind: "raft"; readonly message: Message }
  | { readonly kind: "digest"; readonly digest: Digest }
  /** Asks for a `pong` with the same nonce, 32 bits. */
  | { readonly kind: "ping"; readonly nonce: number }
  | { readonly kind: "pong"; readonly nonce: number };

export type Envelope = Body & {
  /** Which connection this was written for, 32 bits that both ends drew together: what a healed path brings late is known as such. */
  readonly epoch: number;
};

export type DecodeFault = ReadFault | "otherVersion";
export interface Refused {
  readonly refused: DecodeFault;
}

/** Position is the byte on the wire: append only. */
const KINDS = ["raft", "digest", "ping", "pong"] as const;
const ROLES = ["learner", "follower", "candidate", "leader"] as const;
const MAX_NAME_LENGTH = 40;

/** Throws on what `decodeEnvelope` would refuse: a mistake of this program. */
export function encodeEnvelope(envelope: Envelope): Uint8Array<ArrayBuffer> {
  return encodeBody(envelope, envelope.epoch);
}

const scratch = new ByteWriter();

/** The envelope of this body on the connection of this epoch. */
export function encodeBody(body: Body, epoch: number): Uint8Array<ArrayBuffer> {
  const writer = scratch.reset();
  writer.byte(PROTOCOL_VERSION);
  writer.uint32(epoch);
  writer.oneOf(KINDS, body.kind);
  if (body.kind === "raft") writeMessage(writer, body.message);
  else if (body.kind === "digest") writeDigest(writer, body.digest);
  else writer.uint32(body.nonce);
  return writer.finish();
}

/** `link`: the ends of the connection on which the bytes came, which become the message's `from` and `to` and the digest's `id`. */
export function decodeEnvelope(bytes: Uint8Array, link: Link): Envelope | Refused {
  const reader = new ByteReader(bytes);
  const version = reader.byte();
  if (reader.fault === null && version !== PROTOCOL_VERSION) return { refused: "otherVersion" };
  const epoch = reader.uint32();
  const envelope = readBody(reader, link, epoch);
  reader.end();
  return reader.fault === null ? envelope : { refused: reader.fault };
}

function readBody(reader: ByteReader, link: Link, epoch: number): Envelope {
  const kind = reader.oneOf(KINDS);
  switch (kind) {
    case "raft":
      return { kind, epoch, message: readMessage(reader, link) };
    case "digest":
      return { kind, epoch, digest: readDigest(reader, link) };
    case "ping":
    case "pong":
      return { kind, epoch, nonce: reader.uint32() };
  }
}

function writeDigest(writer: ByteWriter, digest: Digest): void {
  if (!isName(digest.name)) throw new Error(`A name has 1 to ${MAX_NAME_LENGTH} characters.`);
  writer.string(digest.name);
  writer.hex128(digest.device);
  writer.boolean(digest.visible);
  writer.oneOf(ROLES, digest.role);
  writer.integer(digest.term);
  writer.optional(digest.leader, (id) => writer.id(id));
  writer.integer(digest.lastLogIndex);
  writer.integer(digest.commitIndex);
  writer.integer(digest.lastApplied);
  writer.boolean(digest.storageOk);
  writer.optional(digest.generation, (generation) => writeGeneration(writer, generation));
  writer.boolean(digest.quorum);
}

function readDigest(reader: ByteReader, link: Link): Digest {
  const name = reader.string();
  if (!isName(name)) reader.fail("badText");
  return {
    id: link.from,
    name,
    device: reader.hex128(),
    visible: reader.boolean(),
    role: reader.oneOf(ROLES),
    term: reader.integer(),
    leader: reader.optional(() => reader.id()),
    lastLogIndex: reader.integer(),
    commitIndex: reader.integer(),
    lastApplied: reader.integer(),
    storageOk: reader.boolean(),
    generation: reader.optional(() => readGeneration(reader)),
    quorum: reader.boolean(),
  };
}

/** Counted in code points; well-formed, since an unpaired surrogate has no UTF-8. */
function isName(name: string): boolean {
  return (
    !/\p{Surrogate}/u.test(name) && name.length > 0 && name.length <= 2 * MAX_NAME_LENGTH && [...name].length <= MAX_NAME_LENGTH
  );
}
