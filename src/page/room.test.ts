/** A room over a worker that is the real document behind the protocol: the console API, the mirror, the store. */
import { beforeEach, describe, expect, it } from "vitest";
import { placed } from "../document/editing.test-kit.ts";
import { SharedDocument } from "../document/shared-document.ts";
import type { FromNode, NodeRequest, NodeStatus, ToNode } from "../node/protocol.ts";
import { type ConsoleApi, createConsoleApi } from "./console-api.ts";
import { NodeError } from "./node-client.ts";
import { Room } from "./room.ts";
import { createSessionStore, type SessionStore } from "./session-store.ts";

const STATUS: NodeStatus = {
  nodeId: "node-a",
  name: "Ada",
  role: "leader",
  term: 2,
  leader: "node-a",
  commitIndex: 1,
  lastApplied: 1,
  lastLogIndex: 1,
  firstLogIndex: 1,
  snapshotIndex: 0,
  version: 0,
  unconfirmed: 0,
  voters: ["node-a"],
  learners: [],
  adopted: [],
  autopilot: { on: true, pinned: [], barred: [] },
  peers: [],
  quorum: true,
  failureTolerance: 0,
  devices: 1,
  generation: { number: 1, id: "0" },
  storage: { persistent: false, durability: "strict", bytes: 0, failure: null },
  faults: [],
  signaling: "connected",
  otherVersion: null,
  refused: {},
  leaderContactMs: 0,
};

class Worker {
  readonly document = new SharedDocument();
  readonly received: ToNode[] = [];
  readonly held: { readonly id: number; readonly request: NodeRequest }[] = [];
  holds = false;
  terminated = false;
  private listener: (event: { readonly data: FromNode }) => void = () => {};
  private index = 1;

  addEventListener(_kind: "message", listener: (event: { readonly data: FromNode }) => void): void {
    this.listener = listener;
  }

  postMessage(message: ToNode): void {
    this.received.push(structuredClone(message));
    if (message.kind !== "request") return;
    if (this.holds) this.held.push(message);
    else queueMicrotask(() => this.carryOut(message.id, message.request));
  }

  terminate(): void {
    this.terminated = true;
  }

  say(message: FromNode): void {
    this.listener({ data: structuredClone(message) });
  }

  carryOut(id: number, request: NodeRequest): void {
    switch (request.kind) {
      case "edit":
      case "set":
      case "compareAndSet": {
        const [response] = this.document.apply([placed(this.document.decode(this.document.encode(request)))]);
        if (response === undefined) throw new Error("no response");
        this.index += 1;
        this.tell();
        const { refusal } = response;
        if (refusal !== null && refusal !== "notEqual") {
          const failure = { name: "CommandRejected", message: refusal, code: refusal, mayHaveApplied: false };
          this.say({ kind: "refused", id, failure });
        } else {
          this.say({ kind: "answered", id, value: { index: this.index, term: 2, response, swapped: refusal === null } });
        }
        break;
      }
      case "get":
        this.say({ kind: "answered", id, value: this.document.get(request.key) });
        break;
      case "read": {
        const { text, version, map } = this.document;
        this.say({ kind: "answered", id, value: { text, version, map } });
        break;
      }
      default:
        this.say({ kind: "answered", id, value: null });
    }
  }

  tell(): void {
    const { fromVersion, updates, map } = this.document.takeAccepted();
    if (updates !== null && updates.length > 0) this.say({ kind: "updates", fromVersion, updates });
    for (const [key, value] of map) this.say({ kind: "map", key, value });
  }
}

let worker: Worker;
let store: SessionStore;
let room: Room;
let api: ConsoleApi;
/** What the page did as it went, in order. */
let goodbye: string[];

beforeEach(() => {
  goodbye = [];
  store = createSessionStore("Ada");
  const peers = { dial: () => {}, signal: () => {}, hangUp: () => {}, hangUpAll: () => goodbye.push("hangs up") };
  room = new Room({
    watched: { activity: () => undefined, samples: () => undefined },
    startWorker: () => {
      worker = new Worker();
      return worker;
    },
    makePeers: () => peers,
    onGaveWay: () => undefined,
    store,
    holdStill: () => goodbye.push(`holds still, ${worker.received.at(-1)?.kind}`),
    onOpened: () => store.setState({ screen: { kind: "document" }, link: "link" }),
  });
  api = createConsoleApi(
    store,
    () => room,
    () => undefined,
  );
  worker.say({ kind: "opened", nodeId: "node-a", secret: "s", told: [] });
  worker.say({ kind: "document", version: 0, text: "", map: {} });
  worker.say({ kind: "status", status: STATUS });
});

describe("the console", () => {
  it("knows nothing while no document is open", async () => {
    const closed = createConsoleApi(
      createSessionStore("Ada"),
      () => null,
      () => undefined,
    );
    expect([closed.link, closed.status(), closed.text(), closed.events()]).toEqual([null, null, "", []]);
    await expect(closed.read()).rejects.toThrow("No document is open");
    await expect(closed.edit({ from: 0, insert: "x" })).rejects.toThrow("No document is open");
  });

  it("edits, and its text and status include every edit that resolved", async () => {
    const position = await api.edit({ from: 0, insert: "hello\r\nworld" });
    expect(api.text()).toBe("hello\nworld");
    expect(await api.edit({ from: 0, to: 5, insert: "bye" })).toEqual({ index: position.index + 1, term: 2 });
    expect([api.text(), api.status()?.version]).toEqual(["bye\nworld", 2]);
    expect(api.status()?.lastApplied).toBe(position.index + 1);
  });

  it("resolves an edit only after its text has come, though the answer came before", async () => {
    worker.holds = true;
    const edited = api.edit({ from: 0, insert: "x" });
    await Promise.resolve();
    const [{ id, request } = { id: 0, request: { kind: "read" } as NodeRequest }] = worker.held;
    if (request.kind !== "edit") throw new Error("no edit was sent");
    const [response] = worker.document.apply([placed(request)]);
    if (response === undefined) throw new Error("no response");
    worker.say({ kind: "answered", id, value: { index: 9, term: 2, response } });
    const seen = edited.then(() => api.text());
    worker.tell();
    expect(await seen).toBe("x");
  });

  it("refuses positions that are not in the text, before anything is sent", async () => {
    await api.edit({ from: 0, insert: "abc" });
    const sent = worker.received.length;
    for (const [from, to] of [
      [4, 4],
      [2, 1],
      [-1, 0],
      [0.5, 1],
      [0, Number.NaN],
    ]) {
      await expect(api.edit({ from: from ?? 0, to: to ?? 0, insert: "x" })).rejects.toThrow(RangeError);
    }
    expect(worker.received).toHaveLength(sent);
  });

  it("tells a refusal of the document by its code", async () => {
    await expect(api.set("", 1)).rejects.toMatchObject({ name: "CommandRejected", code: "badKey", mayHaveApplied: false });
  });

  it("writes, swaps and reads the map", async () => {
    await api.set("title", "T");
    expect(store.getState().map).toEqual({ title: "T" });
    expect(await api.compareAndSet("title", "X", "Y")).toMatchObject({ swapped: false });
    expect(await api.compareAndSet("title", "T", null)).toMatchObject({ swapped: true });
    expect([await api.get("title"), (await api.read()).map, store.getState().map]).toEqual([null, {}, {}]);
  });

  it("lists events from a time on", () => {
    for (const at of [10, 20]) worker.say({ kind: "event", event: { at, kind: "peer", term: 1, text: `at ${at}` } });
    expect(api.events({ since: 15 }).map(({ text }) => text)).toEqual(["at 20"]);
    expect(api.events()).toHaveLength(2);
  });

  it("gives the peers of the status with what the promise names, and no more", () => {
    const peer = { id: "b", name: "Bob", connected: true, roundTripMs: 1, lastContactMs: 2, matchIndex: 3 };
    const digest = {
      role: null,
      term: null,
      commitIndex: null,
      lastApplied: null,
      lastLogIndex: null,
      visible: null,
      sameDevice: null,
    };
    worker.say({ kind: "status", status: { ...STATUS, peers: [{ ...peer, ...digest }] } });
    expect(api.status()?.peers).toEqual([peer]);
  });
});

describe("unconfirmed", () => {
  it("counts what the editor holds back once, though the node proposes it too", () => {
    worker.holds = true;
    let state = room.editor.mount([]);
    room.editor.attach({
      get state() {
        return state;
      },
      dispatch: (transactions) => {
        state = transactions.at(-1)?.state ?? state;
      },
      setState: (next) => {
        state = next;
      },
    });
    state = state.update({ changes: { from: 0, insert: "a" } }).state;
    room.editor.edited();
    worker.say({ kind: "status", status: { ...STATUS, unconfirmed: 1 } });
    expect(api.status()?.unconfirmed).toBe(1);
    worker.say({ kind: "status", status: { ...STATUS, unconfirmed: 3 } });
    expect(api.status()?.unconfirmed).toBe(3);
  });
});

describe("leaving", () => {
  it("gives a leader's worker time to hand the office over before the connections end", () => {
    worker.say({ kind: "status", status: { ...STATUS, voters: ["node-a", "node-b", "node-c"] } });
    room.leave();
    expect(goodbye).toEqual(["holds still, leaving", "hangs up"]);
  });

  it("keeps nobody waiting who has no office, or nobody to hand it to", () => {
    room.leave();
    worker.say({ kind: "status", status: { ...STATUS, role: "follower", voters: ["node-a", "node-b", "node-c"] } });
    room.leave();
    expect(goodbye).toEqual(["hangs up", "hangs up"]);
    expect(worker.received.filter(({ kind }) => kind === "leaving")).toHaveLength(2);
  });
});

describe("the end of the node", () => {
  it("fails what is open and what comes later, and keeps the text for the person", async () => {
    await api.edit({ from: 0, insert: "abc" });
    worker.holds = true;
    const open = api.set("k", 1);
    await Promise.resolve();
    worker.say({ kind: "stopped", stop: { code: "storage", message: "The disk is full." } });
    await expect(open).rejects.toMatchObject({ name: "Stopped", mayHaveApplied: true });
    await expect(api.set("k", 1)).rejects.toBeInstanceOf(NodeError);
    await expect(api.set("k", 1)).rejects.toMatchObject({ mayHaveApplied: false });
    expect(store.getState().screen).toMatchObject({ kind: "stopped", text: "abc" });
  });
});

describe("a crash on purpose", () => {
  it("ends the worker without a word, keeps the text, and starts the same node again", async () => {
    await api.edit({ from: 0, insert: "abc" });
    room.post({
      kind: "open",
      secret: "s",
      create: true,
      hint: null,
      name: "Ada",
      signalingUrl: null,
      visible: true,
      persistent: false,
    });
    worker.holds = true;
    const open = api.set("k", 1);
    await Promise.resolve();
    const killed = worker;
    await api.faults.crash();
    await expect(open).rejects.toMatchObject({ name: "NodeCrashed", mayHaveApplied: true });
    expect([killed.terminated, api.status(), api.text(), store.getState().screen.kind]).toEqual([true, null, "abc", "document"]);
    await expect(api.set("k", 1)).rejects.toMatchObject({ name: "NodeCrashed", mayHaveApplied: false });
    await expect(api.faults.crash()).rejects.toThrow("no node that could crash");

    goodbye = [];
    const restarted = api.faults.restart();
    expect(goodbye).toEqual(["hangs up"]);
    expect(worker).not.toBe(killed);
    expect(worker.received).toMatchObject([{ kind: "open", secret: "s", create: false, hint: "node-a" }]);
    worker.say({ kind: "opened", nodeId: "node-a", secret: "s", told: [] });
    await restarted;
    worker.say({ kind: "status", status: STATUS });
    expect([api.status()?.nodeId, store.getState().crashed]).toEqual(["node-a", false]);
    expect(() => room.restart()).toThrow("has not crashed");
  });

  it.each([
    ["a part above 1", () => api.faults.drop(1.5)],
    ["no number", () => api.faults.duplicate(Number.NaN)],
    ["a negative delay", () => api.faults.delay(-1)],
    ["an endless delay", () => api.faults.delay(60_001)],
    ["a direction that is none", () => api.faults.cut(["b"], "up" as "in")],
    ["ids that are none", () => api.faults.cut([1] as unknown as string[])],
  ])("refuses %s before the node hears of it", async (_what, call) => {
    const before = worker.received.length;
    await expect(call()).rejects.toThrow(/is a number from|give the ids|direction is/);
    expect(worker.received).toHaveLength(before);
  });

  it("hands faults on as they are", async () => {
    await api.faults.cut("b");
    await api.faults.delay(20);
    const asked = worker.received.flatMap((message) => (message.kind === "request" ? [message.request] : []));
    expect(asked).toEqual([
      { kind: "fault", fault: { kind: "cut", ids: ["b"], direction: "both" } },
      { kind: "fault", fault: { kind: "delay", ms: 20, jitterMs: 0 } },
    ]);
  });
});
