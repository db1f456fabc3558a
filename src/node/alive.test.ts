import { expect, test } from "vitest";
import { AliveWatch, holdAlive, type SharedLocksLike } from "./alive.ts";

/** Exclusive and shared locks in order of asking, as the browser grants them. */
class MemoryLocks implements SharedLocksLike {
  readonly #queues = new Map<string, { mode: string; run: () => Promise<unknown>; active: boolean }[]>();

  request<T>(
    name: string,
    { mode, signal }: { mode: "exclusive" | "shared"; signal?: AbortSignal },
    callback: () => Promise<T>,
  ): Promise<T> {
    const queue = this.#queues.get(name) ?? [];
    this.#queues.set(name, queue);
    return new Promise((resolve, reject) => {
      const request = { mode, run: () => callback().then(resolve, reject), active: false };
      queue.push(request);
      signal?.addEventListener("abort", () => {
        if (request.active) return;
        queue.splice(queue.indexOf(request), 1);
        reject(signal.reason);
      });
      this.#grant(queue);
    });
  }

  #grant(queue: { mode: string; run: () => Promise<unknown>; active: boolean }[]): void {
    for (const [at, request] of queue.entries()) {
      const before = queue.slice(0, at);
      if (request.active || !before.every(({ mode, active }) => active && mode === "shared" && request.mode === "shared"))
        continue;
      request.active = true;
      void request.run().finally(() => {
        queue.splice(queue.indexOf(request), 1);
        this.#grant(queue);
      });
    }
  }
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

test("the end of a watched node is told once, to everybody who watches it", async () => {
  const locks = new MemoryLocks();
  const end = holdAlive(locks, "room", "a");
  const told: string[] = [];
  const watches = ["b", "c"].map((by) => new AliveWatch(locks, "room", (id) => told.push(`${by}: ${id}`)));
  for (const watch of watches) watch.watch("a");
  for (const watch of watches) watch.watch("a");
  await turn();
  expect(told).toEqual([]);
  end();
  await turn();
  expect(told.sort()).toEqual(["b: a", "c: a"]);
});

test("whoever watches another, or nobody, is told nothing of the first", async () => {
  const locks = new MemoryLocks();
  const ends = ["a", "b"].map((id) => holdAlive(locks, "room", id));
  const told: string[] = [];
  const watch = new AliveWatch(locks, "room", (id) => told.push(id));
  watch.watch("a");
  watch.watch("b");
  ends[0]?.();
  await turn();
  expect(told).toEqual([]);
  watch.watch(null);
  ends[1]?.();
  await turn();
  expect(told).toEqual([]);
});

test("one that is back is watched again, and is not kept from coming back by those who watch", async () => {
  const locks = new MemoryLocks();
  const told: string[] = [];
  const watch = new AliveWatch(locks, "room", (id) => told.push(id));
  const end = holdAlive(locks, "room", "a");
  watch.watch("a");
  end();
  const endAgain = holdAlive(locks, "room", "a");
  await turn();
  expect(told).toEqual(["a"]);
  watch.watch("a");
  await turn();
  expect(told).toEqual(["a"]);
  endAgain();
  await turn();
  expect(told).toEqual(["a", "a"]);
});
