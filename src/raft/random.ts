/** Randomness as a value (sfc32): the same seed gives the same run. 128 bits of state, period about 2^127. */

export interface Random {
  a: number;
  b: number;
  c: number;
  counter: number;
}

/** Any two safe integers; equal ones give equal sequences. */
export function createRandom(seed: number, stream = 0): Random {
  const random: Random = { a: seed | 0, b: Math.floor(seed / 2 ** 32) | 0, c: stream | 0, counter: 1 };
  for (let round = 0; round < 16; round++) nextUint32(random);
  return random;
}

/** 0 to 2^32 - 1. */
export function nextUint32(random: Random): number {
  const sum = (((random.a + random.b) | 0) + random.counter) | 0;
  random.counter = (random.counter + 1) | 0;
  random.a = random.b ^ (random.b >>> 9);
  random.b = (random.c + (random.c << 3)) | 0;
  random.c = (((random.c << 21) | (random.c >>> 11)) + sum) | 0;
  return sum >>> 0;
}

/** A whole number from 0 to `bound` - 1; `bound` from 1 to 2^32. */
export function nextBelow(random: Random, bound: number): number {
  return Math.floor((nextUint32(random) / 2 ** 32) * bound);
}
