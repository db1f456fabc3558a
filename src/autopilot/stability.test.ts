import { expect, test } from "vitest";
import { createStability, look, stabilityOf } from "./stability.ts";

const there = (id: string) => ({ id, connected: true, gone: false });
const away = (id: string, gone = false) => ({ id, connected: false, gone });

test("presence is counted from the look that began it, and anew after each break", () => {
  const stability = createStability();
  look(stability, 0, [there("b")]);
  expect(stabilityOf(stability, "b", 700)).toEqual({ stableMs: 700, breaks: 0, goneMs: null });
  look(stability, 1000, [away("b")]);
  expect(stabilityOf(stability, "b", 1500)).toEqual({ stableMs: 0, breaks: 1, goneMs: null });
  look(stability, 2000, [there("b")]);
  expect(stabilityOf(stability, "b", 2500)).toEqual({ stableMs: 500, breaks: 1, goneMs: null });
});

test("a break is made good by a minute of presence, one after the other", () => {
  const stability = createStability();
  for (let round = 0; round < 3; round++) {
    look(stability, round * 1000, [there("b")]);
    look(stability, round * 1000 + 500, []);
  }
  look(stability, 3000, [there("b")]);
  expect(stabilityOf(stability, "b", 3000).breaks).toBe(3);
  look(stability, 62_999, [there("b")]);
  expect(stabilityOf(stability, "b", 63_000).breaks).toBe(3);
  look(stability, 63_000, [there("b")]);
  expect(stabilityOf(stability, "b", 63_000).breaks).toBe(2);
  look(stability, 183_000, [there("b")]);
  expect(stabilityOf(stability, "b", 183_000).breaks).toBe(0);
});

test("a loss for certain is counted from when it was told, taken back by a return, and never believed of one that is there", () => {
  const stability = createStability();
  look(stability, 0, [{ ...there("b"), gone: true }]);
  expect(stabilityOf(stability, "b", 10).goneMs).toBeNull();
  look(stability, 100, [away("b", true)]);
  look(stability, 200, [away("b", true)]);
  expect(stabilityOf(stability, "b", 300).goneMs).toBe(200);
  look(stability, 400, [there("b")]);
  expect(stabilityOf(stability, "b", 400).goneMs).toBeNull();
});

test("whoever was away for ten minutes is forgotten", () => {
  const stability = createStability();
  look(stability, 0, [there("b")]);
  look(stability, 1, []);
  look(stability, 600_002, []);
  expect(stability.presences.size).toBe(0);
});
