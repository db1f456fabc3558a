/** The nodes of a room that lie on this device. */
import type { NodeId } from "../raft/types.ts";
import type { Registry } from "../storage/registry.ts";
import { type LocksLike, takeNode } from "./identity.ts";

export interface DeviceNodes {
  readonly registry: Registry;
  readonly locks: LocksLike;
  readonly topic: string;
}

/** Whether or not somebody runs them now. */
export async function runnableNodes({ registry, topic }: DeviceNodes): Promise<readonly NodeId[]> {
  return (await registry.nodes(topic)).filter((row) => !row.isSetAside && !row.gaveWay).map(({ id }) => id);
}

/**
 * This node, and those of its history that nobody runs, never run again: another generation goes on. What they hold stays on the disk until
 * the room is forgotten, and no new node begins with it.
 */
export async function giveWay(nodes: DeviceNodes, self: NodeId): Promise<void> {
  const { registry, topic } = nodes;
  for (const { id, isSetAside } of await registry.nodes(topic)) {
    const free = id === self || isSetAside ? null : await takeNode(nodes, id);
    if (id === self || isSetAside || free !== null) await registry.touchNode(id, { gaveWay: true });
    await free?.release();
  }
}
