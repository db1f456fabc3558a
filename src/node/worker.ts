/** The worker's door: opens the node that the page asks for, and hands on what comes meanwhile once it is open. */
import { DocumentNode } from "./document-node.ts";
import { CannotOpen, type Open, openNode } from "./open.ts";
import type { FromNode, NodeStop, ToNode } from "./protocol.ts";

const post = (message: FromNode): void => self.postMessage(message);
const waiting: ToNode[] = [];
let opening = false;
let node: DocumentNode | null = null;
let ready = false;

function stop(reason: NodeStop): void {
  if (node) node.stop(reason);
  else post({ kind: "stopped", stop: reason });
}

async function open(message: Open): Promise<void> {
  opening = true;
  try {
    const opened = await openNode(message, (failure) =>
      stop({ code: "storage", failure: failure.kind, message: failure.message }),
    );
    node = new DocumentNode(message, opened, post);
    await node.start(message.create);
    ready = true;
    for (const earlier of waiting.splice(0)) node.receive(earlier);
  } catch (error) {
    stop(error instanceof CannotOpen ? error.stop : assertion(error));
  }
}

function assertion(error: unknown): NodeStop {
  return { code: "assertion", message: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
}

self.addEventListener("message", ({ data }: MessageEvent<ToNode>) => {
  if (data.kind === "open" && !opening) open(data);
  else if (node && ready) node.receive(data);
  else waiting.push(data);
});
// Our own errors end the node with words, instead of leaving a page whose node is silent.
self.addEventListener("error", (event) => stop(assertion(event.error ?? event.message)));
self.addEventListener("unhandledrejection", (event) => stop(assertion(event.reason)));
