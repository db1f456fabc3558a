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
/** It is filled again from here on: early enough that it never runs dry meanwhile. */
const LOW_WATER = 48 * 1024;

export type Lane = "control" | "bulk";

const EMPTY = new Uint8Array(0);

/** Messages are taken from its front often and in pieces, so nothing is moved for that. */
class Queue {
  #messages: Uint8Array[] = [];
  /** Of the oldest message that is not sent whole, and how much of it is. */
  #first = 0;
  #sent = 0;
  bytes = 0;

  push(message: Uint8Array): void {
    this.#messages.push(message);
    this.bytes += message.length;
  }

  /** Writes up to `most` bytes of the oldest message into `frame`; returns how many, negative if that was its end, 0 if there is none. */
  take(frame: Uint8Array, at: number, most: number): number {
    const oldest = this.#messages[this.#first];
    if (oldest === undefined) return 0;
    const length = Math.min(most, oldest.length - this.#sent);
    frame.set(length === oldest.length ? oldest : oldest.subarray(this.#sent, this.#sent + length), at);
    this.bytes -= length;
    this.#sent += length;
    if (this.#sent < oldest.length) return length;
    this.#advance();
    return -length;
  }

  #advance(): void {
    this.#sent = 0;
    this.#messages[this.#first] = EMPTY;
    this.#first += 1;
    if (this.#first === this.#messages.length) {
      this.#messages = [];
      this.#first = 0;
    } else if (this.#first >= 1024 && this.#first * 2 >= this.#messages.length) {
      this.#messages = this.#messages.slice(this.#first);
      this.#first = 0;
    }
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
    channel.bufferedAmountLowThreshold = LOW_WATER;
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
        const taken = queue.take(frame, length + SEGMENT_HEADER_BYTES, frame.length - length - SEGMENT_HEADER_BYTES);
        if (taken === 0) break;
        const bytes = Math.abs(taken);
        frame[length] = flag | (taken < 0 ? FLAG_LAST : 0);
        frame[length + 1] = bytes >> 8;
        frame[length + 2] = bytes & 0xff;
        length += SEGMENT_HEADER_BYTES + bytes;
      }
    }
    return length === frame.length ? frame : frame.slice(0, length);
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

  /** The messages that this frame completes, in order. They may lie in the frame itself: whoever keeps one keeps that as well. */
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
      at = start + length;
      if (last && this.#bytes[lane] === 0) {
        messages.push(frame.subarray(start, at));
        continue;
      }
      this.#parts[lane].push(frame.slice(start, at));
      this.#bytes[lane] += length;
      if (last) messages.push(this.#join(lane));
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
