/** The node's network: how tabs of a room find each other from here, and who makes their connections. */
import type { Clock } from "../driver/interfaces.ts";
import { BroadcastSignaling } from "../network/broadcast-signaling.ts";
import { CombinedSignaling } from "../network/combined-signaling.ts";
import type { PeerMeshOptions } from "../network/mesh-options.ts";
import { PeerMesh } from "../network/peer-mesh.ts";
import { SignalingClient } from "../network/signaling-client.ts";
import { workerClock } from "./clock.ts";
import type { NodeFaults } from "./faults.ts";
import type { Open, OpenedNode } from "./open.ts";
import type { FromNode } from "./protocol.ts";

/** Where a worker knows the kind, it can take one that is transferred to it. */
const takesChannels = typeof RTCDataChannel === "function";

export interface MeshEdges extends Required<Pick<PeerMeshOptions, "generation" | "onSignalingState" | "onEvent" | "onTraffic">> {
  readonly clock: Clock;
  readonly faults: NodeFaults;
  readonly post: (message: FromNode) => void;
}

export function createMesh(open: Open, { keys, identity }: OpenedNode, edges: MeshEdges): PeerMesh {
  const { post, faults, ...rest } = edges;
  const self = identity.nodeId;
  const random = (): number => Math.random();
  return new PeerMesh({
    ...rest,
    self,
    keys,
    signaling: new CombinedSignaling(
      new BroadcastSignaling({ topic: keys.topic, self, locks: navigator.locks }),
      new SignalingClient({ url: open.signalingUrl, topic: keys.topic, self, clock: workerClock, random }),
    ),
    host: {
      dial: (connectionId, initiator, iceServers) => post({ kind: "dial", connectionId, initiator, iceServers, takesChannels }),
      signal: (connectionId, data) => post({ kind: "signal", connectionId, data }),
      hangUp: (connectionId) => post({ kind: "hangUp", connectionId }),
    },
    random,
    faults: faults.links,
    messageFaults: faults.messages,
  });
}
