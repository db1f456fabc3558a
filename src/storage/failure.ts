/** Turns what IndexedDB throws into the four kinds of a failed storage. */
import { StorageFailed } from "../driver/interfaces.ts";

type Doing = "opening" | "reading" | "writing";

/** Names under which browsers report that a stored value itself can no longer be read. */
const UNREADABLE_VALUE = new Set(["NotReadableError", "DataError", "DataCloneError"]);

/** The first of `errors` that tells most: a transaction that ran out of space also aborts each of its requests. */
export function toStorageFailed(doing: Doing, ...errors: readonly unknown[]): StorageFailed {
  const kept = errors.find((error) => error instanceof StorageFailed);
  if (kept instanceof StorageFailed) return kept;
  const all = errors.map(describe);
  const full = all.find(({ name }) => name === "QuotaExceededError");
  if (full !== undefined) return new StorageFailed("full", `no space left while ${doing}: ${full.message}`);
  const telling = all.find(({ name }) => name !== "AbortError") ?? all[0] ?? { name: "Error", message: "no reason given" };
  const message = `${doing} failed: ${telling.name}: ${telling.message}`;
  if (doing === "opening" && telling.name === "VersionError") return new StorageFailed("future", message);
  if (doing === "reading" && UNREADABLE_VALUE.has(telling.name)) return new StorageFailed("damaged", message);
  return new StorageFailed("lost", message);
}

/** What rejected among `promises`, once all of them are settled. */
export async function rejections(promises: readonly Promise<unknown>[]): Promise<unknown[]> {
  const settled = await Promise.allSettled(promises);
  return settled.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []));
}

function describe(error: unknown): { name: string; message: string } {
  return error instanceof Error || error instanceof DOMException
    ? { name: error.name, message: error.message }
    : { name: "Error", message: String(error) };
}
