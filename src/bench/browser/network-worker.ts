/**
 * The worker's side of the network bench: a mesh as a node has it, and a bare data channel beside it. One of the two workers measures, the other
 * answers. On the way through the stack every byte passes codec, frames, epoch and checks on both sides; on the bare channel nothing but the
 * browser.
 */

import { BroadcastSignaling } from "../../network/broadcast-signaling.ts";
import { PeerMesh } from "../../network/peer-mesh.ts";
import { deriveRoomKeys } from "../../network/room-keys.ts";
import { workerClock } from "../../node/clock.ts";
import type { FromNode, ToNode } from "../../node/protocol.ts";
import type { Message } from "../../raft/types.ts";
import { expose } from "./expose.ts";
import { HEARTBEAT_MS, type RoundTrips, SNAPSHOT_BYTES, type Throughput, type ThroughputPlan } from "./network-plan.ts";

/** Bytes that the stack may have on their way before the other end has said that it has them, as a leader does. */
const WINDOW_BYTES = 2 * 1024 * 1024;
/** The other end says so this often. */
const ACK_BYTES = 256 * 1024;
const BARE_HIGH_BYTES = 1024 * 1024;
/** The largest message that Chromium sends. */
const BARE_MESSAGE_BYTES = 256 * 1024;
const CHUNK_BYTES = 64 * 1024;
const generation = { number: 1, id: "0".repeat(32), parentId: null, forkIndex: 0 };

let mesh: PeerMesh | null = null;
let own = "";
let other = "";
let bare: RTCDataChannel | null = null;
let onStack: (message: Message) => void = () => undefined;
let onBare: (bytes: ArrayBuffer) => void = () => undefined;
const post = (message: FromNode): void => self.postMessage(message);

self.addEventListener("message", (event: MessageEvent<ToNode | { readonly kind: "bare"; readonly channel: RTCDataChannel }>) => {
  const { data } = event;
  if (!("kind" in data)) return;
  // Not a call of the bench.
  event.stopImmediatePropagation();
  if (data.kind === "bare") takeBare(data.channel);
  else if (data.kind === "signal") mesh?.onSignal(data.connectionId, data.data);
  else if (data.kind === "channel") mesh?.onChannel(data.connectionId, data.channel as RTCDataChannel);
  else if (data.kind === "connected")
    mesh?.onConnected(data.connectionId, { local: data.localFingerprint, remote: data.remoteFingerprint });
  else if (data.kind === "closed") mesh?.onClosed(data.connectionId, data.reason);
});

function takeBare(channel: RTCDataChannel): void {
  channel.binaryType = "arraybuffer";
  channel.onmessage = ({ data }) => onBare(data as ArrayBuffer);
  bare = channel;
}

function theMesh(): PeerMesh {
  if (mesh === null) throw new Error("join comes first");
  return mesh;
}

function theBare(): RTCDataChannel {
  if (bare === null) throw new Error("there is no bare channel yet");
  return bare;
}

/** Resolves once the two are connected through the stack. */
async function join(secret: string, id: string, otherId: string): Promise<void> {
  const keys = await deriveRoomKeys(secret);
  own = id;
  other = otherId;
  mesh = new PeerMesh({
    self: id,
    keys,
    signaling: new BroadcastSignaling({ topic: keys.topic, self: id, locks: navigator.locks }),
    host: {
      dial: (connectionId, initiator, iceServers) =>
        post({ kind: "dial", connectionId, initiator, iceServers, takesChannels: true }),
      signal: (connectionId, data) => post({ kind: "signal", connectionId, data }),
      hangUp: (connectionId) => post({ kind: "hangUp", connectionId }),
    },
    clock: workerClock,
    random: Math.random,
  });
  await new Promise<void>((resolve) =>
    theMesh().start({ onMessage: (message) => onStack(message), onPeer: ({ up }) => up && resolve() }),
  );
}

async function bareOpen(): Promise<void> {
  while (theBare().readyState !== "open") await new Promise((resolve) => setTimeout(resolve, 5));
}

const base = () => ({ from: own, to: other, term: 1, generation });

/** About as long on the wire as the message of the other arm. */
const PING_BYTES = 40;

function acknowledge(requestId: number): void {
  theMesh().send({ ...base(), kind: "readIndexResponse", requestId, readIndex: 1, refusal: null });
}

/** Answers from here on, in both arms. */
function answer(): void {
  let bytes = 0;
  let told = 0;
  onStack = (message) => {
    if (message.kind === "readIndex") {
      if (message.requestId === 0) bytes = told = 0;
      acknowledge(message.requestId);
    } else if (message.kind === "appendEntries" && message.entries.length > 0) {
      for (const entry of message.entries) bytes += entry.kind === "command" ? entry.command.length : 0;
    } else if (message.kind === "appendEntries") {
      heartbeats.push(performance.now());
    } else if (message.kind === "installSnapshot") bytes += message.data.length;
    if (bytes - told >= ACK_BYTES || message.kind === "installSnapshot") {
      told = bytes;
      acknowledge(bytes);
    }
  };
  onBare = (data) => {
    // The last message of a round is odd.
    if (data.byteLength === PING_BYTES || data.byteLength % 2 === 1) theBare().send(new Uint8Array(PING_BYTES));
  };
}

const heartbeats: number[] = [];

async function stackRoundTrip(): Promise<number> {
  const begun = performance.now();
  await new Promise<void>((resolve) => {
    onStack = () => resolve();
    theMesh().send({ ...base(), kind: "readIndex", requestId: 0 });
  });
  return performance.now() - begun;
}

async function bareRoundTrip(): Promise<number> {
  const begun = performance.now();
  await new Promise<void>((resolve) => {
    onBare = () => resolve();
    theBare().send(new Uint8Array(PING_BYTES));
  });
  return performance.now() - begun;
}

/** Both arms in turn, in blocks, so that what the machine does besides meets both. The first blocks only warm up. */
async function roundTrips(blocks: number, each: number): Promise<RoundTrips> {
  const times = { stack: [] as number[], bare: [] as number[] };
  for (let block = -2; block < blocks; block += 1) {
    for (let at = 0; at < each; at += 1) {
      const took = await stackRoundTrip();
      if (block >= 0) times.stack.push(took);
    }
    for (let at = 0; at < each; at += 1) {
      const took = await bareRoundTrip();
      if (block >= 0) times.bare.push(took);
    }
  }
  return times;
}

/** Hands messages over as fast as the window allows; resolves when the other end has all. */
function fill(totalBytes: number, messageBytes: number, send: (offset: number) => void): Promise<void> {
  let sent = 0;
  return new Promise((resolve) => {
    const pump = (acknowledged: number) => {
      while (sent < totalBytes && sent - acknowledged < WINDOW_BYTES) {
        send(sent);
        sent += messageBytes;
      }
      // The rest that fills no acknowledgement is asked for.
      if (sent >= totalBytes && acknowledged + ACK_BYTES > totalBytes) resolve();
    };
    onStack = (message) => message.kind === "readIndexResponse" && pump(message.requestId);
    pump(0);
  });
}

async function stackThroughput({ messageBytes, totalBytes }: ThroughputPlan): Promise<number> {
  const command = new Uint8Array(messageBytes);
  crypto.getRandomValues(command.subarray(0, 1024));
  await stackRoundTrip();
  const begun = performance.now();
  let index = 1;
  await fill(totalBytes, messageBytes, () => {
    const entries = [{ kind: "command", index, term: 1, command } as const];
    theMesh().send({
      ...base(),
      kind: "appendEntries",
      prevLogIndex: index - 1,
      prevLogTerm: index === 1 ? 0 : 1,
      leaderCommit: 0,
      round: 1,
      entries,
    });
    index += 1;
  });
  // Ordered: its answer comes after everything else has arrived.
  await stackRoundTrip();
  return totalBytes / ((performance.now() - begun) / 1000);
}

async function bareThroughput({ messageBytes, totalBytes }: ThroughputPlan): Promise<number> {
  await bareRoundTrip();
  const channel = theBare();
  const message = new Uint8Array(Math.min(messageBytes, BARE_MESSAGE_BYTES));
  crypto.getRandomValues(message.subarray(0, 256));
  channel.bufferedAmountLowThreshold = BARE_HIGH_BYTES / 2;
  const begun = performance.now();
  const done = new Promise<void>((resolve) => {
    onBare = () => resolve();
  });
  for (let sent = 0; sent < totalBytes; sent += message.length) {
    if (channel.bufferedAmount > BARE_HIGH_BYTES)
      await new Promise<void>((resolve) => {
        channel.onbufferedamountlow = () => resolve();
      });
    channel.send(message);
  }
  channel.send(new Uint8Array(1));
  await done;
  return totalBytes / ((performance.now() - begun) / 1000);
}

async function throughput(plan: ThroughputPlan): Promise<Throughput> {
  const found = { stack: [] as number[], bare: [] as number[] };
  for (let round = -1; round < plan.rounds; round += 1) {
    const [stack, bareRate] = [await stackThroughput(plan), await bareThroughput(plan)];
    if (round < 0) continue;
    found.stack.push(stack);
    found.bare.push(bareRate);
  }
  return found;
}

/** Sends heartbeats at their pace until told to stop; returns how many. */
function beat(): () => number {
  let sent = 0;
  const timer = setInterval(() => {
    sent += 1;
    theMesh().send({
      ...base(),
      kind: "appendEntries",
      prevLogIndex: 0,
      prevLogTerm: 0,
      leaderCommit: 0,
      round: sent,
      entries: [],
    });
  }, HEARTBEAT_MS);
  return () => {
    clearInterval(timer);
    return sent;
  };
}

async function snapshot(): Promise<number> {
  const data = new Uint8Array(CHUNK_BYTES);
  const configuration = { voters: [own], votersOld: [], learners: [other] };
  const meta = { index: 1, term: 1, configuration, configurationIndex: 1, size: SNAPSHOT_BYTES, checksum: 0 };
  const begun = performance.now();
  await fill(SNAPSHOT_BYTES, CHUNK_BYTES, (offset) =>
    theMesh().send({ ...base(), kind: "installSnapshot", snapshot: meta, offset, data }),
  );
  return performance.now() - begun;
}

/** `snapshots`: so many in turn, or for 0 as long a time without one. */
async function heartbeatsDuring(snapshots: number, idleMs: number): Promise<{ sent: number; tookMs: number }> {
  const stop = beat();
  let tookMs = 0;
  for (let at = 0; at < snapshots; at += 1) {
    await stackRoundTrip();
    tookMs += await snapshot();
  }
  if (snapshots === 0) await new Promise((resolve) => setTimeout(resolve, idleMs));
  const sent = stop();
  await stackRoundTrip();
  return { sent, tookMs };
}

/** When heartbeats arrived here since the last call, as the gaps between them. */
function takeHeartbeats(): { gaps: number[]; count: number } {
  const times = heartbeats.splice(0);
  return { gaps: times.slice(1).map((time, at) => time - (times[at] ?? time)), count: times.length };
}

expose({ join, bareOpen, answer, roundTrips, throughput, heartbeatsDuring, takeHeartbeats });
