import { expect, test } from "vitest";
import { MessageFaults } from "./message-faults.ts";
import { VirtualClock } from "./testing.ts";

/** Draws in turn what it is given. */
function drawing(...values: number[]): () => number {
  let at = 0;
  return () => values[at++ % values.length] ?? 0;
}

test("late by the delay and its jitter, so that one may overtake another", async () => {
  const clock = new VirtualClock();
  const faults = new MessageFaults(clock, drawing(1, 0));
  faults.delay(100, 40);
  const heard: string[] = [];
  const start = clock.now();
  for (const name of ["first", "second"]) faults.carry(() => heard.push(`${name} ${clock.now() - start}`));
  expect(heard).toEqual([]);
  await clock.advance(200, 1);
  expect(heard).toEqual(["second 60", "first 140"]);
  expect(faults.describe()).toEqual(["every message is 100 ± 40 ms late"]);
});

test("lost and repeated by their parts, and healed", () => {
  const faults = new MessageFaults(new VirtualClock(), drawing(0.1, 0.5, 0.9));
  let heard = 0;
  const carry = (count: number) => {
    heard = 0;
    for (let at = 0; at < count; at += 1) faults.carry(() => (heard += 1));
    return heard;
  };
  faults.drop(0.4);
  expect(carry(3)).toBe(2);
  expect(faults.describe()).toEqual(["40 % of the messages are lost"]);
  faults.drop(1);
  expect(carry(3)).toBe(0);
  faults.drop(0);
  faults.duplicate(0.6);
  expect(carry(3)).toBe(5);
  faults.heal();
  expect([carry(3), faults.describe()]).toEqual([3, []]);
});

test("what is held back is bounded", async () => {
  const clock = new VirtualClock();
  const faults = new MessageFaults(clock, () => 0.5);
  faults.delay(10);
  let heard = 0;
  for (let at = 0; at < 10_500; at += 1) faults.carry(() => (heard += 1));
  await clock.advance(20);
  expect(heard).toBe(10_000);
});
