/**
 * Moves a submitted list of updates over what was accepted since its base, and drops what was accepted already.
 *
 * One accepted update at a time. Mapping over a composition of several gives another result than mapping over each in turn (a
 * replaced range hides where in it an insertion stood), and editors receive updates in batches of any size: only the steps that
 * every editor makes as well lead everyone to the same text.
 */
import type { ChangeSet } from "@codemirror/state";
import { REBASE_STEPS_MAX } from "./limits.ts";
import type { WindowUpdate } from "./update-window.ts";

function moveOver(pending: readonly WindowUpdate[], accepted: ChangeSet): readonly WindowUpdate[] {
  let over = accepted;
  return pending.map(({ clientID, changes }) => {
    const moved = changes.map(over);
    over = over.map(changes, true);
    return { clientID, changes: moved };
  });
}

/**
 * `tooFar`: more steps than one command may cost. `contradiction`: an accepted update of this client is not the one in the list;
 * two editors share a client id. The accepted one of a sound list equals, at its turn, the first that is pending.
 */
export function rebase(
  submitted: readonly WindowUpdate[],
  over: readonly WindowUpdate[],
): readonly WindowUpdate[] | "tooFar" | "contradiction" {
  if (submitted.length * over.length > REBASE_STEPS_MAX) return "tooFar";
  let pending = submitted;
  for (const accepted of over) {
    const [first] = pending;
    if (first === undefined) return pending;
    if (first.clientID === accepted.clientID) {
      if (!isSame(first.changes, accepted.changes)) return "contradiction";
      pending = pending.slice(1);
    } else {
      pending = moveOver(pending, accepted.changes);
    }
  }
  return pending;
}

function isSame(a: ChangeSet, b: ChangeSet): boolean {
  return a.length === b.length && a.newLength === b.newLength && JSON.stringify(a) === JSON.stringify(b);
}
