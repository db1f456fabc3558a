/** What a new node takes over from one whose memory is damaged. */
import type { LogStorage, StorageFailed, StoredState } from "../driver/interfaces.ts";
import type { Registry } from "../storage/registry.ts";

/**
 * A new node on a device where another one was set aside begins with what could be read of that one, as if it had been replicated to it: it
 * never voted, so it may. A person who is alone with the document then reads it all, and may continue without the others.
 */
export async function beginWithRescued(
  topic: string,
  registry: Registry,
  storage: LogStorage,
  pristine: StoredState,
  told: string[],
): Promise<StoredState> {
  const rows = (await registry.nodes(topic)).filter(({ isSetAside, gaveWay }) => isSetAside && !gaveWay);
  if (rows.length === 0) return pristine;
  // Rarely needed, and then never in a hurry.
  const { salvage } = await import("../storage/salvage.ts");
  const found: StoredState[] = [];
  for (const { id } of rows) {
    const state = await salvage(topic, id);
    if (state !== null) found.push(state);
  }
  const [best] = found.sort(byLog);
  if (best === undefined) return pristine;
  const { snapshot, entries, hardState, commitIndex } = best;
  const from = snapshot?.index ?? 0;
  if (snapshot !== null) await done((end) => storage.saveSnapshot({ snapshot, compactThrough: from, reset: true }, end));
  const rest = entries.filter(({ index }) => index > from);
  await done((end) => storage.persist({ hardState, truncateFrom: null, entries: rest, commitIndex }, end));
  told.push(`It begins with what could be read of the one that was set aside: ${rest.length + from} entries of the log.`);
  const base = { baseTerm: snapshot?.term ?? 0, firstIndex: from + 1 };
  return { hardState, snapshot, ...base, entries: rest, commitIndex };
}

/** The best (last term, last index) first. */
function byLog(a: StoredState, b: StoredState): number {
  const end = ({ entries, snapshot, firstIndex }: StoredState) =>
    [entries.at(-1)?.term ?? snapshot?.term ?? 0, firstIndex + entries.length] as const;
  const [[termA, indexA], [termB, indexB]] = [end(a), end(b)];
  return termB - termA || indexB - indexA;
}

function done(write: (end: (failure: StorageFailed | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => write((failure) => (failure === null ? resolve() : reject(failure))));
}
