/** An edit is placed where its maker meant it, whatever else has come in before its time. */
import { ChangeSet } from "@codemirror/state";
import { describe, expect, test } from "vitest";
import { TraceBridge } from "./trace-bridge.ts";
import type { ConcurrentEdit } from "./trace-file.ts";

function edit(agent: number, parents: readonly number[], position: number, inserted: string, deleted = 0): ConcurrentEdit {
  return { agent, parents, patches: [[position, deleted, inserted]] };
}

const insert = (from: number, text: string, length: number) => ChangeSet.of({ from, insert: text }, length);

describe("the other's edits that came in early", () => {
  const edits = [edit(0, [], 0, "abc"), edit(1, [0], 0, "X"), edit(0, [0], 3, "Y"), edit(0, [1, 2], 5, "!")];

  test("move an edit that was made without them", () => {
    const bridge = new TraceBridge(edits, 0);
    bridge.place(0);
    bridge.receive(insert(0, "X", 3));
    expect(bridge.place(2).toJSON()).toEqual(insert(4, "Y", 4).toJSON());
    expect(bridge.place(3).toJSON()).toEqual(insert(5, "!", 5).toJSON());
  });

  test("are waited for by an edit that was made after them", () => {
    const bridge = new TraceBridge(edits, 0);
    bridge.place(0);
    expect(bridge.isDue(2)).toBe(true);
    bridge.place(2);
    expect(bridge.isDue(3)).toBe(false);
    bridge.receive(insert(0, "X", 4));
    expect(bridge.isDue(3)).toBe(true);
    expect(bridge.place(3).toJSON()).toEqual(insert(5, "!", 5).toJSON());
  });

  test("may have deleted what the edit deletes, and it changes nothing", () => {
    const both = [edit(0, [], 0, "abc"), edit(1, [0], 1, "", 1), edit(0, [0], 1, "", 1)];
    const bridge = new TraceBridge(both, 0);
    bridge.place(0);
    bridge.receive(ChangeSet.of({ from: 1, to: 2 }, 3));
    expect(bridge.place(2).empty).toBe(true);
  });
});
