/** The page's side of the network bench: makes connections as the real page does, and a bare one beside them. */
import type { FromNode, ToNode } from "../../node/protocol.ts";
import { Peers } from "../../page/peers.ts";
import { exposeWorker } from "./expose.ts";

const BARE_CHANNEL_ID = 5;

const worker = new Worker(new URL("./network-worker.ts", import.meta.url), { type: "module" });
exposeWorker(worker);
const peers = new Peers((message: ToNode, transfer) => worker.postMessage(message, transfer ?? []));
worker.addEventListener("message", ({ data }: MessageEvent<FromNode>) => {
  if (data.kind === "dial") peers.dial(data);
  else if (data.kind === "signal") peers.signal(data.connectionId, data.data);
  else if (data.kind === "hangUp") peers.hangUp(data.connectionId);
});

/** A connection with one channel, which the worker gets, and nothing around it. */
function makeBare(): RTCPeerConnection {
  const connection = new RTCPeerConnection();
  const channel = connection.createDataChannel("bare", { negotiated: true, id: BARE_CHANNEL_ID, ordered: true });
  worker.postMessage({ kind: "bare", channel }, [channel as unknown as Transferable]);
  return connection;
}

async function gathered(connection: RTCPeerConnection): Promise<RTCSessionDescriptionInit> {
  while (connection.iceGatheringState !== "complete")
    await new Promise((resolve) => connection.addEventListener("icegatheringstatechange", resolve, { once: true }));
  const { localDescription } = connection;
  if (localDescription === null) throw new Error("there is no description to gather for");
  return localDescription.toJSON();
}

let bare: RTCPeerConnection | null = null;
const pageFunctions: Readonly<Record<string, (description: RTCSessionDescriptionInit) => Promise<unknown>>> = {
  async bareOffer() {
    bare = makeBare();
    await bare.setLocalDescription();
    return gathered(bare);
  },
  async bareAnswer(offer) {
    bare = makeBare();
    await bare.setRemoteDescription(offer);
    await bare.setLocalDescription();
    return gathered(bare);
  },
  async bareAccept(answer) {
    await bare?.setRemoteDescription(answer);
  },
};

const callWorker = globalThis.tabraftBench;
globalThis.tabraftBench = async (name, args) => {
  const own = Object.hasOwn(pageFunctions, name) ? pageFunctions[name] : undefined;
  return own === undefined ? callWorker?.(name, args) : own(args[0] as RTCSessionDescriptionInit);
};
