/** What may happen in a walk, each as one number: so a path is a row of numbers. */

const kinds = [
  "deliver",
  "complete",
  "timeout",
  "silence",
  "propose",
  "read",
  "crashLosing",
  "crashKeeping",
  "reset",
  "duplicate",
  "quiet",
  "change",
  "snapshot",
  "transfer",
] as const;
export type Kind = (typeof kinds)[number];

/** A kind and a place: of a node, of a link, of a node and something else. */
export type Action = number;

export function action(kind: Kind, place: number): Action {
  return kinds.indexOf(kind) * 64 + place;
}

export function kindOf(what: Action): Kind | undefined {
  return kinds[what >> 6];
}
