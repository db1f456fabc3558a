/** For tests: edits and where they stand in the log, with what a test does not care about filled in. */
import { ChangeSet, type ChangeSpec } from "@codemirror/state";
import type { SharedDocument } from "./shared-document.ts";
import type { ChangesJson, DocumentCommand, EditCommand, PlacedCommand } from "./types.ts";

export function editOf(
  clientId: string,
  baseVersion: number,
  updates: readonly ChangesJson[],
  more: Partial<EditCommand> = {},
): EditCommand {
  return { kind: "edit", clientId, serial: 0, author: "Ada", color: 1, at: 1_000, baseVersion, updates, replaces: null, ...more };
}

export function placed(command: DocumentCommand, index = 1, term = 1): PlacedCommand {
  return { index, term, command };
}

/** The serial that the editor would give: what the document had of it at the base. */
export function serialIn(document: SharedDocument, clientId: string, baseVersion: number): number {
  const since = document.updatesSince(baseVersion)?.filter((update) => update.clientId === clientId).length ?? 0;
  return Math.max(0, (document.editor(clientId).accepted ?? 0) - since);
}

/** As they travel. */
export function changesOf(changes: ChangeSpec, length: number): ChangesJson {
  return ChangeSet.of(changes, length, "\n").toJSON() as ChangesJson;
}
