import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FrameReceiver, FrameSender, MAX_FRAME_BYTES, MAX_MESSAGE_BYTES } from "./frames.ts";
import { MemoryChannel, until } from "./testing.ts";

function wire(options: { maxQueuedBytes?: number } = {}) {
  const [near, far] = MemoryChannel.pair();
  near.open();
  far.open();
  const heard: Uint8Array[] = [];
  const receiver = new FrameReceiver();
  far.onmessage = (event) => {
    const messages = receiver.receive(new Uint8Array(event.data));
    if (typeof messages === "string") throw new Error(messages);
    heard.push(...messages);
  };
  let failures = 0;
  const sender = new FrameSender(near, { ...options, onFailure: () => (failures += 1) });
  return { near, far, heard, sender, failures: () => failures };
}

const filled = (length: number, value: number) => new Uint8Array(length).fill(value);

describe("frames", () => {
  test("whatever is sent in each lane arrives there whole and in order", async () => {
    const messages = fc.array(
      fc.record({
        lane: fc.constantFrom("control" as const, "bulk" as const),
        size: fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 16_300, max: 16_500 }), fc.constant(100_000)),
      }),
      { maxLength: 30 },
    );
    await fc.assert(
      fc.asyncProperty(messages, async (sent) => {
        const { heard, sender, near } = wire();
        for (const [at, { lane, size }] of sent.entries()) sender.send(lane, filled(size, (lane === "bulk" ? 128 : 0) + at));
        await until(() => heard.length === sent.length);
        for (const lane of ["control", "bulk"] as const) {
          const expected = sent.flatMap((message, at) =>
            message.lane === lane ? [[message.size, (lane === "bulk" ? 128 : 0) + at]] : [],
          );
          const found = heard.filter((message) => (message[0] ?? 0) >= 128 === (lane === "bulk"));
          expect(found.map((message) => [message.length, message[0]])).toEqual(expected);
          for (const message of found) expect(message.every((byte) => byte === message[0])).toBe(true);
        }
        for (const frame of near.sent) expect(frame.length).toBeLessThanOrEqual(MAX_FRAME_BYTES);
      }),
      { numRuns: 50 },
    );
  });

  test("short messages of one turn share a frame", async () => {
    const { heard, sender, near } = wire();
    for (let count = 0; count < 100; count += 1) sender.send("control", filled(40, count));
    await until(() => heard.length === 100);
    expect(near.sent.length).toBe(1);
  });

  test("control overtakes bulk that waits", async () => {
    const { heard, sender, near } = wire();
    near.stalled = true;
    sender.send("bulk", filled(1_000_000, 2));
    await until(() => near.sent.length > 0);
    const before = near.sent.length;
    // No more than the bulk lane may lay into the channel, so this is all that a heartbeat waits for.
    expect(near.bufferedAmount).toBeLessThanOrEqual(64 * 1024 + MAX_FRAME_BYTES);
    sender.send("control", filled(60, 1));
    await until(() => near.sent.length === before + 1);
    near.stalled = false;
    near.flush();
    await until(() => heard.length === 2);
    expect(heard.map((message) => message[0])).toEqual([1, 2]);
  });

  test("nothing more is given to a full channel, and it goes on once that has room", async () => {
    const { heard, sender, near } = wire();
    near.stalled = true;
    sender.send("control", filled(2_000_000, 1));
    await until(() => near.sent.length > 0);
    expect(near.bufferedAmount).toBeLessThanOrEqual(256 * 1024 + MAX_FRAME_BYTES);
    near.stalled = false;
    near.flush();
    await until(() => heard.length === 1);
    expect(sender.queuedBytes).toBe(0);
  });

  test("a full queue takes nothing more, but one large message always has its place", () => {
    const { sender } = wire({ maxQueuedBytes: 1000 });
    expect(sender.send("control", filled(5000, 1))).toBe("queued");
    expect(sender.send("control", filled(1, 1))).toBe("overflow");
    expect(sender.send("bulk", filled(900, 1))).toBe("queued");
    expect(sender.send("bulk", filled(200, 1))).toBe("overflow");
    expect(sender.send("control", new Uint8Array(MAX_MESSAGE_BYTES + 1))).toBe("tooLarge");
  });

  test("a channel that refuses is told once, and not from inside send", async () => {
    const { sender, near, failures } = wire();
    near.send = () => {
      throw new Error("full");
    };
    sender.send("control", filled(10, 1));
    sender.send("control", filled(10, 1));
    expect(failures()).toBe(0);
    await until(() => failures() === 1);
    sender.send("control", filled(10, 1));
    await until(() => true);
    expect(failures()).toBe(1);
  });
});

describe("frames that are refused", () => {
  const segment = (flags: number, length: number, bytes: number[]) =>
    new Uint8Array([flags, length >> 8, length & 0xff, ...bytes]);
  test.each([
    ["nothing", new Uint8Array()],
    ["too long", new Uint8Array(MAX_FRAME_BYTES + 1)],
    ["cut in the head", new Uint8Array([1, 0])],
    ["shorter than it says", segment(1, 5, [1, 2, 3])],
    ["an empty segment", segment(1, 0, [])],
    ["unknown flags", segment(4, 1, [1])],
    ["a message cut where the frame is not full", segment(0, 1, [1])],
    ["something after the last segment", new Uint8Array([...segment(1, 1, [1]), 1])],
  ])("%s", (_what, frame) => {
    expect(new FrameReceiver().receive(frame)).toBe("badFrame");
  });

  test("a message that never ends", () => {
    const receiver = new FrameReceiver(100_000);
    const frame = new Uint8Array(MAX_FRAME_BYTES);
    frame.set([0, (MAX_FRAME_BYTES - 3) >> 8, (MAX_FRAME_BYTES - 3) & 0xff]);
    let answer: unknown = [];
    let frames = 0;
    while (typeof answer !== "string" && frames < 100) {
      answer = receiver.receive(frame);
      frames += 1;
    }
    expect([answer, frames]).toEqual(["messageTooLarge", 7]);
  });

  test("any bytes at all: an answer, never a throw", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 10 }), (frames) => {
        const receiver = new FrameReceiver();
        for (const frame of frames) if (typeof receiver.receive(frame) === "string") return;
      }),
      { numRuns: 2000 },
    );
  });
});
