/** Registers that clients set, compare and read; at the end the whole history must be one that a single copy could have had. */
import type { NodeId } from "../raft/types.ts";
import { LawBroken } from "./law.ts";
import { Registers, type WorkloadCommand, type WorkloadResponse } from "./workload.ts";
import { HistoryRecorder, WorkloadGenerator } from "./workload-history.ts";
import type { Chance, Settlement, Workload } from "./workloads.ts";

export function registersWorkload(chance: Chance, now: () => number): Workload<WorkloadCommand, WorkloadResponse> {
  const generator = new WorkloadGenerator({ below: (bound) => chance.below(bound) });
  const history = new HistoryRecorder();
  return {
    name: "registers",
    createMachine: () => new Registers(),
    next: (node: NodeId) => {
      const operation = generator.next();
      const id = history.invoke(node, operation, now());
      const settle = (outcome: Settlement<WorkloadCommand, WorkloadResponse>): void => {
        let response: WorkloadResponse | null = null;
        if (outcome.kind === "done") response = outcome.response;
        else if (outcome.kind !== "read") return history.failed(id, outcome.kind === "definite", now());
        else if (outcome.machine instanceof Registers) response = outcome.machine.read(operation.key);
        if (response) generator.learn(operation, response);
        history.returned(id, response, now());
      };
      return { command: operation.kind === "read" ? null : operation, idempotent: false, settle };
    },
    finish: () => {
      const { linearizable, text } = history.verdict();
      if (linearizable === "no") throw new LawBroken("Linearizable reads", text);
    },
  };
}
