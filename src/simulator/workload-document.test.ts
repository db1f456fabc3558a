/** Clients of one document in this process: what a single copy answers is accepted, and what none could have answered is not. */
import { describe, expect, test } from "vitest";
import type { SharedDocument } from "../document/shared-document.ts";
import type { DocumentCommand, DocumentResponse } from "../document/types.ts";
import { createRandom, nextBelow } from "../raft/mod.ts";
import { documentWorkload } from "./workload-document.ts";

/** `staleReads`: they are served by a replica that is behind. `lost`: an acknowledged edit that the document has not taken. */
function run(seed: number, fault: "staleReads" | "lost" | null): () => void {
  const random = createRandom(seed);
  const below = (bound: number): number => nextBelow(random, bound);
  const workload = documentWorkload({ below, chance: (percent) => below(100) < percent });
  const document = workload.createMachine() as SharedDocument;
  const behind = workload.createMachine() as SharedDocument;
  for (let at = 1; at <= 200; at++) {
    const { command, settle } = workload.next(`n${at % 3}`, document);
    if (at % 10 === 0) behind.restore(document.snapshot());
    if (command === null) settle?.({ kind: "read", machine: fault === "staleReads" ? behind : document });
    else settle?.({ kind: "done", response: fault === "lost" && at > 100 ? taken(document, command) : apply(document, command) });
  }
  return () => workload.finish();
}

function apply(document: SharedDocument, command: DocumentCommand): DocumentResponse | null {
  return document.apply([{ index: 1, term: 1, command }])[0] ?? null;
}

/** As if it had been. */
function taken(document: SharedDocument, command: DocumentCommand): DocumentResponse {
  const added = command.kind === "edit" ? command.updates.length : 0;
  return { refusal: null, version: document.version + added, added };
}

describe("the document's clients", () => {
  test("accept what one copy answers", () => {
    for (let seed = 1; seed <= 10; seed++) expect(run(seed, null)).not.toThrow();
  });

  test("notice a read that misses an acknowledged edit", () => {
    for (let seed = 1; seed <= 10; seed++) expect(run(seed, "staleReads")).toThrow("Linearizable edits");
  });

  test("notice an edit that was acknowledged and lost", () => {
    for (let seed = 1; seed <= 10; seed++) expect(run(seed, "lost")).toThrow("Linearizable edits");
  });
});
