/**
 * Messages in frames of at most 16 KiB, the size that every browser takes. A frame is a row of segments: flags, length, bytes. A long message
 * is cut into segments; short ones that are sent in one turn share a frame. There are two lanes: what waits in `bulk` goes only where
 * `control` leaves room, so a snapshot delays a heartbeat by no more than what the channel already holds.
 */
import type { ChannelLike } from "./channel.ts";

export const MAX_FRAME_BYTES = 16 * 1024;
/** Largest message; a larger one is not sent, and ends the connection on which it comes. */
export const MAX_MESSAGE_BYTES = 8 * 1024 * 1024;
/**
 * Most bytes that may wait for the channel per lane. More than what a leader has unacknowledged at one follower (1 MiB and one command of
 * 2 MiB), so that only a peer that takes nothing any more overflows it.
 */
export const MAX_QUEUED_BYTES = 4 * 1024 * 1024;

/** Flags of a segment, and its length in 16 bits. */
const SEGMENT_HEADER_BYTES = 3;
const FLAG_LAST = 1;
const FLAG_BULK = 2;
/** The channel's own buffer is filled no further than this: what lies in it cannot be overtaken. */
const CONTROL_HIGH_WATER = 256 * 1024;
const BULK_HIGH_WATER = 64 * 1024;

export type Lane = "control" | "bulk";

class Queue {
  /** Unsent rests of messages, the oldest first. */
  readonly #messages: Uint8Array[] = [];
  bytes = 0;

  push(message: Uint8Array): void {
    this.#messages.push(message);
    this.bytes += message.length;
  }

  /** Up to `most` bytes of the oldest message. */
  take(most: number): { readonly bytes: Uint8Array; readonly last: boolean } | null {
    const [oldest] = this.#messages;
    if (oldest === undefined) return null;
    const bytes = oldest.subarray(0, most);
    const last = bytes.length === oldest.length;
    if (last) this.#messages.shift();
    else this.#messages[0] = oldest.subarray(most);
    this.bytes -= bytes.length;
    return { bytes, last };
  }
}

export interface FrameSenderOptions {
  readonly maxQueuedBytes?: number;
  /** Runs a callback after the current turn. */
  readonly defer?: (run: () => void) => void;
  /** The channel refused a frame: the connection is of no more use. Never from inside `send`. */
  readonly onFailure: () => void;
}

export class FrameSender {
  readonly #control = new Queue();
  readonly #bulk = new Queue();
  readonly #maxQueuedBytes: number;
  readonly #defer: (run: () => void) => void;
  #pumpWanted = false;
  #stopped = false;

  constructor(
    private readonly channel: ChannelLike,
    private readonly options: FrameSenderOptions,
  ) {
    this.#maxQueuedBytes = options.maxQueuedBytes ?? MAX_QUEUED_BYTES;
    this.#defer = options.defer ?? ((run) => queueMicrotask(run));
    channel.bufferedAmountLowThreshold = BULK_HIGH_WATER / 2;
    channel.onbufferedamountlow = () => this.#pump();
  }

  /** Bytes that wait here, not in the channel. */
  get queuedBytes(): number {
    return this.#control.bytes + this.#bulk.bytes;
  }

  /** `overflow`: nothing was queued; on `control` that means that the connection must be given up. */
  send(lane: Lane, message: Uint8Array): "queued" | "tooLarge" | "overflow" {
    if (message.length === 0) throw new Error("An empty message cannot be sent.");
    if (message.length > MAX_MESSAGE_BYTES) return "tooLarge";
    const queue = lane === "control" ? this.#control : this.#bulk;
    // A single message always has its place: else one larger than the limit could never be sent.
    if (queue.bytes > 0 && queue.bytes + message.length > this.#maxQueuedBytes) return "overflow";
    queue.push(message);
    if (!this.#pumpWanted) {
      this.#pumpWanted = true;
      this.#defer(() => {
        this.#pumpWanted = false;
        this.#pump();
      });
    }
    return "queued";
  }

  stop(): void {
    this.#stopped = true;
    this.channel.onbufferedamountlow = null;
  }

  #pump(): void {
    while (!this.#stopped && this.channel.readyState === "open") {
      const highWater = this.#control.bytes > 0 ? CONTROL_HIGH_WATER : BULK_HIGH_WATER;
      if (this.queuedBytes === 0 || this.channel.bufferedAmount > highWater) return;
      try {
        this.channel.send(this.#nextFrame());
      } catch {
        this.stop();
        this.options.onFailure();
        return;
      }
    }
  }

  #nextFrame(): Uint8Array<ArrayBuffer> {
    const frame = new Uint8Array(Math.min(MAX_FRAME_BYTES, this.#frameBound()));
    let length = 0;
    for (const [queue, flag] of [
      [this.#control, 0],
      [this.#bulk, FLAG_BULK],
    ] as const) {
      while (length + SEGMENT_HEADER_BYTES < frame.length) {
        const segment = queue.take(frame.length - length - SEGMENT_HEADER_BYTES);
        if (segment === null) break;
        frame[length] = flag | (segment.last ? FLAG_LAST : 0);
        frame[length + 1] = segment.bytes.length >> 8;
        frame[length + 2] = segment.bytes.length & 0xff;
        frame.set(segment.bytes, length + SEGMENT_HEADER_BYTES);
        length += SEGMENT_HEADER_BYTES + segment.bytes.length;
      }
    }
    return frame.slice(0, length);
  }

  /** Each message has at least one byte, so this is never too small for all that waits. */
  #frameBound(): number {
    return this.queuedBytes * (1 + SEGMENT_HEADER_BYTES);
  }
}

export type FrameFault = "badFrame" | "messageTooLarge";

/** Puts messages together again. After a fault it must not be used any more: the connection is given up. */
export class FrameReceiver {
  readonly #parts: { readonly control: Uint8Array[]; readonly bulk: Uint8Array[] } = { control: [], bulk: [] };
  readonly #bytes = { control: 0, bulk: 0 };

  constructor(private readonly maxMessageBytes = MAX_MESSAGE_BYTES) {}

  /** The messages that this frame completes, in order. */
  receive(frame: Uint8Array): Uint8Array[] | FrameFault {
    if (frame.length === 0 || frame.length > MAX_FRAME_BYTES) return "badFrame";
    const messages: Uint8Array[] = [];
    let at = 0;
    while (at < frame.length) {
      const flags = frame[at] ?? 0;
      const length = ((frame[at + 1] ?? 0) << 8) | (frame[at + 2] ?? 0);
      const start = at + SEGMENT_HEADER_BYTES;
      // An empty segment would let a message be begun and never grow.
      if (flags > (FLAG_LAST | FLAG_BULK) || length === 0 || start + length > frame.length) return "badFrame";
      // A message is cut only where a frame is full: else a peer could have us keep millions of crumbs.
      const last = (flags & FLAG_LAST) !== 0;
      if (!last && start + length !== MAX_FRAME_BYTES) return "badFrame";
      const lane = (flags & FLAG_BULK) === 0 ? "control" : "bulk";
      if (this.#bytes[lane] + length > this.maxMessageBytes) return "messageTooLarge";
      this.#parts[lane].push(frame.slice(start, start + length));
      this.#bytes[lane] += length;
      if (last) messages.push(this.#join(lane));
      at = start + length;
    }
    return messages;
  }

  #join(lane: Lane): Uint8Array {
    const parts = this.#parts[lane].splice(0);
    const message = new Uint8Array(this.#bytes[lane]);
    this.#bytes[lane] = 0;
    let at = 0;
    for (const part of parts) {
      message.set(part, at);
      at += part.length;
    }
    return message;
  }
}
