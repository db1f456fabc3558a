/** Editing traces as josephg/editing-traces has them, plain or gzipped: read, checked, and turned into edits of UTF-16 positions. */
import { readFile } from "node:fs/promises";
import { gunzipSync } from "node:zlib";
import * as v from "valibot";

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const patches = v.array(v.tuple([count, count, v.string()]));
const sequentialTrace = v.object({
  startContent: v.string(),
  endContent: v.string(),
  txns: v.array(v.object({ patches })),
});
const concurrentTrace = v.object({
  endContent: v.string(),
  numAgents: v.pipe(count, v.minValue(1)),
  txns: v.array(v.object({ parents: v.array(count), agent: count, patches })),
});

/** In UTF-16 units. The patches of one edit apply one after another. */
export interface TraceEdit {
  readonly patches: readonly (readonly [position: number, deleted: number, inserted: string])[];
}

export interface SequentialTrace {
  readonly startContent: string;
  readonly endContent: string;
  readonly edits: readonly TraceEdit[];
}

export interface ConcurrentEdit extends TraceEdit {
  /** Indexes of the edits that this one was made after, directly. */
  readonly parents: readonly number[];
  readonly agent: number;
}

export interface ConcurrentTrace {
  readonly endContent: string;
  readonly agents: number;
  readonly edits: readonly ConcurrentEdit[];
}

async function readTrace<const Schema extends v.GenericSchema>(path: string, schema: Schema): Promise<v.InferOutput<Schema>> {
  const bytes = await readFile(path);
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const text = (isGzip ? gunzipSync(bytes) : bytes).toString("utf8");
  const checked = v.safeParse(schema, JSON.parse(text));
  if (checked.success) return checked.output;
  const [issue] = checked.issues;
  throw new Error(`${path} is no editing trace: at ${v.getDotPath(issue) ?? "its top"}: ${issue.message}`);
}

/** Positions in a trace count code points. Where no character needs two units they are UTF-16 positions already. */
function hasPairs(content: string, txns: readonly { readonly patches: v.InferOutput<typeof patches> }[]): boolean {
  const pair = /[\u{10000}-\u{10ffff}]/u;
  return pair.test(content) || txns.some((txn) => txn.patches.some(([, , inserted]) => pair.test(inserted)));
}

function unitsOf(points: readonly string[]): number {
  return points.reduce((sum, point) => sum + point.length, 0);
}

/** A trace of one person. @throws Error with what is wrong and where */
export async function readSequentialTrace(path: string): Promise<SequentialTrace> {
  const { startContent, endContent, txns } = await readTrace(path, sequentialTrace);
  if (!hasPairs(startContent, txns)) return { startContent, endContent, edits: txns };
  const points = [...startContent];
  const edits = txns.map((txn) => ({
    patches: txn.patches.map(([position, deleted, inserted]) => {
      const from = unitsOf(points.slice(0, position));
      const gone = points.splice(position, deleted, ...inserted);
      return [from, unitsOf(gone), inserted] as const;
    }),
  }));
  return { startContent, endContent, edits };
}

/** A trace of several people at once. @throws Error with what is wrong and where */
export async function readConcurrentTrace(path: string): Promise<ConcurrentTrace> {
  const { endContent, numAgents: agents, txns } = await readTrace(path, concurrentTrace);
  if (hasPairs("", txns))
    throw new Error(`${path} has characters of two UTF-16 units, which a concurrent replay cannot place yet`);
  if (agents !== 2) throw new Error(`${path} is of ${agents} people, and a concurrent replay needs exactly two`);
  const bad = txns.findIndex(({ parents, agent }, at) => agent >= agents || parents.some((parent) => parent >= at));
  if (bad >= 0) throw new Error(`${path} is no editing trace: edit ${bad} has an agent or a parent that is not there`);
  return { endContent, agents, edits: txns };
}
