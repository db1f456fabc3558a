import { expect, test } from "vitest";
import {
  acknowledge,
  becomeProbe,
  becomeSnapshot,
  createProgress,
  isCurrentRefusal,
  type Progress,
  recordSent,
  windowIsOpen,
} from "./progress.ts";
import { snapshotAt } from "./testing/messages.ts";

/** Replicating, matching through 5, with messages through 7 and 9 on their way. */
function replicating(): Progress {
  const progress = createProgress(5, 0);
  acknowledge(progress, 5);
  recordSent(progress, 7, 100);
  recordSent(progress, 9, 50);
  return progress;
}

test("a follower begins as a probe right behind the leader's log", () => {
  expect(createProgress(5, 70)).toMatchObject({ state: "probe", matchIndex: 0, nextIndex: 6, lastContact: 70 });
});

test("the first success makes it replicate", () => {
  const progress = createProgress(5, 0);
  acknowledge(progress, 3);
  expect(progress).toMatchObject({ state: "replicate", matchIndex: 3, nextIndex: 6 });
});

test.each([
  [5, 5, 2, 150],
  [6, 6, 2, 150],
  [7, 7, 1, 50],
  [9, 9, 0, 0],
  [3, 5, 2, 150],
])("an answer through %i: matchIndex %i, %i messages of %i bytes under way", (answer, matchIndex, messages, bytes) => {
  const progress = replicating();
  acknowledge(progress, answer);
  expect(progress).toMatchObject({ state: "replicate", matchIndex, nextIndex: 10, inflightBytes: bytes });
  expect(progress.inflight.length).toBe(messages);
});

test.each([
  ["replicating, above what matches", replicating(), 6, true],
  ["replicating, at what matches", replicating(), 5, false],
  ["replicating, below it", replicating(), 2, false],
  ["a probe, the one that was sent", createProgress(5, 0), 5, true],
  ["a probe, another", createProgress(5, 0), 4, false],
])("%s: a refusal is current or not", (_, progress, refused, expected) => {
  expect(isCurrentRefusal(progress, refused)).toBe(expected);
});

test("while a snapshot travels no refusal says anything new", () => {
  const progress = replicating();
  becomeSnapshot(progress, snapshotAt(8, 2, ["a"]));
  expect(isCurrentRefusal(progress, 9)).toBe(false);
});

test.each([
  [8, 8],
  [6, 6],
  [2, 6],
])("going back to %i as a probe ends at %i: never below what matches", (next, expected) => {
  const progress = replicating();
  becomeProbe(progress, next);
  expect(progress).toMatchObject({
    state: "probe",
    nextIndex: expected,
    matchIndex: 5,
    inflight: [],
    inflightBytes: 0,
    probeSent: false,
  });
});

test.each([
  [7, "snapshot"],
  [8, "replicate"],
  [9, "replicate"],
])("with a snapshot through 8 under way, an answer through %i leaves it in %s", (answer, state) => {
  const progress = replicating();
  becomeSnapshot(progress, snapshotAt(8, 2, ["a"]));
  acknowledge(progress, answer);
  expect(progress.state).toBe(state);
  expect(progress.transfer === null).toBe(state === "replicate");
  if (state === "replicate") expect(progress.nextIndex).toBe(answer + 1);
});

test.each([
  [3, 1000, true],
  [2, 1000, false],
  [3, 151, true],
  [3, 150, false],
])("with two messages of 150 bytes under way, a window of %i messages and %i bytes is open: %s", (messages, bytes, expected) => {
  expect(windowIsOpen(replicating(), messages, bytes)).toBe(expected);
});
