import { expect, test } from "vitest";
import { createRandom, nextBelow, nextUint32 } from "./random.ts";

function sequence(seed: number, stream = 0, length = 50): readonly number[] {
  const random = createRandom(seed, stream);
  return Array.from({ length }, () => nextUint32(random));
}

test("equal seeds give equal sequences, different seeds or streams different ones", () => {
  expect(sequence(7)).toEqual(sequence(7));
  expect(sequence(7)).not.toEqual(sequence(8));
  expect(sequence(7)).not.toEqual(sequence(7, 1));
  expect(sequence(7)).not.toEqual(sequence(7 + 2 ** 32));
});

test("a copy of the record goes on alike", () => {
  const random = createRandom(3);
  nextUint32(random);
  const copy = { ...random };
  expect(nextUint32(copy)).toBe(nextUint32(random));
});

test("numbers below a bound are spread evenly", () => {
  const random = createRandom(1);
  const counts = Array.from({ length: 10 }, () => 0);
  for (let drawn = 0; drawn < 10_000; drawn++) {
    const number = nextBelow(random, 10);
    counts[number] = (counts[number] ?? 0) + 1;
  }
  expect(counts.length).toBe(10);
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150);
  expect(nextBelow(random, 1)).toBe(0);
});
