import { describe, expect, test } from "vitest";
import { createRandom, nextBelow } from "../raft/mod.ts";
import { checkLinearizable } from "./linearizability.ts";
import { isLinearizable, type Replay } from "./linearizability-brute-force.ts";
import { type Operation, pending } from "./linearizability-history.ts";
import {
  type AppendInput,
  type AppendOutput,
  appendModel,
  type RegisterInput,
  type RegisterOutput,
  registerModel,
  type Value,
} from "./linearizability-models.ts";

type Registered = Operation<RegisterInput, RegisterOutput>;
const key = "x";

function operation<Input, Output>(
  invoked: number,
  returned: number,
  input: Input,
  output: Output | null,
): Operation<Input, Output> {
  return { client: `c${invoked}`, invoked, returned, input, output, failed: false };
}

const read = (invoked: number, returned: number, found: Value): Registered =>
  operation<RegisterInput, RegisterOutput>(invoked, returned, { kind: "read", key }, { found });
const set = (invoked: number, returned: number, value: Value): Registered =>
  operation<RegisterInput, RegisterOutput>(invoked, returned, { kind: "set", key, value }, null);
const swap = (invoked: number, returned: number, expected: Value, value: Value, output: RegisterOutput | null): Registered =>
  operation<RegisterInput, RegisterOutput>(invoked, returned, { kind: "compareAndSet", key, expected, value }, output);
const onKey = (one: Registered, other: string): Registered => ({ ...one, input: { ...one.input, key: other } });
const verdictOf = (history: readonly Registered[]) => checkLinearizable(history, registerModel(0)).linearizable;

const good: Readonly<Record<string, readonly Registered[]>> = {
  "nothing at all": [],
  "one after the other": [set(1, 2, 1), read(3, 4, 1), set(5, 6, 2), read(7, 8, 2)],
  "reads beside a write see it or not": [set(1, 10, 1), read(2, 3, 0), read(4, 5, 1)],
  "a write beside two others": [set(1, 10, 1), set(2, 3, 2), read(4, 5, 2), read(11, 12, 1)],
  "touching counts as concurrent": [set(1, 2, 1), read(2, 3, 0)],
  "a write without an outcome was seen": [set(1, pending, 1), read(5, 6, 1)],
  "a write without an outcome was not seen": [set(1, pending, 1), read(5, 6, 0)],
  "a write without an outcome took effect late": [set(1, pending, 1), read(2, 3, 0), set(4, 5, 2), read(6, 7, 2), read(8, 9, 1)],
  "a compare-and-set without an outcome was seen": [swap(1, pending, 0, 1, null), read(5, 6, 1)],
  "only one of two compare-and-sets won": [swap(1, 4, 0, 1, { found: 0 }), swap(2, 3, 0, 2, { found: 1 })],
  "it was not equal to what came from an open write": [set(1, pending, 1), swap(2, 3, 0, 2, "notEqual"), read(4, 5, 1)],
  "a write that nobody saw made a comparison fail": [set(1, pending, 1), swap(2, 3, 0, 2, "notEqual")],
  "a chain of writes without outcomes": [
    set(1, pending, 1),
    swap(2, pending, 1, 2, null),
    swap(3, pending, 2, 3, null),
    read(4, 5, 3),
  ],
  "one write seen by two that differ otherwise": [set(1, 9, 1), read(2, 3, 1), read(4, 5, 1), read(6, 7, 1)],
  "what failed surely is not there": [set(1, 2, 1), { ...set(3, 4, 2), failed: true }, read(5, 6, 1)],
  "keys do not touch each other": [set(1, 2, 1), onKey(set(3, 4, 2), "y"), read(5, 6, 1), onKey(read(7, 8, 2), "y")],
};

const bad: Readonly<Record<string, readonly Registered[]>> = {
  "a stale read": [set(1, 2, 1), set(3, 4, 2), read(5, 6, 1)],
  "a read of the start after a write": [set(1, 2, 1), read(3, 4, 0)],
  "a read that goes back": [set(1, 10, 1), read(2, 3, 1), read(4, 5, 0)],
  "two readers disagree about an order": [set(1, 10, 1), set(2, 10, 2), read(11, 12, 1), read(13, 14, 2)],
  "a lost update": [set(1, 2, 1), swap(3, 4, 1, 2, { found: 1 }), read(5, 6, 1)],
  "two compare-and-sets of one value won": [swap(1, 4, 0, 1, { found: 0 }), swap(2, 3, 0, 2, { found: 0 })],
  "a compare-and-set lost against nobody": [set(1, 2, 1), swap(3, 4, 1, 2, "notEqual")],
  "a read of a value never written": [set(1, 2, 1), read(3, 4, 7)],
  "a read of a value before it was asked for": [read(1, 2, 1), set(3, 4, 1)],
  "a read of an open value before it was asked for": [read(1, 2, 1), set(3, pending, 1)],
  "an open write took effect twice": [set(1, pending, 1), read(2, 3, 1), set(4, 5, 2), read(6, 7, 2), read(8, 9, 1)],
  "an open write was seen and then not": [set(1, pending, 1), read(2, 3, 1), read(4, 5, 0)],
  "an open compare-and-set without its chance": [set(1, 2, 5), swap(3, pending, 0, 1, null), read(5, 6, 1)],
  "what failed surely took effect": [{ ...set(1, 2, 1), failed: true }, read(3, 4, 1)],
  "one key of two": [set(1, 2, 1), onKey(set(3, 4, 2), "y"), read(5, 6, 1), onKey(read(7, 8, 0), "y")],
};

describe("registers", () => {
  for (const [name, history] of Object.entries(good))
    test(`good: ${name}`, () => {
      expect(verdictOf(history)).toBe("yes");
      expect(verdictOf([...history].reverse())).toBe("yes");
    });
  for (const [name, history] of Object.entries(bad))
    test(`bad: ${name}`, () => {
      expect(verdictOf(history)).toBe("no");
      expect(verdictOf([...history].reverse())).toBe("no");
    });

  test("agrees with every order tried, and a flipped read is refuted whenever no order explains it", () => {
    const random = createRandom(11);
    const below = (bound: number): number => nextBelow(random, bound);
    const verdicts = { good: 0, bad: 0, flipped: 0 };
    for (let round = 0; round < 2000; round++) {
      const history = randomRegisters(below);
      const truth = isLinearizable(history, 0 as Value, replayRegister);
      if (verdictOf(history) !== (truth ? "yes" : "no")) throw new Error(JSON.stringify(history));
      verdicts[truth ? "good" : "bad"]++;
      const flipped = truth ? flipOne(history, below) : null;
      if (!flipped) continue;
      const refuted = !isLinearizable(flipped, 0 as Value, replayRegister);
      if (verdictOf(flipped) !== (refuted ? "no" : "yes")) throw new Error(JSON.stringify(flipped));
      if (refuted) verdicts.flipped++;
    }
    expect(Math.min(verdicts.good, verdicts.bad, verdicts.flipped)).toBeGreaterThan(100);
  });

  test("a counterexample is illegal, has no operation too many, and leaves no writer out", () => {
    const noise = Array.from({ length: 60 }, (_, at) =>
      at % 2 ? read(at * 2, at * 2 + 1, at) : set(at * 2, at * 2 + 1, at + 1),
    );
    const history = [...noise, set(200, 201, "old"), set(202, 203, "new"), read(204, 205, "old"), read(206, 207, "new")];
    const { counterexample } = checkLinearizable(history, registerModel(0));
    expect(counterexample.map(({ invoked }) => invoked)).toEqual([200, 202, 204]);
  });

  test("a counterexample does not accuse who saw what came later", () => {
    const history = [read(1, 100, 9), set(1, 2, 1), read(3, 4, 0), set(50, 60, 9)];
    const { counterexample } = checkLinearizable(history, registerModel(0));
    expect(counterexample.map(({ invoked }) => invoked)).toEqual([1, 3]);
    expect(counterexample.map(({ input }) => input.kind)).toEqual(["set", "read"]);
  });

  test("counterexamples of random histories are smallest", () => {
    const random = createRandom(5);
    let seen = 0;
    for (let round = 0; round < 500; round++) {
      const history = randomRegisters((bound) => nextBelow(random, bound));
      const { linearizable, counterexample } = checkLinearizable(history, registerModel(0));
      if (linearizable !== "no") continue;
      seen++;
      expect(isLinearizable(counterexample, 0 as Value, replayRegister)).toBe(false);
      for (const one of counterexample) {
        const others = counterexample.filter((other) => other !== one);
        const spared = registerModel(0).dispensable?.(one, others) ?? false;
        if (spared) expect(isLinearizable(others, 0 as Value, replayRegister)).toBe(true);
      }
    }
    expect(seen).toBeGreaterThan(100);
  });

  test("what is dispensable is never missed: a good history stays good without it", () => {
    const random = createRandom(6);
    let spared = 0;
    for (let round = 0; round < 1000; round++) {
      const history = randomRegisters((bound) => nextBelow(random, bound));
      if (!isLinearizable(history, 0 as Value, replayRegister)) continue;
      for (const one of history) {
        const others = history.filter((other) => other !== one);
        if (!registerModel(0).dispensable?.(one, others)) continue;
        spared++;
        expect(isLinearizable(others, 0 as Value, replayRegister)).toBe(true);
      }
    }
    expect(spared).toBeGreaterThan(300);
  });
});

describe("the budget", () => {
  /** Writers beside each other, read in an order that is right for the first half alone. */
  const hard = (name: string, count: number, impossible: boolean): readonly Registered[] => {
    const writes = Array.from({ length: count }, (_, at) => set(at, 1000, at % 5));
    const reads = Array.from({ length: count }, (_, at) => read(at, 1000, impossible && at === 0 ? "never" : at % 5));
    return [...writes, ...reads].map((one) => onKey(one, name));
  };

  test("spent is no verdict", () => {
    const verdict = checkLinearizable(hard("x", 24, true), registerModel(0), { budget: 5000 });
    expect(verdict).toMatchObject({ linearizable: "unknown", partitions: ["x"], counterexample: [] });
    expect(verdict.steps).toBe(5000);
  });

  test("one bad partition is found beside others that would use it up", () => {
    const history = ["a", "b", "c"].flatMap((name) => hard(name, 24, true));
    const alone = checkLinearizable(hard("z", 5, true), registerModel(0)).steps;
    const verdict = checkLinearizable([...history, ...hard("z", 5, true)], registerModel(0), { budget: 200_000 });
    expect(verdict).toMatchObject({ linearizable: "no", partitions: ["z"] });
    expect(alone).toBeGreaterThan(600);
    expect(verdict.steps).toBeLessThan(12 * alone);
  });

  test("without a memory the verdict is the same", () => {
    for (const history of Object.values(bad))
      expect(checkLinearizable(history, registerModel(0), { memoLimit: 0 }).linearizable).toBe("no");
  });

  test("a read that was possible is not tried again elsewhere", () => {
    const reads = Array.from({ length: 24 }, (_, at) => read(at, 100, 0));
    const verdict = checkLinearizable([...reads, read(50, 100, "never")], registerModel(0));
    expect(verdict.linearizable).toBe("no");
    expect(verdict.steps).toBeLessThan(100);
  });

  test("what was seen tells of the whole chain that led there", () => {
    const chain = Array.from({ length: 24 }, (_, at) => swap(at, pending, at, at + 1, null));
    const verdict = checkLinearizable([...chain, read(50, 51, 24), read(52, 53, 7)], registerModel(0));
    expect(verdict.linearizable).toBe("no");
    expect(verdict.steps).toBeLessThan(1000);
  });

  test("open writes that were found much later are not tried before", () => {
    const sets = Array.from({ length: 24 }, (_, at) => set(at, pending, at + 1));
    const finds = Array.from({ length: 24 }, (_, at) => read(100 + 2 * at, 101 + 2 * at, 24 - at));
    expect(checkLinearizable([...sets, ...finds], registerModel(0))).toMatchObject({ linearizable: "yes" });
    const verdict = checkLinearizable([...sets, ...finds, read(200, 201, 9)], registerModel(0));
    expect(verdict.linearizable).toBe("no");
    expect(verdict.steps).toBeLessThan(10_000);
  });

  test("some 200 operations of 8 clients with many lost answers take few steps", () => {
    const random = createRandom(3);
    const history = simulated((bound) => nextBelow(random, bound), 400);
    const verdict = checkLinearizable(history, registerModel(0), { budget: 100_000 });
    expect(verdict.linearizable).toBe("yes");
    expect(verdict.steps).toBeLessThan(2 * history.length);
    expect(history.filter(({ returned }) => returned === pending).length).toBeGreaterThan(40);
  });
});

describe("logs that are appended to", () => {
  const append = (invoked: number, returned: number, value: number, length: number | null) =>
    operation<AppendInput, AppendOutput>(invoked, returned, { kind: "append", value }, length === null ? null : { length });
  const all = (invoked: number, returned: number, values: readonly number[]) =>
    operation<AppendInput, AppendOutput>(invoked, returned, { kind: "read" }, { values });

  test("known histories", () => {
    const check = (history: Parameters<typeof checkLinearizable<unknown, AppendInput, AppendOutput>>[0]) =>
      checkLinearizable(history, appendModel).linearizable;
    expect(check([append(1, 5, 1, 2), append(2, 4, 2, 1), all(6, 7, [2, 1])])).toBe("yes");
    expect(check([append(1, pending, 1, null), all(2, 3, []), append(4, 5, 2, 1), all(6, 7, [2, 1])])).toBe("yes");
    expect(check([append(1, 2, 1, 1), append(3, 4, 2, 2), all(5, 6, [2, 1])])).toBe("no");
    expect(check([append(1, 2, 1, 1), append(3, 4, 2, 2), all(5, 6, [1])])).toBe("no");
    expect(check([append(1, 2, 1, 1), append(3, 4, 2, 1)])).toBe("no");
    expect(check([append(1, pending, 1, null), all(2, 3, [1]), all(4, 5, [1, 1])])).toBe("no");
  });

  test("agrees with every order tried", () => {
    const random = createRandom(12);
    const below = (bound: number): number => nextBelow(random, bound);
    const verdicts = { good: 0, bad: 0 };
    for (let round = 0; round < 1500; round++) {
      const history = randomTimes(below).map(([invoked, returned]) => {
        const lost = returned === pending || below(5) === 0;
        if (below(2) === 0) return append(invoked, returned, below(2), lost ? null : 1 + below(3));
        const values = Array.from({ length: below(3) }, () => below(2));
        return returned === pending ? append(invoked, returned, below(2), null) : all(invoked, returned, values);
      });
      const truth = isLinearizable(history, [] as readonly Value[], replayAppend);
      if (checkLinearizable(history, appendModel).linearizable !== (truth ? "yes" : "no"))
        throw new Error(JSON.stringify(history));
      verdicts[truth ? "good" : "bad"]++;
    }
    expect(Math.min(verdicts.good, verdicts.bad)).toBeGreaterThan(100);
  });
});

// ---- histories by chance ----

const replayRegister: Replay<Value, RegisterInput, RegisterOutput> = (state, input, output) => {
  const wins = input.kind === "set" || (input.kind === "compareAndSet" && input.expected === state);
  const after = wins ? input.value : state;
  if (output === null) return { possible: true, after };
  if (output === "notEqual") return { possible: input.kind === "compareAndSet" && !wins, after };
  return { possible: output.found === state, after };
};

const replayAppend: Replay<readonly Value[], AppendInput, AppendOutput> = (state, input, output) => {
  const after = input.kind === "append" ? [...state, input.value] : state;
  const told = input.kind === "append" ? { length: after.length } : { values: state };
  return { possible: output === null || JSON.stringify(output) === JSON.stringify(told), after };
};

/** Up to 6 operations within a few moments. */
function randomTimes(below: (bound: number) => number): readonly (readonly [number, number])[] {
  return Array.from({ length: 1 + below(6) }, () => {
    const invoked = below(10);
    return [invoked, below(5) === 0 ? pending : invoked + below(6)] as const;
  });
}

function randomRegisters(below: (bound: number) => number): readonly Registered[] {
  // Sometimes each value has one writer, which is what the inference lives on; sometimes not.
  const unique = below(2) === 0;
  return randomTimes(below).map(([invoked, returned], at): Registered => {
    const kind = below(3);
    const value = unique ? at + 1 : below(3);
    const found = below(unique ? 5 : 3);
    const lost = returned === pending || below(6) === 0;
    if (kind === 0) return lost ? { ...read(invoked, returned, 0), output: null } : read(invoked, returned, found);
    if (kind === 1) return { ...set(invoked, returned, value), output: lost || below(2) === 0 ? null : { found } };
    return swap(invoked, returned, below(3), value, lost ? null : below(4) === 0 ? "notEqual" : { found });
  });
}

function flipOne(history: readonly Registered[], below: (bound: number) => number): readonly Registered[] | null {
  const reads = history.filter(({ input, output }) => input.kind === "read" && output !== null && output !== "notEqual");
  const chosen = reads[below(Math.max(1, reads.length))];
  return chosen ? history.map((one) => (one === chosen ? { ...one, output: { found: below(5) } } : one)) : null;
}

/** One register as it would answer: 8 clients, the answer of every fifth operation lost, half of those without effect. */
function simulated(below: (bound: number) => number, count: number): readonly Registered[] {
  const history: Registered[] = [];
  const freeAt = Array.from({ length: 8 }, () => 0);
  let state: Value = 0;
  for (let at = 0; at < count; at++) {
    const now = at * 10;
    const client = below(8);
    const invoked = Math.max(freeAt[client] ?? 0, now - below(60));
    const returned = Math.max(invoked, now) + 1 + below(60);
    freeAt[client] = returned + 1;
    if (invoked > now) continue;
    const output: RegisterOutput = { found: state };
    const lost = below(5) === 0;
    const one: Registered | undefined = [
      read(invoked, returned, state),
      set(invoked, returned, at + 1),
      swap(invoked, returned, state, at + 1, output),
    ][below(3)];
    if (!one) continue;
    if (one.input.kind !== "read" && !(lost && below(2) === 0)) state = one.input.value;
    history.push(lost ? { ...one, returned: pending, output: null } : one);
  }
  return history;
}
