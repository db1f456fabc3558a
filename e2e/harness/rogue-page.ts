/**
 * In a page: somebody who has the room's secret, passes the handshake, and then does not keep to the protocol. Everything up to there is the real
 * thing: mesh, handshake, simple-peer. Built as one script by `rogue.ts`.
 */
import { BroadcastSignaling } from "../../src/network/broadcast-signaling.ts";
import { CombinedSignaling } from "../../src/network/combined-signaling.ts";
import { MAX_FRAME_BYTES, MAX_MESSAGE_BYTES } from "../../src/network/frames.ts";
import { PeerMesh } from "../../src/network/peer-mesh.ts";
import { PortChannel } from "../../src/network/port-channel.ts";
import { deriveRoomKeys } from "../../src/network/room-keys.ts";
import { SignalingClient } from "../../src/network/signaling-client.ts";
import { workerClock } from "../../src/node/clock.ts";
import type { ToNode } from "../../src/node/protocol.ts";
import { Peers } from "../../src/page/peers.ts";

export type Misdeed = "garbage" | "oversized" | "endless" | "truncated" | "outOfOrder" | "future" | "futureHello";

/** What a frame begins with: flags and length of its first segment, in which an envelope begins with version and epoch. */
const SEGMENT_HEADER_BYTES = 3;
const VERSION_AT = SEGMENT_HEADER_BYTES;
const EPOCH_AT = SEGMENT_HEADER_BYTES + 1;

/** An honest channel whose sent frames can be looked at, and that sends anything. */
class Tap {
  readonly sent: Uint8Array<ArrayBuffer>[] = [];
  readonly send: (bytes: Uint8Array<ArrayBuffer>) => void;

  constructor(
    readonly channel: PortChannel,
    alter: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>,
  ) {
    const send = channel.send.bind(channel);
    this.send = send;
    channel.send = (bytes) => {
      this.sent.push(bytes.slice());
      send(alter(bytes));
    };
  }
}

function commit(misdeed: Misdeed, { sent, send }: Tap): void {
  // The last frame is a digest's or a ping's.
  const frame = sent.at(-1)?.slice() ?? new Uint8Array();
  switch (misdeed) {
    case "garbage":
      return send(crypto.getRandomValues(new Uint8Array(2000)));
    case "oversized":
      return send(new Uint8Array(MAX_FRAME_BYTES + 1));
    case "endless": {
      const full = new Uint8Array(MAX_FRAME_BYTES);
      const length = MAX_FRAME_BYTES - SEGMENT_HEADER_BYTES;
      full.set([0, length >> 8, length & 0xff]);
      for (let bytes = 0; bytes <= MAX_MESSAGE_BYTES; bytes += length) send(full);
      return;
    }
    case "truncated": {
      const length = ((frame[1] ?? 0) << 8) + (frame[2] ?? 0) - 1;
      frame.set([length >> 8, length & 0xff], 1);
      return send(frame.slice(0, SEGMENT_HEADER_BYTES + length));
    }
    case "outOfOrder":
      // As from an earlier connection, and all that this one has said, backwards.
      for (const old of [...sent.slice(2)].reverse()) {
        send(old);
        const late = old.slice();
        late[EPOCH_AT] = (late[EPOCH_AT] ?? 0) ^ 0xff;
        send(late);
      }
      return;
    case "future":
      frame[VERSION_AT] = (frame[VERSION_AT] ?? 0) + 1;
      return send(frame);
    case "futureHello":
      // Said already.
      return;
  }
}

/** Connects to all that are there, so many, and then misbehaves towards each. */
export async function misbehave(
  secret: string,
  id: string,
  signalingUrl: string,
  count: number,
  misdeed: Misdeed,
): Promise<void> {
  const keys = await deriveRoomKeys(secret);
  const taps: Tap[] = [];
  const alter = (bytes: Uint8Array<ArrayBuffer>) => {
    if (misdeed !== "futureHello" || bytes[0] !== 1) return bytes;
    const other = bytes.slice();
    other[1] = (other[1] ?? 0) + 1;
    return other;
  };
  const hear = (message: ToNode): void => {
    if (message.kind === "signal") mesh.onSignal(message.connectionId, message.data);
    else if (message.kind === "connected")
      mesh.onConnected(message.connectionId, { local: message.localFingerprint, remote: message.remoteFingerprint });
    else if (message.kind === "closed") mesh.onClosed(message.connectionId, message.reason);
    else if (message.kind === "channel" && message.channel instanceof MessagePort) {
      const tap = new Tap(new PortChannel(message.channel), alter);
      taps.push(tap);
      mesh.onChannel(message.connectionId, tap.channel);
    }
  };
  const peers = new Peers(hear);
  const options = { topic: keys.topic, self: id };
  const mesh: PeerMesh = new PeerMesh({
    self: id,
    keys,
    signaling: new CombinedSignaling(
      new BroadcastSignaling({ ...options, locks: navigator.locks }),
      new SignalingClient({ ...options, url: signalingUrl, clock: workerClock, random: Math.random }),
    ),
    host: {
      dial: (connectionId, initiator, iceServers) =>
        peers.dial({ kind: "dial", connectionId, initiator, iceServers, takesChannels: false }),
      signal: (connectionId, data) => peers.signal(connectionId, data),
      hangUp: (connectionId) => peers.hangUp(connectionId),
    },
    clock: workerClock,
    random: Math.random,
  });
  const up = new Set<string>();
  mesh.start({
    onMessage: () => undefined,
    onPeer: (event) => {
      if (event.up) up.add(event.id);
    },
  });
  // After hello and proof come frames; who says a wrong hello comes no further.
  const least = misdeed === "futureHello" ? 1 : 3;
  const holds = () => taps.filter(({ sent }) => sent.length >= least).length >= count && (least === 1 || up.size >= count);
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 20));
  // Eight megabytes take their time on a small machine: one victim is enough.
  const open = taps.filter(({ sent, channel }) => sent.length >= least && channel.readyState === "open");
  for (const tap of misdeed === "endless" ? open.slice(-1) : open) commit(misdeed, tap);
}
