/** The worker's time: monotonic, and not throttled while the tab is hidden. */
import type { Clock } from "../driver/interfaces.ts";

export const workerClock: Clock = {
  now: () => performance.now(),
  wallTime: () => Date.now(),
  soon: (run) => queueMicrotask(run),
  schedule(at, fire) {
    const timer = setTimeout(fire, Math.max(0, at - performance.now()));
    return () => clearTimeout(timer);
  },
};

/** Calls `work` every `everyMs` milliseconds until the returned function is called. */
export function repeat(everyMs: number, work: () => void): () => void {
  const timer = setInterval(work, everyMs);
  return () => clearInterval(timer);
}
