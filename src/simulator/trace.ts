/** The steps of a run in words: as JSON lines, one a step, and the last ones of each node. The same seed gives the same bytes. */
import { formatEvent, formatMessage, formatState, formatUpdate } from "../raft/format.ts";
import type { RaftState } from "../raft/mod.ts";
import type { Event, Millis, NodeId, Update } from "../raft/types.ts";

export interface TracedStep {
  readonly step: number;
  readonly at: Millis;
  readonly node: NodeId;
  readonly event: string;
  readonly effects: readonly string[];
  readonly state: string;
}

export function traceStep(step: number, id: NodeId, event: Event, update: Update, core: Readonly<RaftState>): TracedStep {
  const effects = [...formatUpdate(id, update), ...update.messages.map((message) => `${id} sends ${formatMessage(message)}`)];
  return { step, at: event.now, node: id, event: formatEvent(event), effects, state: formatState(core) };
}

/** The last steps of each node. */
export class LastSteps {
  readonly #byNode = new Map<NodeId, TracedStep[]>();
  readonly #kept: number;

  constructor(kept: number) {
    this.#kept = kept;
  }

  add(traced: TracedStep): void {
    const steps = this.#byNode.get(traced.node) ?? [];
    steps.push(traced);
    if (steps.length > this.#kept) steps.shift();
    this.#byNode.set(traced.node, steps);
  }

  lines(): readonly string[] {
    return [...this.#byNode].flatMap(([id, steps]) => [
      `last steps of ${id}:`,
      ...steps.flatMap(({ step, at, event, effects }) => [
        `  step ${step}, ${at} ms: ${event}`,
        ...effects.map((effect) => `    ${effect}`),
      ]),
      `  ${steps.at(-1)?.state ?? ""}`,
    ]);
  }
}
