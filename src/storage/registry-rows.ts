/** The rows of the device registry, and the check that each of them passes when it is read. */
import * as v from "valibot";
import type { LogIndex, NodeId, Term } from "../raft/types.ts";
import { NODE_ID } from "./entry-record.ts";

const counted = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const time = v.pipe(v.number(), v.finite());
export const roomSchema = v.object({ topic: v.string(), secret: v.string(), title: v.string(), name: v.string(), lastUse: time });
export const nodeSchema = v.object({
  id: v.pipe(v.string(), v.regex(NODE_ID)),
  topic: v.string(),
  lastTerm: counted,
  lastIndex: counted,
  isVoter: v.boolean(),
  lastUse: time,
  hasRun: v.boolean(),
  isSetAside: v.boolean(),
  // Rows of earlier programs do not say these.
  bytes: v.optional(counted, 0),
  isOnlyCopy: v.optional(v.boolean(), false),
  gaveWay: v.optional(v.boolean(), false),
});
export const markSchema = v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/));

export interface RoomRow {
  /** The room's public topic: the key. */
  readonly topic: string;
  /** What stands behind `#` in the link. */
  readonly secret: string;
  readonly title: string;
  /** What the person calls herself in this room. */
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly lastUse: number;
}

export interface NodeRow {
  readonly id: NodeId;
  readonly topic: string;
  /** Of the last entry of its log when it was last noted: a help for choosing, may be stale. */
  readonly lastTerm: Term;
  readonly lastIndex: LogIndex;
  readonly isVoter: boolean;
  /** Milliseconds since the epoch. */
  readonly lastUse: number;
  /** Whether its database must exist: false from its making until it was loaded for the first time. */
  readonly hasRun: boolean;
  /** Its memory is damaged: kept for rescue, never run again. */
  readonly isSetAside: boolean;
  /** What it takes on the disk, when it was last noted. */
  readonly bytes: number;
  /** When it was last noted, every member of its cluster lay on this device. */
  readonly isOnlyCopy: boolean;
  /** Another generation of the room went on: kept, never run again, and no new node begins with it. */
  readonly gaveWay: boolean;
}

/** The row, if it is one: a list of one or none. */
export function parseRow<Schema extends v.GenericSchema>(schema: Schema, value: unknown): v.InferOutput<Schema>[] {
  const result = v.safeParse(schema, value);
  return result.success ? [result.output] : [];
}
