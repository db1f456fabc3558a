/** Which ways between this node and others a person has cut, to watch what the protocol does. */
import type { NodeId } from "../raft/types.ts";

export type Direction = "in" | "out" | "both";

export class LinkFaults {
  #isolated = false;
  readonly #cutIn = new Set<NodeId>();
  readonly #cutOut = new Set<NodeId>();
  readonly #healed = new Set<() => void>();

  /** Cuts this node off from all others, those still to come as well. */
  isolate(): void {
    this.#isolated = true;
  }

  cut(ids: readonly NodeId[], direction: Direction = "both"): void {
    for (const id of ids) {
      if (direction !== "out") this.#cutIn.add(id);
      if (direction !== "in") this.#cutOut.add(id);
    }
  }

  heal(): void {
    this.#isolated = false;
    this.#cutIn.clear();
    this.#cutOut.clear();
    for (const listener of this.#healed) listener();
  }

  /** Whether anything may pass from (`in`) or to (`out`) that node. */
  passes(id: NodeId, direction: "in" | "out"): boolean {
    return !this.#isolated && !(direction === "in" ? this.#cutIn : this.#cutOut).has(id);
  }

  onHeal(listener: () => void): void {
    this.#healed.add(listener);
  }

  /** In words, for people. */
  describe(): string[] {
    if (this.#isolated) return ["isolated from all others"];
    const words = (ids: ReadonlySet<NodeId>, what: string) => (ids.size === 0 ? [] : [`${what} ${[...ids].join(", ")}`]);
    return [...words(this.#cutIn, "hears nothing from"), ...words(this.#cutOut, "says nothing to")];
  }
}
