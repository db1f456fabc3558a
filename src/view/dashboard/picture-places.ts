/** Where each node stands: on an ellipse, the first at the top, in an order that does not change while the same nodes are there. */
import type { NodeId } from "../../page/types.ts";

/** In hundredths of the picture's width; its height is 80 of them. */
export interface Place {
  readonly x: number;
  readonly y: number;
}

const CENTER = { x: 50, y: 38 } as const;
const RADIUS = { x: 34, y: 25 } as const;

export function placesOf(ids: readonly NodeId[]): ReadonlyMap<NodeId, Place> {
  if (ids.length === 1) return new Map([[ids[0] ?? "", CENTER]]);
  return new Map(
    ids.map((id, at) => {
      const angle = (2 * Math.PI * at) / ids.length - Math.PI / 2;
      return [id, { x: CENTER.x + RADIUS.x * Math.cos(angle), y: CENTER.y + RADIUS.y * Math.sin(angle) }];
    }),
  );
}
