import { expect, test } from "vitest";
import { commands, loadStorage, persistWrite, saveSnapshot, snapshotAt } from "./contract.ts";
import { FaultyStorage } from "./faulty-storage.ts";
import { MemoryDisk, MemoryStorage } from "./memory-storage.ts";

function make() {
  const disk = new MemoryDisk();
  const waits: { delayMs: number; fire: () => void }[] = [];
  const storage = new FaultyStorage(new MemoryStorage(disk, queueMicrotask), (delayMs, fire) => waits.push({ delayMs, fire }));
  return { disk, waits, storage };
}

test("the k-th write fails and all after it, healed or not; nothing of them is stored", async () => {
  const { disk, waits, storage } = make();
  storage.failAfter(2, "full");
  await persistWrite(storage, { entries: commands(1, 1, 1) });
  await persistWrite(storage, { entries: commands(2, 2, 1) });
  const third = persistWrite(storage, { entries: commands(3, 3, 1) });
  waits.shift()?.fire();
  await expect(third).rejects.toMatchObject({ name: "StorageFailed", kind: "full" });
  storage.heal();
  const fourth = persistWrite(storage, { entries: commands(3, 3, 1) });
  waits.shift()?.fire();
  await expect(fourth).rejects.toMatchObject({ kind: "full" });
  expect(disk.read().entries).toHaveLength(2);
});

test("a slow write is not durable before its time, and later ones wait for it", async () => {
  const { disk, waits, storage } = make();
  await loadStorage(storage);
  storage.delayMs = 300;
  const first = persistWrite(storage, { entries: commands(1, 1, 1) });
  storage.delayMs = 0;
  const second = persistWrite(storage, { entries: commands(2, 2, 1) });
  expect(waits.map(({ delayMs }) => delayMs)).toEqual([300]);
  expect(disk.read().entries).toHaveLength(0);
  waits.shift()?.fire();
  await first;
  await second;
  expect(disk.read().entries).toHaveLength(2);
});

test("a snapshot is a write like the others: slow, in turn, and refused after a failure", async () => {
  const { disk, waits, storage } = make();
  await loadStorage(storage);
  await persistWrite(storage, { entries: commands(1, 4, 1) });
  storage.delayMs = 300;
  const first = saveSnapshot(storage, { snapshot: snapshotAt(3, 1), compactThrough: 2 });
  expect(disk.read().snapshot).toBeNull();
  expect(storage.snapshotMeta()).toBeNull();
  waits.shift()?.fire();
  await first;
  expect(storage.snapshotMeta()).toMatchObject({ index: 3, term: 1 });
  storage.failAfter(0, "full");
  const second = saveSnapshot(storage, { snapshot: snapshotAt(4, 1) });
  waits.shift()?.fire();
  await expect(second).rejects.toMatchObject({ kind: "full" });
  expect(disk.read()).toMatchObject({ snapshot: { index: 3 }, firstIndex: 3, baseTerm: 1 });
});
