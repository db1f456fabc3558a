/** What the worker says to people: of signaling, and of a node that has stopped. */
import { StorageFailed } from "../driver/interfaces.ts";
import type { NodeStop, SignalingState } from "./protocol.ts";

export const SIGNALING_WORDS: { readonly [state in SignalingState]: string } = {
  connected: "Signaling is connected.",
  waiting: "Signaling does not answer; trying again.",
  off: "There is no signaling server here: only tabs of this browser find each other.",
};

export function stopOf(cause: Error): NodeStop {
  if (cause instanceof StorageFailed)
    return {
      code: "storage",
      failure: cause.kind,
      message: `This tab's storage failed: ${cause.message}. Nothing more is acknowledged here.`,
    };
  if (cause.name === "UnsupportedVersion")
    return { code: "outdated", message: `This tab runs an older version of the page than the document: ${cause.message}.` };
  return { code: "assertion", message: `The node stopped, since it contradicted itself: ${cause.message}` };
}
