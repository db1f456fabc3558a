/** The storage bench runs where a node does: in a worker. */
import { exposeWorker } from "./expose.ts";

exposeWorker(new Worker(new URL("./storage-worker.ts", import.meta.url), { type: "module" }));
