/** The desk by itself: answers that come when the log has moved on. */
import { expect, test } from "vitest";
import { createConfig, createRaft, pristineHardState } from "../raft/mod.ts";
import type { Entry, RequestId } from "../raft/types.ts";
import { World } from "../simulator/world.ts";
import { Desk, defaultTerms } from "./desk.ts";
import type { Loop } from "./loop.ts";
import type { Outcome } from "./requests.ts";

test("a place where another term's entry was applied already is no place: the command is asked again", () => {
  const world = new World(1);
  const config = createConfig();
  const entries: Entry[] = [
    { kind: "blank", index: 1, term: 1 },
    { kind: "command", index: 2, term: 3, command: new Uint8Array([0]) },
  ];
  const stored = {
    hardState: { ...pristineHardState, currentTerm: 3 },
    snapshot: null,
    firstIndex: 1,
    baseTerm: 0,
    commitIndex: 2,
  };
  const core = createRaft({ id: "a", config, seed: 1, now: 0, entries, ...stored });
  const asked: RequestId[] = [];
  const propose = (requestId: RequestId): void => {
    asked.push(requestId);
  };
  const desk = new Desk(config, world, 1, { lastApplied: 2, responseAt: () => "of another command" });
  desk.open({ core, propose } as unknown as Loop);
  const outcomes: Outcome[] = [];
  desk.command(new Uint8Array([7]), true, defaultTerms, (outcome) => outcomes.push(outcome));
  world.advance();
  desk.answered({ kind: "proposed", requestId: asked[0] ?? 0, index: 2, term: 1 });
  expect(outcomes).toEqual([]);
  desk.askWaiting();
  world.advance();
  expect(asked).toHaveLength(2);
});
