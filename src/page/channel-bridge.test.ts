import { expect, test } from "vitest";
import { FrameReceiver, FrameSender } from "../network/frames.ts";
import { PortChannel } from "../network/port-channel.ts";
import { MemoryChannel, until } from "../network/testing.ts";
import { bridge } from "./channel-bridge.ts";

/** A peer's end, and the near end as the worker sees it through the page. */
function bridged() {
  const [near, far] = MemoryChannel.pair();
  const worker = new PortChannel(bridge(near as unknown as RTCDataChannel));
  const heard: (number | string)[] = [];
  let closed = 0;
  worker.onmessage = ({ data }) => heard.push(typeof data === "string" ? data : data.byteLength);
  worker.onclose = () => (closed += 1);
  return { near, far, worker, heard, closed: () => closed };
}

test("opens, carries bytes both ways, and closes from either end", async () => {
  const { near, far, worker, heard, closed } = bridged();
  expect(() => worker.send(new Uint8Array([1]))).toThrow("not open");
  let opened = false;
  worker.onopen = () => (opened = true);
  near.open();
  far.open();
  await until(() => opened);
  const atPeer: number[] = [];
  far.onmessage = ({ data }) => atPeer.push(data.byteLength);
  const kept = new Uint8Array(7);
  worker.send(kept);
  expect(kept.length).toBe(7);
  worker.send(new Uint8Array([1, 2, 3, 4]).subarray(1, 3));
  await until(() => atPeer.length === 2);
  expect(atPeer).toEqual([7, 2]);
  far.send(new Uint8Array(9));
  near.deliver("text");
  await until(() => heard.length === 2);
  expect(heard.sort()).toEqual([9, "text"]);
  far.close();
  await until(() => closed() === 1);
  expect(worker.readyState).toBe("closed");

  const other = bridged();
  other.worker.close();
  await until(() => other.near.readyState === "closed");
  expect(other.closed()).toBe(1);
});

test("a channel on the page that refuses ends the connection", async () => {
  const { near, worker, closed } = bridged();
  near.open();
  await until(() => worker.readyState === "open");
  near.send = () => {
    throw new Error("full");
  };
  worker.send(new Uint8Array(1));
  await until(() => closed() === 1);
});

test("frames flow through it as through a channel of one's own: what waits in the page is counted", async () => {
  const { near, far, worker } = bridged();
  near.open();
  far.open();
  await until(() => worker.readyState === "open");
  const receiver = new FrameReceiver();
  let bytes = 0;
  far.onmessage = ({ data }) => {
    const messages = receiver.receive(new Uint8Array(data));
    if (typeof messages === "string") throw new Error(messages);
    for (const message of messages) bytes += message.length;
  };
  const sender = new FrameSender(worker, { onFailure: () => undefined });
  near.stalled = true;
  sender.send("control", new Uint8Array(3_000_000));
  await until(() => near.bufferedAmount > 200_000);
  expect(worker.bufferedAmount).toBeLessThan(300_000);
  expect(sender.queuedBytes).toBeGreaterThan(2_500_000);
  near.stalled = false;
  near.flush();
  await until(() => bytes === 3_000_000);
});
