/** A worker of its own that takes the steps of a trace again, so that neither the node nor the page waits for it. */
import { Replay } from "../driver/replay.ts";
import { readTrace } from "../driver/trace-codec.ts";
import type { FromReplay, ToReplay } from "./protocol.ts";

const post = (message: FromReplay): void => self.postMessage(message);
let replay: Replay | null = null;

function open(text: string): void {
  const file = readTrace(text);
  replay = new Replay(file);
  const { turningPoints, endsAsWritten } = replay.run();
  const { core, names, wallTimeAtZero } = file;
  post({ kind: "opened", nodeId: core.id, names, wallTimeAtZero, steps: replay.steps, turningPoints, endsAsWritten });
}

self.addEventListener("message", ({ data }: MessageEvent<ToReplay>) => {
  try {
    if (data.kind === "open") open(data.text);
    else if (replay) post({ kind: "step", step: replay.at(data.step) });
  } catch (error) {
    // A file from elsewhere may say anything; what the core makes of it then is no fault of this tab.
    post({ kind: "failed", message: error instanceof Error ? error.message : String(error) });
  }
});
