/**
 * The page's end of a bench in a real browser: functions that its Node side calls by name (`BenchTab.call`). Arguments and results are
 * cloned. In a worker, `expose` them there, and `exposeWorker` it on the page.
 */

/** Each takes what can be cloned, and gives it. */
export type Exposed = Readonly<Record<string, (...args: never[]) => unknown>>;

interface Call {
  readonly id: number;
  readonly name: string;
  readonly args: readonly unknown[];
}
type Answer = { readonly id: number; readonly value: unknown } | { readonly id: number; readonly error: string };

declare global {
  /** What the Node side calls. */
  var tabraftBench: ((name: string, args: readonly unknown[]) => Promise<unknown>) | undefined;
}

export function expose(functions: Exposed): void {
  const call = async (name: string, args: readonly unknown[]): Promise<unknown> => {
    const found = Object.hasOwn(functions, name) ? functions[name] : undefined;
    if (found === undefined) throw new Error(`the bench's page has no function ${name}`);
    return await (found as (...values: readonly unknown[]) => unknown)(...args);
  };
  globalThis.tabraftBench = call;
  if ("document" in globalThis) return;
  self.addEventListener("message", ({ data }: MessageEvent<Call>) => {
    const answer = (said: Answer) => self.postMessage(said);
    call(data.name, data.args).then(
      (value) => answer({ id: data.id, value }),
      (error: unknown) => answer({ id: data.id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
  });
}

/** Hands every call on to a worker that has exposed its functions. */
export function exposeWorker(worker: Worker): void {
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  let next = 1;
  const fail = (message: string): void => {
    for (const { reject } of waiting.values()) reject(new Error(message));
    waiting.clear();
  };
  worker.addEventListener("error", (event) => fail(event.message || "the bench's worker could not be loaded"));
  worker.addEventListener("message", ({ data }: MessageEvent<Answer>) => {
    const asked = waiting.get(data.id);
    waiting.delete(data.id);
    if ("error" in data) asked?.reject(new Error(data.error));
    else asked?.resolve(data.value);
  });
  globalThis.tabraftBench = (name, args) =>
    new Promise((resolve, reject) => {
      waiting.set(next, { resolve, reject });
      worker.postMessage({ id: next++, name, args } satisfies Call);
    });
}
