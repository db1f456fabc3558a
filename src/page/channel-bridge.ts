/**
 * For browsers that cannot transfer a data channel to a worker: the channel stays here, and its bytes pass through a message port. Also tells
 * which kind of browser this is, by trying.
 */
import type { BridgeHears, BridgeSays } from "../node/protocol.ts";

/** As the worker's own low mark, so that it hears of room when it wants more. */
const LOW_BYTES = 32 * 1024;

let transfers: boolean | null = null;

/** Whether this page can give a data channel away. The worker must be able to take it as well. */
export function canTransferChannels(): boolean {
  transfers ??= tryTransfer();
  return transfers;
}

function tryTransfer(): boolean {
  const connection = new RTCPeerConnection();
  const { port1, port2 } = new MessageChannel();
  try {
    const channel = connection.createDataChannel("probe", { negotiated: true, id: 1 });
    port1.postMessage(null, [channel as unknown as Transferable]);
    return true;
  } catch (error) {
    if (error instanceof DOMException || error instanceof TypeError) return false;
    throw error;
  } finally {
    connection.close();
    port1.close();
    port2.close();
  }
}

/** Joins the channel to a port; returns the port's other end, for the worker. */
export function bridge(channel: RTCDataChannel): MessagePort {
  const { port1: port, port2 } = new MessageChannel();
  const say = (message: BridgeSays) => port.postMessage(message, message instanceof ArrayBuffer ? [message] : []);
  let handedOver = 0;
  channel.binaryType = "arraybuffer";
  channel.bufferedAmountLowThreshold = LOW_BYTES;
  const tellDrained = () => say({ kind: "drained", bytes: handedOver - channel.bufferedAmount });
  channel.onopen = () => say({ kind: "open" });
  channel.onmessage = ({ data }) => say(data);
  channel.onbufferedamountlow = tellDrained;
  channel.onclose = () => {
    say({ kind: "closed" });
    port.close();
  };
  port.onmessage = ({ data }: MessageEvent<BridgeHears>) => {
    if (!(data instanceof ArrayBuffer)) {
      channel.close();
      return;
    }
    try {
      channel.send(new Uint8Array(data));
      handedOver += data.byteLength;
    } catch {
      // The worker hears of the end, and makes another connection.
      channel.close();
      return;
    }
    if (channel.bufferedAmount <= LOW_BYTES) tellDrained();
  };
  if (channel.readyState === "open") say({ kind: "open" });
  return port2;
}
