import "fake-indexeddb/auto";
import { describe, expect, test } from "vitest";
import type { LogStorage } from "../driver/interfaces.ts";
import type { SnapshotMeta } from "../raft/types.ts";
import { indexedDbUnderTest } from "./browser-check.ts";
import { NOTHING, type StorageUnderTest, storageContract } from "./contract.ts";
import { FaultyStorage } from "./faulty-storage.ts";
import { MemoryDisk, MemoryStorage } from "./memory-storage.ts";

async function memory(): Promise<StorageUnderTest> {
  const disk = new MemoryDisk();
  return { open: async () => new MemoryStorage(disk, queueMicrotask), dispose: async () => undefined };
}

async function slow(): Promise<StorageUnderTest> {
  const disk = new MemoryDisk();
  const open = async () => {
    const storage = new FaultyStorage(new MemoryStorage(disk, queueMicrotask), (_delay, fire) => setImmediate(fire));
    storage.delayMs = 1;
    return storage;
  };
  return { open, dispose: async () => undefined };
}

const makers: Record<string, () => Promise<StorageUnderTest>> = {
  memory,
  "memory behind a slow disk": slow,
  "fake IndexedDB, strict": () => indexedDbUnderTest("strict"),
  "fake IndexedDB, relaxed": () => indexedDbUnderTest("relaxed"),
};

describe.each(Object.entries(makers))("%s", (_name, make) => {
  for (const one of storageContract(make)) test(one.name, one.run);
});

describe("the contract finds a storage that", () => {
  /** Runs all cases on a broken memory storage and returns the names of those that failed. */
  async function findings(breakIt: (storage: LogStorage) => LogStorage): Promise<string[]> {
    const failed: string[] = [];
    const make = async (): Promise<StorageUnderTest> => {
      const inner = await memory();
      return { ...inner, open: async () => breakIt(await inner.open()) };
    };
    for (const one of storageContract(make)) await one.run().catch(() => failed.push(one.name));
    return failed;
  }
  const override = (storage: LogStorage, changes: Partial<LogStorage>): LogStorage => ({
    load: (done) => storage.load(done),
    persist: (write, done) => storage.persist(write, done),
    saveSnapshot: (write, done) => storage.saveSnapshot(write, done),
    snapshotMeta: () => storage.snapshotMeta(),
    close: () => storage.close(),
    ...changes,
  });
  const over = (storage: LogStorage, persist: LogStorage["persist"]) => override(storage, { persist });

  test("keeps all promises: nothing", async () => {
    expect(await findings((storage) => storage)).toEqual([]);
  });
  test("forgets the vote", async () => {
    const broken = (s: LogStorage) => over(s, (write, done) => s.persist({ ...write, hardState: null }, done));
    expect(await findings(broken)).toContain("a later hard state replaces the earlier one");
  });
  test("acknowledges from inside the call", async () => {
    const broken = (s: LogStorage) =>
      over(s, (write, done) => {
        s.persist(write, () => undefined);
        done(null);
      });
    expect(await findings(broken)).toContain("never calls back from inside the call");
  });
  test("acknowledges before it wrote", async () => {
    const broken = (s: LogStorage) =>
      over(s, (write, done) => {
        s.persist({ ...NOTHING, hardState: write.hardState }, done);
      });
    expect(await findings(broken)).toContain("finds after a restart all that was acknowledged, of every kind");
  });
  test("forgets to compact", async () => {
    const broken = (s: LogStorage) =>
      override(s, { saveSnapshot: (write, done) => s.saveSnapshot({ ...write, compactThrough: 0 }, done) });
    expect(await findings(broken)).toContain("compaction inside a record");
  });
  test("tells of a snapshot too early", async () => {
    const broken = (s: LogStorage) => {
      let early: SnapshotMeta | null = null;
      return override(s, {
        saveSnapshot: (write, done) => {
          early = write.snapshot;
          s.saveSnapshot(write, done);
        },
        snapshotMeta: () => early ?? s.snapshotMeta(),
      });
    };
    expect(await findings(broken)).toContain("tells of the snapshot once it is durable, and once it was loaded");
  });
  test("forgets the snapshot", async () => {
    const broken = (s: LogStorage) => override(s, { saveSnapshot: (_write, done) => queueMicrotask(() => done(null)) });
    expect(await findings(broken)).toContain("a snapshot is found beside the log that it does not shorten");
  });
});
