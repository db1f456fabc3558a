/**
 * Makes peer connections where alone they can be made, on the page, and hands each one's data channel to the worker before its
 * first use; where the browser cannot do that, it gets a port to it. The only file that knows simple-peer.
 */
import Peer from "simple-peer";
import type { FromNode, ToNode } from "../node/protocol.ts";
import { bridge, canTransferChannels } from "./channel-bridge.ts";
import { sha256Fingerprint } from "./fingerprint.ts";

/** Both ends open the same id by themselves; low ids are left to simple-peer's own channel. */
const NODE_CHANNEL_ID = 100;

type Post = (message: ToNode, transfer?: Transferable[]) => void;
type Dial = Extract<FromNode, { kind: "dial" }>;

/** simple-peer keeps its connection to itself; a second channel must be made on it before the offer. */
function connectionOf(peer: Peer): RTCPeerConnection | null {
  return (peer as unknown as { readonly _pc?: RTCPeerConnection })._pc ?? null;
}

export class Peers {
  private readonly peers = new Map<string, Peer>();

  constructor(private readonly post: Post) {}

  dial({ connectionId, initiator, iceServers, takesChannels }: Dial): void {
    if (this.peers.has(connectionId)) return;
    const config = { iceServers: [...iceServers] };
    const peer = new Peer({ initiator, trickle: true, objectMode: true, config });
    this.peers.set(connectionId, peer);
    let reason = "closed";
    peer.on("error", (error) => {
      reason = error.message;
    });
    peer.on("close", () => this.closed(connectionId, reason));
    peer.on("signal", (data) => this.post({ kind: "signal", connectionId, data }));
    const connection = connectionOf(peer);
    // Without a connection the constructor has failed; simple-peer tells that by an error of its own.
    if (connection !== null) this.handOver(connectionId, peer, connection, takesChannels && canTransferChannels());
  }

  /** What the other side's simple-peer said. Late and malformed ones are no harm: the connection just ends. */
  signal(connectionId: string, data: unknown): void {
    const peer = this.peers.get(connectionId);
    if (peer === undefined || peer.destroyed || typeof data !== "object" || data === null) return;
    try {
      peer.signal(data);
    } catch (error) {
      peer.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  }

  hangUp(connectionId: string): void {
    const peer = this.peers.get(connectionId);
    this.peers.delete(connectionId);
    peer?.destroy();
  }

  hangUpAll(): void {
    for (const connectionId of [...this.peers.keys()]) this.hangUp(connectionId);
  }

  private handOver(connectionId: string, peer: Peer, connection: RTCPeerConnection, transfers: boolean): void {
    try {
      const own = connection.createDataChannel("tabraft", { negotiated: true, id: NODE_CHANNEL_ID, ordered: true });
      const channel = transfers ? own : bridge(own);
      this.post({ kind: "channel", connectionId, channel }, [channel as Transferable]);
    } catch (error) {
      peer.destroy(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    let told = false;
    const tell = () => {
      if (told || peer.destroyed) return;
      told = this.tellFingerprints(connectionId, peer, connection);
    };
    // simple-peer's own `connect` comes only after a search through the statistics.
    connection.addEventListener("connectionstatechange", () => {
      if (connection.connectionState === "connected") tell();
    });
    peer.on("connect", tell);
  }

  private tellFingerprints(connectionId: string, peer: Peer, connection: RTCPeerConnection): boolean {
    const localFingerprint = sha256Fingerprint(connection.currentLocalDescription?.sdp ?? "");
    const remoteFingerprint = sha256Fingerprint(connection.currentRemoteDescription?.sdp ?? "");
    if (localFingerprint === null || remoteFingerprint === null) {
      peer.destroy(new Error("the connection has no single SHA-256 fingerprint on each side"));
      return true;
    }
    this.post({ kind: "connected", connectionId, localFingerprint, remoteFingerprint });
    return true;
  }

  private closed(connectionId: string, reason: string): void {
    // After a hang-up the worker knows already.
    if (this.peers.delete(connectionId)) this.post({ kind: "closed", connectionId, reason });
  }
}
