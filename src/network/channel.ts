/** As much of an RTCDataChannel as is used, so that tests can do without one. */

export interface ChannelLike {
  readonly readyState: "connecting" | "open" | "closing" | "closed";
  /** Bytes that were sent and have not left yet. */
  readonly bufferedAmount: number;
  bufferedAmountLowThreshold: number;
  binaryType: string;
  onopen: ((event: Event) => void) | null;
  onmessage: ((event: MessageEvent) => void) | null;
  onclose: ((event: Event) => void) | null;
  onbufferedamountlow: ((event: Event) => void) | null;
  /** Throws if the channel is not open or its queue is full. */
  send(bytes: Uint8Array<ArrayBuffer>): void;
  close(): void;
}
