import { describe, expect, test } from "vitest";
import { createRandom, nextBelow } from "../raft/mod.ts";
import { Registers, type WorkloadCommand, type WorkloadResponse } from "./workload.ts";
import { HistoryRecorder, WorkloadGenerator, type WorkloadOperation } from "./workload-history.ts";

function applyAll(machine: Registers, ...commands: readonly WorkloadCommand[]): readonly WorkloadResponse[] {
  return machine.apply(commands.map((command, at) => ({ index: at + 1, term: 1, command })));
}

const commands: readonly WorkloadCommand[] = [
  { kind: "set", key: "a", value: 1 },
  { kind: "compareAndSet", key: "a", expected: 1, value: 2 },
  { kind: "compareAndSet", key: "a", expected: 1, value: 3 },
  { kind: "set", key: "ключ", value: Number.MAX_SAFE_INTEGER },
];

describe("registers", () => {
  test("answer with what they held before", () => {
    expect(applyAll(new Registers(), ...commands)).toEqual([
      { found: 0, version: 1, changed: true },
      { found: 1, version: 2, changed: true },
      { found: 2, version: 2, changed: false },
      { found: 0, version: 3, changed: true },
    ]);
  });

  test("commands and answers survive as bytes", () => {
    const machine = new Registers();
    for (const command of commands) expect(machine.decode(machine.encode(command))).toEqual(command);
    for (const response of applyAll(machine, ...commands))
      expect(machine.decodeResponse(machine.encodeResponse(response))).toEqual(response);
  });

  test("any bytes are a command; most change nothing", () => {
    const random = createRandom(1);
    const machine = new Registers();
    for (let round = 0; round < 2000; round++) {
      const bytes = Uint8Array.from({ length: nextBelow(random, 12) }, () => nextBelow(random, 256));
      const command = machine.decode(bytes);
      if (command.kind !== "unreadable") expect(machine.validate(command)).toBeNull();
    }
    expect(machine.decode(new Uint8Array())).toEqual({ kind: "unreadable" });
    expect(applyAll(machine, { kind: "unreadable" })).toEqual([{ found: 0, version: 0, changed: false }]);
  });

  test("refuse what they could not encode", () => {
    const machine = new Registers();
    expect(machine.validate({ kind: "set", key: "", value: 1 })).not.toBeNull();
    expect(machine.validate({ kind: "set", key: "k".repeat(65), value: 1 })).not.toBeNull();
    expect(machine.validate({ kind: "set", key: "a", value: 0.5 })).not.toBeNull();
    expect(machine.validate({ kind: "compareAndSet", key: "a", expected: -1, value: 1 })).not.toBeNull();
    expect(commands.every((command) => machine.validate(command) === null)).toBe(true);
  });

  test("a snapshot is the whole state, the same from every order of keys", () => {
    const one = new Registers();
    const other = new Registers();
    applyAll(one, { kind: "set", key: "b", value: 1 }, { kind: "set", key: "a", value: 2 });
    applyAll(other, { kind: "set", key: "a", value: 2 }, { kind: "set", key: "b", value: 1 });
    expect(one.snapshot()).toEqual(other.snapshot());
    const restored = new Registers();
    applyAll(restored, ...commands);
    restored.restore(one.snapshot());
    expect(restored.snapshot()).toEqual(one.snapshot());
    expect(restored.read("a")).toEqual({ found: 2, version: 2, changed: false });
  });

  test("what is no snapshot changes nothing", () => {
    const machine = new Registers();
    applyAll(machine, ...commands);
    const before = machine.snapshot();
    expect(() => machine.restore(before.slice(0, -1))).toThrow();
    expect(() => machine.restore(Uint8Array.of(...before, 0))).toThrow();
    expect(machine.snapshot()).toEqual(before);
  });
});

/** Clients of one machine, one after the other in effect, yet with calls that overlap and answers that are lost. `spoil` lies at times. */
function record(seed: number, spoil: (response: WorkloadResponse, operation: WorkloadOperation, at: number) => WorkloadResponse) {
  const random = createRandom(seed);
  const below = (bound: number): number => nextBelow(random, bound);
  const machine = new Registers();
  const generator = new WorkloadGenerator({ below });
  const recorder = new HistoryRecorder();
  const open: { readonly id: number; readonly operation: WorkloadOperation }[] = [];
  for (let now = 0; now < 400; now++) {
    if (open.length < 6 && below(2) === 0) {
      const operation = generator.next();
      open.push({ id: recorder.invoke(`c${open.length}`, operation, now), operation });
      continue;
    }
    const [chosen] = open.splice(below(Math.max(1, open.length)), 1);
    if (!chosen) continue;
    const { id, operation } = chosen;
    const luck = below(10);
    if (luck === 0) {
      recorder.failed(id, true, now);
      continue;
    }
    const applied = luck !== 1;
    const done = operation.kind === "read" || !applied ? machine.read(operation.key) : applyAll(machine, operation)[0];
    if (!done) throw new Error("no answer");
    if (luck < 4) recorder.failed(id, false, now);
    else recorder.returned(id, luck === 4 ? null : spoil(done, operation, now), now);
    if (luck > 4) generator.learn(operation, done);
  }
  return recorder;
}

describe("a recorded history", () => {
  test("of a sound machine is linearizable, with all kinds of outcome in it", () => {
    for (let seed = 1; seed <= 20; seed++) {
      const recorder = record(seed, (response) => response);
      expect(recorder.verdict({ budget: 100_000 })).toMatchObject({ linearizable: "yes", text: "" });
      expect(Math.min(recorder.counts().failed, recorder.counts().indefinite, recorder.counts().returned)).toBeGreaterThan(2);
    }
  });

  test("with one stale answer is not, by its versions or, if those hide it, by the search", () => {
    for (let seed = 1; seed <= 20; seed++) {
      const stale = (hidden: boolean) => (response: WorkloadResponse, operation: WorkloadOperation, at: number) =>
        operation.kind === "read" && at > 300 ? { ...response, found: 0, version: hidden ? response.version : 0 } : response;
      expect(record(seed, stale(false)).verdict().text).toContain("was there before the call");
      expect(record(seed, stale(true)).verdict()).toMatchObject({
        linearizable: "no",
        text: expect.stringContaining("no order explains k"),
      });
    }
  });

  test("tells what surely failed and yet was seen", () => {
    const recorder = new HistoryRecorder();
    recorder.failed(recorder.invoke("a", { kind: "set", key: "k", value: 7 }, 1), true, 2);
    recorder.returned(recorder.invoke("b", { kind: "read", key: "k" }, 3), { found: 7, version: 0, changed: false }, 4);
    expect(recorder.verdict().text).toMatch(/a .*"value":7.*failed\n.*b .*"found":7/);
  });

  test("orders what happens within one millisecond as it was told", () => {
    const recorder = new HistoryRecorder();
    const write = recorder.invoke("a", { kind: "set", key: "k", value: 7 }, 1);
    recorder.returned(write, null, 1);
    recorder.returned(recorder.invoke("b", { kind: "read", key: "k" }, 1), { found: 0, version: 0, changed: false }, 1);
    expect(recorder.verdict().linearizable).toBe("no");
  });

  test("has one outcome for each operation", () => {
    const recorder = new HistoryRecorder();
    const id = recorder.invoke("a", { kind: "read", key: "k" }, 1);
    recorder.failed(id, false, 2);
    expect(() => recorder.returned(id, null, 3)).toThrow("indefinite");
    expect(() => recorder.failed(id + 1, true, 3)).toThrow("unknown");
  });
});

describe("generated operations", () => {
  test("each value is written once, and comparisons win and lose", () => {
    const random = createRandom(2);
    const generator = new WorkloadGenerator({ below: (bound) => nextBelow(random, bound) });
    const machine = new Registers();
    const values: number[] = [];
    const swaps = { won: 0, lost: 0 };
    for (let at = 0; at < 500; at++) {
      const operation = generator.next();
      if (operation.kind === "read") continue;
      expect(machine.validate(operation)).toBeNull();
      values.push(operation.value);
      const [response] = applyAll(machine, operation);
      if (response) generator.learn(operation, response);
      if (operation.kind === "compareAndSet") swaps[response?.changed ? "won" : "lost"]++;
    }
    expect(new Set(values).size).toBe(values.length);
    expect(Math.min(swaps.won, swaps.lost)).toBeGreaterThan(5);
  });
});
