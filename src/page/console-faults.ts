/** `tabraft.faults`: breaks this tab's node on purpose. What is not a fault is refused before it reaches the node. */
import type { Fault } from "../node/protocol.ts";
import type { NodeId } from "./types.ts";

/** Longer than any timeout of the protocol. */
const DELAY_MS_MAX = 60_000;

export interface ConsoleFaults {
  /** Nothing reaches this tab, nothing leaves it. */
  isolate(): Promise<null>;
  /** No messages from (`in`), to (`out`), or from and to (`both`, the default) these nodes. */
  cut(ids: readonly NodeId[] | NodeId, direction?: "in" | "out" | "both"): Promise<null>;
  /** Each message of this tab is late, each way: 0 to 60,000 ms; `jitterMs` more or less, drawn for each. */
  delay(ms: number, jitterMs?: number): Promise<null>;
  /** This part of the messages, each way, is lost: 0 to 1. */
  drop(fraction: number): Promise<null>;
  /** This part of the messages, each way, comes twice: 0 to 1. */
  duplicate(fraction: number): Promise<null>;
  /** The node stands still, as in a frozen tab. */
  pause(): Promise<null>;
  /** Each write of this tab's node waits so long before it begins: 0 to 60,000 ms. */
  slowDisk(ms: number): Promise<null>;
  /** The next write of this tab's node fails as if the connection to the disk were lost: the node stops. `restart` starts it again. */
  failDisk(): Promise<null>;
  /** The node ends as if its process had been killed. */
  crash(): Promise<null>;
  /** Starts the node again after a crash, or after it has stopped, from what it has on disk. */
  restart(): Promise<null>;
  /** Undoes all of these but a crash. */
  heal(): Promise<null>;
}

export interface FaultHands {
  apply(fault: Fault): Promise<null>;
  crash(): void;
  restart(): Promise<void>;
}

/** Its functions reject with a RangeError or a TypeError that says what is allowed. */
export function createConsoleFaults(hands: () => FaultHands): ConsoleFaults {
  const apply = async (fault: Fault): Promise<null> => hands().apply(fault);
  return {
    isolate: () => apply({ kind: "isolate" }),
    async cut(ids, direction = "both") {
      const list = typeof ids === "string" ? [ids] : ids;
      if (!Array.isArray(list) || list.some((id) => typeof id !== "string"))
        throw new TypeError("cut: give the ids of nodes, as in status().peers");
      if (!["in", "out", "both"].includes(direction)) throw new TypeError('cut: the direction is "in", "out" or "both"');
      return apply({ kind: "cut", ids: [...list], direction });
    },
    async delay(ms, jitterMs = 0) {
      return apply({
        kind: "delay",
        ms: within("delay: ms", ms, DELAY_MS_MAX),
        jitterMs: within("delay: jitterMs", jitterMs, DELAY_MS_MAX),
      });
    },
    async drop(fraction) {
      return apply({ kind: "drop", fraction: within("drop: the fraction", fraction, 1) });
    },
    async duplicate(fraction) {
      return apply({ kind: "duplicate", fraction: within("duplicate: the fraction", fraction, 1) });
    },
    async slowDisk(ms) {
      return apply({ kind: "slowDisk", ms: within("slowDisk: ms", ms, DELAY_MS_MAX) });
    },
    failDisk: () => apply({ kind: "failDisk" }),
    pause: () => apply({ kind: "pause" }),
    heal: () => apply({ kind: "heal" }),
    async crash() {
      hands().crash();
      return null;
    },
    async restart() {
      await hands().restart();
      return null;
    },
  };
}

function within(what: string, value: number, most: number): number {
  if (typeof value !== "number" || !(value >= 0 && value <= most)) throw new RangeError(`${what} is a number from 0 to ${most}`);
  return value;
}
