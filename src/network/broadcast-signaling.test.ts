import { expect, test } from "vitest";
import { BroadcastSignaling, type PresenceLocks } from "./broadcast-signaling.ts";
import { CombinedSignaling } from "./combined-signaling.ts";
import { deriveRoomKeys } from "./room-keys.ts";
import type { Signaling, SignalingHandlers, SignalingState } from "./signaling-client.ts";
import { TestRoom, turn, until } from "./testing.ts";

/** The locks of one browser: shared ones are granted together, in turn with exclusive ones. `kill` ends a tab as a crash does. */
class Locks {
  readonly #queues = new Map<string, { mode: string; owner: string; run(): Promise<void>; granted: boolean }[]>();

  of(owner: string): PresenceLocks {
    return {
      request: async (name, { mode, signal }, callback) => {
        const queue = this.#queues.get(name) ?? [];
        this.#queues.set(name, queue);
        const entry = { mode, owner, granted: false, run: callback };
        queue.push(entry);
        signal.addEventListener("abort", () => this.#remove(name, entry));
        this.#grant(name);
      },
    };
  }

  kill(owner: string): void {
    for (const [name, queue] of this.#queues)
      for (const entry of [...queue]) if (entry.owner === owner) this.#remove(name, entry);
  }

  #remove(name: string, entry: { granted: boolean }): void {
    const queue = this.#queues.get(name) ?? [];
    const at = queue.findIndex((other) => Object.is(other, entry));
    if (at >= 0) queue.splice(at, 1);
    this.#grant(name);
  }

  #grant(name: string): void {
    const queue = this.#queues.get(name) ?? [];
    for (const [at, entry] of [...queue].entries()) {
      const mayRun = at === 0 || (entry.mode === "shared" && queue.slice(0, at).every((one) => one.mode === "shared"));
      if (entry.granted || !mayRun) continue;
      entry.granted = true;
      queueMicrotask(() => entry.run().then(() => this.#remove(name, entry)));
    }
  }
}

interface Ear {
  readonly signaling: BroadcastSignaling;
  readonly heard: string[];
}

function tab(locks: Locks, self: string, topic: string): Ear {
  const signaling = new BroadcastSignaling({ topic, self, locks: locks.of(self) });
  const heard: string[] = [];
  signaling.start(handlersInto(heard));
  return { signaling, heard };
}

function handlersInto(heard: string[]): SignalingHandlers {
  return {
    onRoster: (ids) => heard.push(`roster ${[...ids].sort().join()}`),
    onPeerJoined: (id) => heard.push(`joined ${id}`),
    onPeerGone: (id) => heard.push(`gone ${id}`),
    onBox: (from, box) => heard.push(`box ${from} ${box}`),
    onIceServers: () => heard.push("ice"),
    onState: (state) => heard.push(state),
  };
}

let rooms = 0;
const freshTopic = () => `topic${rooms++}`;

test("tabs of one browser find each other, talk, and miss one that crashed at once", async () => {
  const locks = new Locks();
  const topic = freshTopic();
  const a = tab(locks, "a", topic);
  await until(() => a.signaling.state === "connected");
  const b = tab(locks, "b", topic);
  await until(() => a.heard.includes("joined b") && b.heard.includes("joined a"));
  const c = tab(locks, "c", topic);
  await until(() => c.heard.length === 2 && a.heard.length === 2);
  a.signaling.send("b", "c2VhbGVk");
  await until(() => b.heard.includes("box a c2VhbGVk"));
  expect(c.heard.sort()).toEqual(["joined a", "joined b"]);
  locks.kill("b");
  await until(() => a.heard.includes("gone b") && c.heard.includes("gone b"));
  b.signaling.close();

  const again = tab(locks, "b", topic);
  await until(() => a.heard.filter((words) => words === "joined b").length === 2 && again.heard.length === 2);
  a.signaling.close();
  await until(() => c.heard.includes("gone a") && again.heard.includes("gone a"));
  for (const one of [again, c]) one.signaling.close();
});

test("other rooms hear nothing, and what is no message is counted", async () => {
  const locks = new Locks();
  const topic = freshTopic();
  const a = tab(locks, "a", topic);
  const stranger = tab(locks, "s", freshTopic());
  await until(() => a.signaling.state === "connected" && stranger.signaling.state === "connected");
  const foreign = new BroadcastChannel(`tabraft:${topic}`);
  const bad = [
    null,
    "here",
    { kind: "here", id: "../", asks: true },
    { kind: "relay", from: "x", to: "a", box: "y".repeat(70_000) },
    { kind: "relay", from: "x", to: "a", box: "y", more: 1 },
    { kind: "__proto__" },
  ];
  for (const data of bad) foreign.postMessage(data);
  foreign.postMessage({ kind: "relay", from: "x", to: "a", box: "Z29vZA" });
  await until(() => a.heard.length === 1);
  expect(a.heard).toEqual(["box x Z29vZA"]);
  expect(a.signaling.refused()).toEqual({ badBroadcast: bad.length });
  expect(stranger.heard).toEqual([]);
  foreign.close();
  a.signaling.close();
  stranger.signaling.close();
});

test("three nodes form a mesh with no server at all", async () => {
  const locks = new Locks();
  const room = await TestRoom.create();
  const keys = { ...(await deriveRoomKeys("AAAAAAAAAAAAAAAAAAAAAA")), topic: freshTopic() };
  const nodes = ["a", "b", "c"].map((id) =>
    room.node(id, { keys, signaling: new BroadcastSignaling({ topic: keys.topic, self: id, locks: locks.of(id) }) }),
  );
  await room.until(() => nodes.every((node) => node.up.size === 2));
  locks.kill("c");
  await room.until(() => nodes[0]?.hints.includes("gone c") === true && nodes[1]?.hints.includes("gone c") === true);
  for (const { mesh } of nodes) mesh.close();
});

/** A way that a test speaks through. */
class Way implements Signaling {
  state: SignalingState = "connected";
  handlers: SignalingHandlers | null = null;
  readonly sent: string[] = [];
  constructor(private readonly name: string) {}
  start(handlers: SignalingHandlers): void {
    this.handlers = handlers;
  }
  send(to: string, box: string): void {
    this.sent.push(`${to} ${box}`);
  }
  refused(): { readonly [reason: string]: number } {
    return { [this.name]: 1 };
  }
  close(): void {
    this.state = "off";
  }
}

test("two ways are one: the nearer carries what is for a peer of both, and has the last word on it", async () => {
  const [local, server] = [new Way("local"), new Way("server")];
  const both = new CombinedSignaling(local, server);
  const heard: string[] = [];
  both.start(handlersInto(heard));
  server.handlers?.onRoster(["near", "far"]);
  local.handlers?.onPeerJoined("near");
  for (const to of ["near", "far", "unknown"]) both.send(to, "box");
  expect([local.sent, server.sent]).toEqual([["near box"], ["far box", "unknown box"]]);
  // The server lags, or its socket broke: the tab is here.
  server.handlers?.onPeerGone("near");
  expect(heard).toEqual(["roster far,near", "joined near"]);
  server.handlers?.onPeerJoined("near");
  local.handlers?.onPeerGone("near");
  server.handlers?.onPeerGone("near");
  server.handlers?.onPeerGone("far");
  expect(heard.slice(2)).toEqual(["joined near", "gone near", "gone near", "gone far"]);
  local.handlers?.onPeerJoined("near");
  server.handlers?.onRoster([]);
  expect(heard.at(-1)).toBe("roster near");
  local.handlers?.onState("waiting");
  server.handlers?.onState("waiting");
  expect(heard.filter((words) => words === "waiting")).toHaveLength(1);
  expect(both.refused()).toEqual({ local: 1, server: 1 });
  both.close();
  await turn();
  expect([local.state, both.state]).toEqual(["off", "off"]);
});
