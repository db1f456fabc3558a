/** The offer of a newer page, over a container that is moved by hand as a browser moves its own. */
import { describe, expect, test } from "vitest";
import { PageUpdate } from "./page-update.ts";

class FakeWorker extends EventTarget {
  state: ServiceWorkerState = "installing";
  readonly said: unknown[] = [];
  postMessage(message: unknown): void {
    this.said.push(message);
  }
  become(state: ServiceWorkerState): void {
    this.state = state;
    this.dispatchEvent(new Event("statechange"));
  }
}

class FakeRegistration extends EventTarget {
  installing: FakeWorker | null = null;
  waiting: FakeWorker | null = null;
  active: FakeWorker | null = null;
  /** A script that differs from the one before has been found. */
  find(): FakeWorker {
    this.installing = new FakeWorker();
    this.dispatchEvent(new Event("updatefound"));
    return this.installing;
  }
  install(worker: FakeWorker): void {
    this.installing = null;
    this.waiting = worker;
    worker.become("installed");
  }
}

class FakeContainer extends EventTarget {
  controller: FakeWorker | null = null;
  readonly registration = new FakeRegistration();
  failure: Error | null = null;
  register(): Promise<FakeRegistration> {
    return this.failure === null ? Promise.resolve(this.registration) : Promise.reject(this.failure);
  }
}

async function started(container: FakeContainer | undefined) {
  const calls = { reloads: 0, reported: [] as unknown[] };
  const update = new PageUpdate({
    container: container as unknown as ServiceWorkerContainer | undefined,
    reload: () => {
      calls.reloads += 1;
    },
    report: (error) => calls.reported.push(error),
  });
  update.start();
  await Promise.resolve();
  await Promise.resolve();
  return { update, calls };
}

function controlled(): FakeContainer {
  const container = new FakeContainer();
  container.controller = new FakeWorker();
  container.registration.active = container.controller;
  return container;
}

describe("a newer page", () => {
  test("the very first service worker is no update", async () => {
    const container = new FakeContainer();
    const { update, calls } = await started(container);
    const first = container.registration.find();
    container.registration.install(first);
    container.dispatchEvent(new Event("controllerchange"));
    expect(update.store.getState().ready).toBe(false);
    expect(calls.reloads).toBe(0);
  });

  test("is offered once it is all here, and not while it loads", async () => {
    const container = controlled();
    const { update } = await started(container);
    const newer = container.registration.find();
    expect(update.store.getState().ready).toBe(false);
    container.registration.install(newer);
    expect(update.store.getState().ready).toBe(true);
  });

  test("that arrived before this tab was opened is offered too", async () => {
    const container = controlled();
    container.registration.waiting = new FakeWorker();
    expect((await started(container)).update.store.getState().ready).toBe(true);
  });

  test("accepted: takes over first, then this tab is reloaded", async () => {
    const container = controlled();
    const { update, calls } = await started(container);
    const newer = container.registration.find();
    container.registration.install(newer);
    update.accept();
    expect(newer.said).toEqual(["takeOver"]);
    expect(calls.reloads).toBe(0);
    container.dispatchEvent(new Event("controllerchange"));
    expect(calls.reloads).toBe(1);
  });

  test("accepted in another tab: this one is not reloaded, and is offered it", async () => {
    const container = controlled();
    const { update, calls } = await started(container);
    container.dispatchEvent(new Event("controllerchange"));
    expect(calls.reloads).toBe(0);
    expect(update.store.getState().ready).toBe(true);
    update.accept();
    expect(calls.reloads).toBe(1);
  });

  test("put off: nothing is reloaded", async () => {
    const container = controlled();
    const { update, calls } = await started(container);
    container.registration.install(container.registration.find());
    update.dismiss();
    expect(update.store.getState().ready).toBe(false);
    expect(calls.reloads).toBe(0);
  });

  test("a browser without service workers, and one that refuses, lose nothing but the offer", async () => {
    expect((await started(undefined)).calls.reported).toEqual([]);
    const container = new FakeContainer();
    container.failure = new Error("refused");
    const { update, calls } = await started(container);
    expect(calls.reported).toEqual([container.failure]);
    expect(update.store.getState().ready).toBe(false);
  });
});
