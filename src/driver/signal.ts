/** Abort signals, as little of them as is needed. */
import { Aborted } from "./errors.ts";
import type { AbortSignalLike } from "./interfaces.ts";

/** Calls `abort` with a maker of the error when a signal fires that has not fired yet. Returns what stops listening. */
export function onAbort(
  signal: AbortSignalLike | undefined,
  abort: (error: (mayHaveApplied: boolean) => Aborted) => void,
): () => void {
  if (!signal) return () => undefined;
  const listener = (): void => abort((mayHaveApplied) => new Aborted(mayHaveApplied));
  signal.addEventListener("abort", listener);
  return () => signal.removeEventListener("abort", listener);
}
