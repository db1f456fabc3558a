import { expect, test } from "vitest";
import { MemoryChannel, VirtualClock } from "../network/testing.ts";
import { MemoryDisk, MemoryStorage } from "../storage/memory-storage.ts";
import { Pause } from "./pause.ts";

test("while it stands still nothing happens; then all of it does, in order, late", async () => {
  const clock = new VirtualClock();
  const pause = new Pause();
  const paused = pause.clock(clock);
  const storage = pause.storage(new MemoryStorage(new MemoryDisk(), (done) => queueMicrotask(done)));
  const [near, far] = MemoryChannel.pair();
  const channel = pause.channel(near);
  const happened: string[] = [];
  channel.onopen = () => happened.push("open");
  channel.onmessage = ({ data }) => happened.push(`message ${data.byteLength}`);
  channel.onclose = () => happened.push("close");
  near.open();
  far.open();
  pause.pause();
  expect(pause.describe()).toHaveLength(1);
  paused.schedule(clock.now() + 10, () => happened.push("timer"));
  const cancel = paused.schedule(clock.now() + 10, () => happened.push("cancelled"));
  paused.soon(() => happened.push("soon"));
  storage.load(() => happened.push("loaded"));
  far.send(new Uint8Array(3));
  await clock.advance(100);
  cancel();
  expect(happened).toEqual(["open"]);
  far.close();
  await clock.advance(10);
  pause.resume();
  expect(happened.slice(1).sort()).toEqual(["close", "loaded", "message 3", "soon", "timer"]);
  expect(happened.indexOf("message 3")).toBeLessThan(happened.indexOf("close"));
  pause.pass(() => happened.push("now"));
  expect(happened.at(-1)).toBe("now");
  expect([pause.paused, pause.describe()]).toEqual([false, []]);
});

test("what goes on first may stop it again: the rest waits", () => {
  const pause = new Pause();
  const happened: string[] = [];
  pause.pause();
  pause.pass(() => {
    happened.push("first");
    pause.pause();
  });
  pause.pass(() => happened.push("second"));
  pause.resume();
  expect(happened).toEqual(["first"]);
  pause.resume();
  expect(happened).toEqual(["first", "second"]);
});
