/** What the tests of the mesh share: messages, and waiting until nodes are connected or their way works. */
import type { Message } from "../raft/types.ts";
import type { Digest } from "./digest.ts";
import type { MemoryChannel, TestNode, TestRoom } from "./testing.ts";

export const generation = { number: 1, id: "0".repeat(32), parentId: null, forkIndex: 0 };
export const ask = (from: string, to: string, requestId = 1): Message => ({
  kind: "readIndex",
  from,
  to,
  term: 1,
  generation,
  requestId,
});
export const digestOf = (id: string): Digest => ({
  id,
  name: `Tab ${id}`,
  device: "0".repeat(32),
  visible: true,
  role: "follower",
  term: 1,
  leader: null,
  lastLogIndex: 1,
  commitIndex: 1,
  lastApplied: 1,
  storageOk: true,
  generation: null,
  quorum: true,
});

export async function connected(room: TestRoom, ...nodes: TestNode[]): Promise<void> {
  await room.until(() => nodes.every((node) => nodes.every((other) => other === node || node.up.has(other.id))));
}

/** The end of the newest connection that this node sends on. */
export function lastChannel(room: TestRoom, end: 0 | 1): MemoryChannel {
  const pair = [...room.pages.channels.values()].at(-1);
  if (pair === undefined) throw new Error("Nothing is connected.");
  return pair[end];
}

/** The node hears exactly what a peer tells it now, so the way works. */
export async function works(room: TestRoom, from: TestNode, to: TestNode): Promise<void> {
  const before = to.messages.length;
  from.mesh.send(ask(from.id, to.id, before));
  await room.until(() => to.messages.length > before);
  const heard = to.messages.at(-1);
  if (heard?.kind !== "readIndex" || heard.requestId !== before)
    throw new Error(`Heard another message: ${JSON.stringify(heard)}`);
}
