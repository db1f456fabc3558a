/**
 * Editors that write in one text at once, each from what its own node shows, often from a version that is no longer the latest. At the end
 * the whole history, of edits and of reads, must be one that a single copy could have had.
 */
import { SharedDocument } from "../document/shared-document.ts";
import type { ChangesJson, DocumentCommand, DocumentResponse } from "../document/types.ts";
import type { NodeId } from "../raft/types.ts";
import { LawBroken } from "./law.ts";
import { historyText } from "./linearizability-history.ts";
import type { DocumentOutput } from "./linearizability-models.ts";
import { VersionRecorder } from "./workload-versions.ts";
import type { Chance, Settlement, Wish, Workload } from "./workloads.ts";

interface Base {
  readonly version: number;
  readonly length: number;
}

const words = ["raft ", "log ", "a", "term\n", "\u00e9\u{1f600}", "quorum "];
const somebody = { kind: "edit" as const, serial: 0, author: "somebody", color: 0, replaces: null };
const keys = ["title", "theme"];
/** A text beyond this is rather cut than added to. */
const longText = 2000;

export function documentWorkload(chance: Chance): Workload<DocumentCommand, DocumentResponse> {
  /** What an editor that fell behind still shows. */
  const shown: Base[] = [];
  let editors = 0;

  const baseOf = (document: SharedDocument): Base => {
    const now = { version: document.version, length: document.length };
    const old = shown[chance.below(Math.max(1, shown.length))];
    shown.push(now);
    if (shown.length > 20) shown.shift();
    return old && old.version <= now.version && chance.chance(40) ? old : now;
  };

  const edit = (document: SharedDocument): Wish<DocumentCommand, DocumentResponse> => {
    const base = baseOf(document);
    const updates: ChangesJson[] = [];
    let { length } = base;
    for (let left = 1 + chance.below(3); left > 0; left--) {
      const { changes, newLength } = randomChanges(chance, length);
      updates.push(changes);
      length = newLength;
    }
    const clientId = `editor-${++editors}`.padEnd(8, "-");
    // An editor's updates are known by its id: a repeated one changes nothing by itself.
    return {
      command: { ...somebody, clientId, at: editors, baseVersion: base.version, updates },
      idempotent: chance.chance(50),
    };
  };

  const wish = (document: SharedDocument): Wish<DocumentCommand, DocumentResponse> => {
    if (chance.chance(20)) return { command: null, idempotent: true };
    if (chance.chance(80)) return edit(document);
    const key = keys[chance.below(keys.length)] ?? "title";
    const value = chance.below(100);
    if (chance.chance(50)) return { command: { kind: "set", key, value }, idempotent: false };
    return { command: { kind: "compareAndSet", key, expected: document.get(key), value }, idempotent: false };
  };

  const history = new VersionRecorder();
  const recorded = (node: NodeId, { command, idempotent }: Wish<DocumentCommand, DocumentResponse>) => {
    const id = history.invoke(node, command?.kind === "edit" ? command.updates.length : 0);
    const settle = (outcome: Settlement<DocumentCommand, DocumentResponse>): void => {
      if (outcome.kind === "definite" || outcome.kind === "indefinite") history.failed(id, outcome.kind === "definite");
      else history.returned(id, outputOf(outcome), idempotent);
    };
    return { command, idempotent, settle };
  };

  return {
    name: "document",
    createMachine: () => new SharedDocument(),
    next: (node, machine) => recorded(node, wish(machine as SharedDocument)),
    finish: () => {
      const fault = history.fault();
      if (fault) throw new LawBroken("Linearizable edits", `${fault.reason}\n${historyText(fault.operations)}`);
    },
  };
}

function outputOf(outcome: Settlement<DocumentCommand, DocumentResponse>): DocumentOutput | null {
  if (outcome.kind === "done" && outcome.response) {
    const { version, added } = outcome.response;
    return { version, added, content: null };
  }
  if (outcome.kind !== "read" || !(outcome.machine instanceof SharedDocument)) return null;
  return { version: outcome.machine.version, added: 0, content: outcome.machine.text };
}

/** In the JSON form of a change set: lengths that stay, and [deleted, line, line ...]. */
function randomChanges(chance: Chance, length: number): { readonly changes: ChangesJson; readonly newLength: number } {
  const from = chance.below(length + 1);
  const most = length > longText ? length - from : 8;
  const deleted = Math.min(chance.chance(length > longText ? 80 : 30) ? chance.below(most + 1) : 0, length - from);
  const text = deleted === 0 || chance.chance(60) ? (words[chance.below(words.length)] ?? "a") : "";
  const changes: unknown[] = [];
  if (from > 0) changes.push(from);
  changes.push(text === "" ? [deleted] : [deleted, ...text.split("\n")]);
  if (from + deleted < length) changes.push(length - from - deleted);
  return { changes, newLength: length - deleted + text.length };
}
