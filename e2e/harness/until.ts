/** Waiting, always for a condition. */

const POLL_MS = 50;
/** Long enough for a machine with two busy cores; a condition that holds is seen at once. */
export const WAIT_MS = 20_000;

/**
 * Asks until the answer is not `null`. After `timeoutMs` it throws, with the words of `standing` on how things are then.
 */
export async function until<Value>(
  what: string,
  ask: () => Promise<Value | null>,
  standing: () => Promise<string>,
  timeoutMs = WAIT_MS,
): Promise<Value> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const value = await ask();
    if (value !== null) return value;
    if (performance.now() > end) throw new Error(`Waited ${timeoutMs} ms for ${what}, in vain.\n${await standing()}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** The promise's value, or `null` if it is late or fails: for questions to a tab that may be blocked, killed or gone. */
export async function soon<Value>(promise: Promise<Value>, timeoutMs: number): Promise<Value | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), timeoutMs);
  });
  try {
    return await Promise.race([promise.catch(() => null), late]);
  } finally {
    clearTimeout(timer);
  }
}
