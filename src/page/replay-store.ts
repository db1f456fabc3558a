/** Time travel: a trace of this node, or from a file, taken again step by step in a worker of its own. */
import { createStore } from "zustand/vanilla";
import type { FromReplay, ReplayedStep, ToReplay } from "../node/protocol.ts";

export type OpenedTrace = Extract<FromReplay, { kind: "opened" }>;

export interface ReplayState {
  /** Whose trace, in words; `null`: none is open. */
  readonly source: string | null;
  readonly opening: boolean;
  readonly trace: OpenedTrace | null;
  readonly step: ReplayedStep | null;
  /** Why it cannot be shown. */
  readonly failure: string | null;
}

const EMPTY: ReplayState = { source: null, opening: false, trace: null, step: null, failure: null };

export function createReplayStore() {
  const store = createStore<ReplayState>(() => EMPTY);
  let worker: Worker | null = null;

  function receive(message: FromReplay): void {
    if (message.kind === "opened") {
      store.setState({ opening: false, trace: message });
      go(message.steps);
    } else if (message.kind === "step") store.setState({ step: message.step });
    else store.setState({ opening: false, failure: message.message });
  }

  function go(step: number): void {
    worker?.postMessage({ kind: "at", step } satisfies ToReplay);
  }

  return {
    ...store,
    go,
    open(source: string, text: string): void {
      worker?.terminate();
      store.setState({ ...EMPTY, source, opening: true });
      worker = new Worker(new URL("../node/replay-worker.ts", import.meta.url), { type: "module", name: "replay" });
      worker.addEventListener("message", ({ data }: MessageEvent<FromReplay>) => receive(data));
      worker.addEventListener("error", (event) => {
        store.setState({ opening: false, failure: event.message || "The replay could not be started." });
      });
      worker.postMessage({ kind: "open", text } satisfies ToReplay);
    },
    close(): void {
      worker?.terminate();
      worker = null;
      store.setState(EMPTY);
    },
  };
}

export type ReplayStore = ReturnType<typeof createReplayStore>;
