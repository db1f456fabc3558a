/** The home page's worker: lists the documents on this device, and forgets one. */
import { Registry } from "../storage/registry.ts";
import type { FromShelf, ToShelf } from "./protocol.ts";
import { forgetDocument, listDocuments } from "./shelf.ts";

const answer = (said: FromShelf): void => self.postMessage(said);

async function carryOut(asked: ToShelf): Promise<void> {
  const registry = await Registry.open();
  try {
    const failure = asked.kind === "forget" ? await forgetDocument(registry, navigator.locks, asked.topic) : null;
    answer({ documents: await listDocuments(registry, navigator.locks as never), failure });
  } finally {
    registry.close();
  }
}

self.addEventListener("message", ({ data }: MessageEvent<ToShelf>) => {
  carryOut(data).catch((error: Error) =>
    answer({ documents: [], failure: `The documents on this device cannot be listed: ${error.message}` }),
  );
});
