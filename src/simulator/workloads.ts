/** What the nodes of a run replicate, and what its clients wish. One of these, or a state machine of one's own. */
import type { StateMachine } from "../driver/interfaces.ts";
import type { NodeId } from "../raft/types.ts";

export interface Wish<Command, Response> {
  /** `null`: a linearizable read of the state machine. */
  readonly command: Command | null;
  /** Carrying it out twice is the same as once: it may stand in the log twice. */
  readonly idempotent: boolean;
  /** `definite`: it was not carried out and never will be; `indefinite`: nobody knows. Called once, or never. */
  readonly settle?: (outcome: Settlement<Command, Response>) => void;
}

export type Settlement<Command, Response> =
  | { readonly kind: "done"; readonly response: Response | null }
  | { readonly kind: "read"; readonly machine: StateMachine<Command, Response, unknown> }
  | { readonly kind: "definite" | "indefinite" };

export interface Workload<Command, Response> {
  readonly name: string;
  /** For one life of a node. */
  createMachine(): StateMachine<Command, Response, unknown>;
  /** The next wish of a client at this node, whose state machine is `machine`. */
  next(node: NodeId, machine: StateMachine<Command, Response, unknown>): Wish<Command, Response>;
  /** At the end of a run. @throws LawBroken if what clients saw cannot be */
  finish(): void;
}

/** The only chance that there is in a run. */
export interface Chance {
  /** 0 to `bound` - 1. */
  below(bound: number): number;
  /** True in `percent` of 100 cases. */
  chance(percent: number): boolean;
}
