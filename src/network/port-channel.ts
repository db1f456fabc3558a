/**
 * A data channel that stayed on the page, since the browser cannot transfer it, as the worker uses it: through a message port. The page's end
 * is `page/channel-bridge.ts`. A busy page delays what passes here; that is why it is only the fallback.
 */
import type { ChannelLike } from "./channel.ts";

/** What the page's end says. Bytes by themselves are a message of the peer. */
export type BridgeSays =
  | ArrayBuffer
  | string
  | { readonly kind: "open" }
  /** So many bytes, of all that were handed over, have left the channel. */
  | { readonly kind: "drained"; readonly bytes: number }
  | { readonly kind: "closed" };

/** What the worker's end says. Bytes by themselves are to be sent. */
export type BridgeHears = ArrayBuffer | { readonly kind: "close" };

/** As much of a MessagePort as is used. */
export interface PortLike {
  onmessage: ((event: MessageEvent) => void) | null;
  postMessage(message: BridgeHears | BridgeSays, transfer: Transferable[]): void;
  close(): void;
}

export class PortChannel implements ChannelLike {
  readyState: ChannelLike["readyState"] = "connecting";
  bufferedAmountLowThreshold = 0;
  binaryType = "arraybuffer";
  onopen: ChannelLike["onopen"] = null;
  onmessage: ChannelLike["onmessage"] = null;
  onclose: ChannelLike["onclose"] = null;
  onbufferedamountlow: ChannelLike["onbufferedamountlow"] = null;
  #handedOver = 0;
  #drained = 0;

  constructor(private readonly port: PortLike) {
    port.onmessage = ({ data }: MessageEvent<BridgeSays>) => this.#receive(data);
  }

  get bufferedAmount(): number {
    return this.#handedOver - this.#drained;
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.readyState !== "open") throw new Error("The channel is not open.");
    this.#handedOver += bytes.length;
    // A copy, since the sender may keep what it has sent, as the handshake does.
    const { buffer } = bytes.slice();
    this.port.postMessage(buffer, [buffer]);
  }

  close(): void {
    if (this.readyState === "closed") return;
    this.port.postMessage({ kind: "close" }, []);
    this.#closed();
  }

  #receive(data: BridgeSays): void {
    if (this.readyState === "closed") return;
    if (data instanceof ArrayBuffer || typeof data === "string") {
      this.onmessage?.(new MessageEvent("message", { data }));
    } else if (data.kind === "open") {
      this.readyState = "open";
      this.onopen?.(new Event("open"));
    } else if (data.kind === "drained") {
      const wasHigh = this.bufferedAmount > this.bufferedAmountLowThreshold;
      this.#drained = data.bytes;
      if (wasHigh && this.bufferedAmount <= this.bufferedAmountLowThreshold)
        this.onbufferedamountlow?.(new Event("bufferedamountlow"));
    } else this.#closed();
  }

  #closed(): void {
    this.readyState = "closed";
    this.port.onmessage = null;
    this.onclose?.(new Event("close"));
  }
}
