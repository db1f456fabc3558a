/** How a tab that opens gets a node which another tab of this browser has adopted: it asks, and the adopter lets one go. */
import type { NodeId } from "../raft/types.ts";

interface Asked {
  readonly kind: "want";
  readonly token: string;
  readonly hint: NodeId | null;
}
interface Given {
  readonly kind: "free";
  readonly token: string;
  readonly id: NodeId | null;
}

/** As long as an adopter may take to end a node. */
const WAIT_MS = 3000;

function channelName(topic: string): string {
  return `tabraft-adopted:${topic}`;
}

/** The lock by which others see that there is an adopter. */
function adopterLock(topic: string): string {
  return `tabraft-adopter:${topic}`;
}

/** `null`: nobody here has adopted any, or it was too late. */
export async function askAdopter(topic: string, hint: NodeId | null): Promise<NodeId | null> {
  const { held = [] } = await navigator.locks.query();
  if (!held.some(({ name }) => name === adopterLock(topic))) return null;
  const channel = new BroadcastChannel(channelName(topic));
  const token = crypto.randomUUID();
  try {
    return await new Promise<NodeId | null>((resolve) => {
      setTimeout(() => resolve(null), WAIT_MS);
      channel.onmessage = ({ data }: MessageEvent<Asked | Given>) => {
        if (data.kind === "free" && data.token === token && data.id !== null) resolve(data.id);
      };
      channel.postMessage({ kind: "want", token, hint } satisfies Asked);
    });
  } finally {
    channel.close();
  }
}

/** The adopter's end. */
export class HandOverDesk {
  readonly #topic: string;
  readonly #channel: BroadcastChannel;
  #letGo: (() => void) | null = null;

  constructor(topic: string, handOver: (hint: NodeId | null) => Promise<NodeId | null>) {
    this.#topic = topic;
    this.#channel = new BroadcastChannel(channelName(topic));
    this.#channel.onmessage = ({ data }: MessageEvent<Asked | Given>) => {
      if (data.kind !== "want") return;
      void handOver(data.hint).then((id) => this.#channel.postMessage({ kind: "free", token: data.token, id } satisfies Given));
    };
  }

  /** Several tabs may have adopted nodes, so the lock is shared. */
  announce(adopts: boolean): void {
    if (!adopts) {
      this.#letGo?.();
      this.#letGo = null;
    } else if (this.#letGo === null) {
      const held = new Promise<void>((resolve) => {
        this.#letGo = resolve;
      });
      void navigator.locks.request(adopterLock(this.#topic), { mode: "shared" }, () => held);
    }
  }

  close(): void {
    this.announce(false);
    this.#channel.close();
  }
}
