import "fake-indexeddb/auto";
import { deleteDB } from "idb";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type NodeRow, REGISTRY_NAME, Registry } from "../storage/registry.ts";
import { type Identity, type LocksLike, lockName, takeIdentity, takeNode } from "./identity.ts";

/** Exclusive locks as browsers have them: granted in a later task, refused if held, taken from the holder by `steal`. */
class LockTable implements LocksLike {
  readonly #held = new Map<string, (error: DOMException) => void>();

  get names(): string[] {
    return [...this.#held.keys()];
  }

  async request<T>(
    name: string,
    { steal = false }: { readonly ifAvailable: boolean; readonly steal?: boolean },
    callback: (lock: { readonly name: string } | null) => Promise<T>,
  ): Promise<T> {
    await new Promise((resolve) => setImmediate(resolve));
    const holder = this.#held.get(name);
    if (holder !== undefined && !steal) return callback(null);
    holder?.(new DOMException("the lock was stolen", "AbortError"));
    let robbed = (_error: DOMException): void => undefined;
    const stolen = new Promise<never>((_, reject) => {
      robbed = reject;
    });
    this.#held.set(name, robbed);
    try {
      return await Promise.race([callback({ name }), stolen]);
    } finally {
      if (this.#held.get(name) === robbed) this.#held.delete(name);
    }
  }
}

const topic = "room";
let locks: LockTable;
let registry: Registry;
let seed = 0;

beforeEach(async () => {
  locks = new LockTable();
  registry = await Registry.open();
});
afterEach(async () => {
  registry.close();
  await deleteDB(REGISTRY_NAME);
});

function random(count: number): Uint8Array {
  return Uint8Array.from({ length: count }, () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed >>> 24;
  });
}
function take(hint: string | null = null): Promise<Identity> {
  return takeIdentity({ locks, registry, topic, hint, random, now: () => 1000 });
}
async function note(id: string, changes: Partial<NodeRow> = {}): Promise<void> {
  const row = {
    id,
    topic,
    lastTerm: 1,
    lastIndex: 1,
    isVoter: false,
    lastUse: 1,
    hasRun: true,
    isSetAside: false,
    bytes: 0,
    isOnlyCopy: false,
    gaveWay: false,
  };
  await registry.putNode({ ...row, ...changes });
}

describe("which node a tab takes", () => {
  test("the one that it ran last, whatever else is free", async () => {
    await note("best", { isVoter: true, lastTerm: 9 });
    await note("own");
    expect(await take("own")).toMatchObject({ nodeId: "own", isNew: false });
  });

  test("without it, the free voter with the best (last term, last index), then any other free one, then a new one", async () => {
    await note("longLearner", { lastTerm: 9, lastIndex: 99 });
    await note("oldTerm", { isVoter: true, lastTerm: 2, lastIndex: 50 });
    await note("shorter", { isVoter: true, lastTerm: 3, lastIndex: 10 });
    await note("longer", { isVoter: true, lastTerm: 3, lastIndex: 11 });
    await note("elsewhere", { topic: "other", isVoter: true, lastTerm: 99 });
    const order: string[] = [];
    for (let at = 0; at < 4; at++) order.push((await take()).nodeId);
    expect(order).toEqual(["longer", "shorter", "oldTerm", "longLearner"]);
    expect(await take()).toMatchObject({ nodeId: expect.stringMatching(/^[A-Za-z0-9]{22}$/), isNew: true });
  });

  test("never a hint that this device does not know: its log is gone", async () => {
    expect((await take("evicted")).nodeId).not.toBe("evicted");
    await note("foreign", { topic: "other" });
    expect((await take("foreign")).nodeId).not.toBe("foreign");
  });

  test("a duplicated tab, with the hint of a running one, becomes another node", async () => {
    const first = await take();
    const second = await take(first.nodeId);
    expect(second.nodeId).not.toBe(first.nodeId);
  });

  test("never one that is excepted now, though it stays free", async () => {
    await note("ofTheFuture", { isVoter: true });
    await note("other");
    const except = new Set(["ofTheFuture"]);
    const taken = await takeIdentity({ locks, registry, topic, hint: "ofTheFuture", except, random, now: () => 1000 });
    expect(taken.nodeId).toBe("other");
    expect((await take()).nodeId).toBe("ofTheFuture");
  });

  test("never one that gave way to another generation", async () => {
    await note("old", { gaveWay: true, isVoter: true });
    expect((await take("old")).nodeId).not.toBe("old");
  });

  test("never one that is set aside, also if that happened while waiting for its lock", async () => {
    await note("damaged", { isVoter: true, isSetAside: true });
    expect((await take("damaged")).nodeId).not.toBe("damaged");
    await note("racing", { isVoter: true });
    const [taken] = await Promise.all([take("racing"), registry.setAside("racing")]);
    expect(taken.nodeId).not.toBe("racing");
    expect(locks.names).not.toContain(lockName(topic, "racing"));
  });
});

describe("an identity", () => {
  test("never runs twice: thirty tabs at once over ten nodes, all with the same hint", async () => {
    for (let at = 0; at < 10; at++) await note(`node${at}`, { isVoter: at % 2 === 0 });
    const taken = await Promise.all(Array.from({ length: 30 }, () => take("node3")));
    expect(new Set(taken.map(({ nodeId }) => nodeId)).size).toBe(30);
    expect(taken.filter(({ isNew }) => !isNew)).toHaveLength(10);
    expect((await registry.nodes(topic)).map(({ id }) => id).sort()).toEqual(taken.map(({ nodeId }) => nodeId).sort());
  });

  test("is free again once released", async () => {
    const first = await take();
    await first.markRun();
    await first.release();
    expect(await take()).toMatchObject({ nodeId: first.nodeId, isNew: false });
  });

  test("that is new is noted before it is used, and stays new until it has run", async () => {
    const first = await take();
    expect(await registry.node(first.nodeId)).toMatchObject({ topic, hasRun: false, lastUse: 1000 });
    await first.release();
    const second = await take();
    expect(second).toMatchObject({ nodeId: first.nodeId, isNew: true });
    await second.markRun();
    expect(await registry.node(first.nodeId)).toMatchObject({ hasRun: true });
  });

  test("that is stolen says so to its holder, and only to it", async () => {
    const [robbed, safe] = await Promise.all([take(), take()]);
    let safeLost = false;
    safe.lost.then(() => {
      safeLost = true;
    });
    const name = lockName(topic, robbed.nodeId);
    const thief = locks.request(name, { ifAvailable: false, steal: true }, () => robbed.lost);
    await robbed.lost;
    await thief;
    await robbed.release();
    await safe.release();
    expect(safeLost).toBe(false);
  });

  test("cannot be taken by name while it runs, nor in another room", async () => {
    await note("one");
    const held = await takeNode({ locks, registry, topic }, "one");
    expect(held?.nodeId).toBe("one");
    expect(await takeNode({ locks, registry, topic }, "one")).toBeNull();
    await held?.release();
    expect(await takeNode({ locks, registry, topic: "other" }, "one")).toBeNull();
    expect(locks.names).toEqual([]);
  });

  test("leaves no lock behind when the registry fails", async () => {
    registry.close();
    await expect(takeNode({ locks, registry, topic }, "one")).rejects.toMatchObject({ name: "StorageFailed" });
    expect(locks.names).toEqual([]);
  });

  test("a lock manager that refuses is passed on", async () => {
    const refusing: LocksLike = { request: () => Promise.reject(new DOMException("not here", "SecurityError")) };
    await expect(takeIdentity({ locks: refusing, registry, topic, hint: null, random, now: () => 0 })).rejects.toThrow(
      "not here",
    );
  });
});
