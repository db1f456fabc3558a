/**
 * The hard state as bytes: in the meta record, and in a log record whose write changed it (text: varint length, UTF-8; optional: one byte
 * 0 or 1, then the value if 1):
 *
 *   currentTerm varint, votedFor optional text,
 *   generation optional { number varint, id text, parentId optional text, forkIndex varint }
 */
import type { Generation, HardState } from "../raft/types.ts";
import { assert } from "./assert.ts";
import type { ByteReader, ByteWriter } from "./bytes.ts";
import { NODE_ID } from "./entry-record.ts";

const GENERATION_ID = /^[0-9a-f]{32}$/;

/** Throws (assertion) on a hard state that could not be read back. */
export function assertHardState(hardState: HardState): void {
  const problem = hardStateProblem(hardState);
  assert(problem === null, `hard state: ${problem}`);
}

export function hardStateProblem({ currentTerm, votedFor, generation }: HardState): string | null {
  if (!isCount(currentTerm)) return `term ${currentTerm}`;
  if (votedFor !== null && (currentTerm === 0 || !NODE_ID.test(votedFor))) return "vote";
  return generation === null || isGeneration(generation) ? null : "generation";
}

export function writeHardState(writer: ByteWriter, { currentTerm, votedFor, generation }: HardState): void {
  writer.varint(currentTerm);
  writeOptional(writer, votedFor, (id) => writer.text(id));
  writeOptional(writer, generation, (value) => writeGeneration(writer, value));
}

/** What was read may be senseless: see `hardStateProblem`. */
export function readHardState(reader: ByteReader): HardState {
  return {
    currentTerm: reader.varint(),
    votedFor: readOptional(reader, () => reader.text()),
    generation: readOptional(reader, () => readGeneration(reader)),
  };
}

/** A safe integer of at least 0. */
export function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

export function writeOptional<T>(writer: ByteWriter, value: T | null, write: (value: T) => void): void {
  writer.u8(value === null ? 0 : 1);
  if (value !== null) write(value);
}

export function readOptional<T>(reader: ByteReader, read: () => T): T | null {
  const flag = reader.u8();
  if (flag > 1) reader.failed = true;
  return flag === 1 ? read() : null;
}

function isGeneration({ number, id, parentId, forkIndex }: Generation): boolean {
  if (!isCount(number) || number < 1 || !isCount(forkIndex) || !GENERATION_ID.test(id)) return false;
  return parentId === null ? forkIndex === 0 : GENERATION_ID.test(parentId);
}

function writeGeneration(writer: ByteWriter, generation: Generation): void {
  writer.varint(generation.number);
  writer.text(generation.id);
  writeOptional(writer, generation.parentId, (id) => writer.text(id));
  writer.varint(generation.forkIndex);
}

function readGeneration(reader: ByteReader): Generation {
  return {
    number: reader.varint(),
    id: reader.text(),
    parentId: readOptional(reader, () => reader.text()),
    forkIndex: reader.varint(),
  };
}
