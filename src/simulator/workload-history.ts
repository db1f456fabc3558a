/** What clients ask of the registers, what they were told, and whether that can be. */

import { type CheckOptions, checkLinearizable, type Linearizable } from "./linearizability.ts";
import { historyText, type Operation, pending } from "./linearizability-history.ts";
import { type RegisterInput, type RegisterOutput, registerModel } from "./linearizability-models.ts";
import { checkVersions, type VersionedOperation } from "./linearizability-versions.ts";
import type { WorkloadCommand, WorkloadResponse } from "./workload.ts";

export type WorkloadOperation =
  | Exclude<WorkloadCommand, { kind: "unreadable" }>
  | { readonly kind: "read"; readonly key: string };

export interface GeneratorOptions {
  /** 0 up to, not including, `bound`. The only source of chance. */
  readonly below: (bound: number) => number;
  /** How many registers. Default 3: few, so that clients meet. */
  readonly keys?: number;
  /** Default 40. */
  readonly readPercent?: number;
  /** Default 30; the rest are sets. */
  readonly compareAndSetPercent?: number;
}

/** Clients that write each value once, so that whoever reads it names its writer, and often compare with what is there. */
export class WorkloadGenerator {
  readonly #options: Required<GeneratorOptions>;
  /** Of each key, the latest value that anybody was told of. */
  readonly #latest = new Map<string, number>();
  #value = 0;

  constructor(options: GeneratorOptions) {
    this.#options = { keys: 3, readPercent: 40, compareAndSetPercent: 30, ...options };
  }

  next(): WorkloadOperation {
    const { below, keys, readPercent, compareAndSetPercent } = this.#options;
    const key = `k${below(keys)}`;
    const percent = below(100);
    if (percent < readPercent) return { kind: "read", key };
    const value = ++this.#value;
    if (percent >= readPercent + compareAndSetPercent) return { kind: "set", key, value };
    const expected = below(10) === 0 ? below(value) : (this.#latest.get(key) ?? 0);
    return { kind: "compareAndSet", key, expected, value };
  }

  /** Somebody was told. */
  learn(operation: WorkloadOperation, response: WorkloadResponse): void {
    this.#latest.set(operation.key, response.changed && operation.kind !== "read" ? operation.value : response.found);
  }
}

interface Recorded {
  readonly client: string;
  readonly input: WorkloadOperation;
  readonly calledAt: number;
  readonly invoked: number;
  returned: number;
  output: WorkloadResponse | null;
  outcome: "open" | "returned" | "failed" | "indefinite";
  endedAt: number;
}

export interface HistoryVerdict {
  readonly linearizable: Linearizable;
  readonly operations: number;
  readonly steps: number;
  /** Of a `no`: why, for people. */
  readonly text: string;
}

/** Written as it happens: the order of the calls to it is the order in which things happened, also within one millisecond. */
export class HistoryRecorder {
  readonly #records: Recorded[] = [];
  #moment = 0;

  /** @returns the number of the operation, for its outcome */
  invoke(client: string, input: WorkloadOperation, now: number): number {
    const open = { returned: pending, output: null, outcome: "open", endedAt: pending } as const;
    return this.#records.push({ client, input, calledAt: now, invoked: this.#moment++, ...open }) - 1;
  }

  /** `null`: it was done, but what it answered is not known any more. */
  returned(id: number, output: WorkloadResponse | null, now: number): void {
    const record = this.#end(id, "returned", now);
    record.returned = this.#moment++;
    record.output = output;
  }

  /** `definite`: the client was told that nothing has happened or will; else it may happen at any later time. */
  failed(id: number, definite: boolean, now: number): void {
    this.#end(id, definite ? "failed" : "indefinite", now);
  }

  /** @throws if it is unknown or has an outcome already */
  #end(id: number, outcome: Recorded["outcome"], now: number): Recorded {
    const record = this.#records[id];
    if (record?.outcome !== "open") throw new Error(`operation ${id} is ${record?.outcome ?? "unknown"}`);
    record.outcome = outcome;
    record.endedAt = now;
    return record;
  }

  /** How many operations ended how. */
  counts(): Readonly<Record<Recorded["outcome"], number>> {
    const counts = { open: 0, returned: 0, failed: 0, indefinite: 0 };
    for (const { outcome } of this.#records) counts[outcome]++;
    return counts;
  }

  /** Twice over: by the version of each answer, all keys together, and by a search for an order, key by key, that knows of no versions. */
  verdict(options: CheckOptions = {}): HistoryVerdict {
    const operations = this.#records.length;
    const fault = checkVersions(this.#records.map(versionedOf));
    if (fault) {
      const shown = historyText(fault.operations);
      return { linearizable: "no", operations, steps: 0, text: `${fault.reason}\n${shown}` };
    }
    const found = checkLinearizable(this.#records.map(registerOf), registerModel(0), options);
    const { linearizable, partitions, counterexample, steps } = found;
    return { linearizable, operations, steps, text: linearizable === "no" ? this.#explain(partitions, counterexample) : "" };
  }

  #explain(keys: readonly string[], counterexample: readonly Operation<RegisterInput, RegisterOutput>[]): string {
    const found = new Set(counterexample.map(({ output }) => (output === null || output === "notEqual" ? null : output.found)));
    const failed = this.#records.filter(({ outcome, input }) => {
      return outcome === "failed" && input.kind !== "read" && keys.includes(input.key) && found.has(input.value);
    });
    return `no order explains ${keys.join(" ")}\n${historyText([...counterexample, ...failed.map(registerOf)])}`;
  }
}

function registerOf(record: Recorded): Operation<RegisterInput, RegisterOutput> {
  const output = record.output && { found: record.output.found };
  return { ...timesOf(record), input: record.input, output };
}

function versionedOf(record: Recorded): VersionedOperation {
  const { output, input } = record;
  const told = output && { version: output.version, added: output.changed ? 1 : 0, content: null };
  return { ...timesOf(record), input: { updates: input.kind === "read" ? 0 : 1 }, output: told };
}

function timesOf({ client, invoked, returned, outcome }: Recorded) {
  return { client, invoked, returned, failed: outcome === "failed" };
}
