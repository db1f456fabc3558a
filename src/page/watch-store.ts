/** What comes only while the dashboard is open: marks of what passes on this node's links, its election timer, a sample each second. */
import { createStore } from "zustand/vanilla";
import type { ActivityMark, ElectionTimer, MetricSample } from "../node/protocol.ts";

/** Ten minutes. */
export const SAMPLES_MAX = 600;

export interface SeenMark extends ActivityMark {
  readonly id: number;
}

export interface WatchState {
  /** Of the latest tenth of a second; replaced by the next. */
  readonly marks: readonly SeenMark[];
  /** `null`: this node waits for no election. */
  readonly timer: ElectionTimer | null;
  /** Oldest first. */
  readonly samples: readonly MetricSample[];
}

export interface WatchSink {
  activity(marks: readonly ActivityMark[], timer: ElectionTimer | null): void;
  samples(samples: readonly MetricSample[]): void;
}

export type WatchStore = ReturnType<typeof createWatchStore>;

/** @param tellNode called when somebody begins to look, and when nobody does any more. */
export function createWatchStore(tellNode: (on: boolean) => void) {
  const store = createStore<WatchState>(() => ({ marks: [], timer: null, samples: [] }));
  let watchers = 0;
  let nextId = 1;
  const sink: WatchSink = {
    activity(marks, timer) {
      store.setState({ marks: marks.map((mark) => ({ ...mark, id: nextId++ })), timer });
    },
    samples(more) {
      const known = store.getState().samples;
      const last = known.at(-1)?.at ?? 0;
      const fresh = more.filter(({ at }) => at > last);
      if (fresh.length > 0) store.setState({ samples: [...known, ...fresh].slice(-SAMPLES_MAX) });
    },
  };
  return {
    ...store,
    ...sink,
    get watching(): boolean {
      return watchers > 0;
    },
    /** Returns what ends it. */
    watch(): () => void {
      if (++watchers === 1) tellNode(true);
      return () => {
        if (--watchers === 0) tellNode(false);
      };
    },
  };
}
