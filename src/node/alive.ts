/**
 * Whether another node of this browser runs, without any server: each holds a Web Lock while it lives, and whoever wants to know when it ends asks
 * for the same lock, shared, and gets it within milliseconds of its end, a crash included. The lock that makes an identity is another one, so that
 * nobody who reopens a tab finds it taken by a watcher.
 */
import type { NodeId } from "../raft/types.ts";

/** As much of the browser's LockManager as is needed. */
export interface SharedLocksLike {
  request<T>(
    name: string,
    options: { readonly mode: "exclusive" | "shared"; readonly signal?: AbortSignal },
    callback: () => Promise<T>,
  ): Promise<T>;
}

function aliveName(topic: string, id: NodeId): string {
  return `tabraft-alive:${topic}:${id}`;
}

/** From soon on until the returned function is called, or this worker ends. */
export function holdAlive(locks: SharedLocksLike, topic: string, id: NodeId): () => void {
  let end = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    end = resolve;
  });
  void locks.request(aliveName(topic, id), { mode: "exclusive" }, () => held);
  return () => end();
}

/** Waits for the end of one node of this browser at a time. */
export class AliveWatch {
  readonly #locks: SharedLocksLike;
  readonly #topic: string;
  readonly #onEnded: (id: NodeId) => void;
  #watched: NodeId | null = null;
  #abort = new AbortController();

  constructor(locks: SharedLocksLike, topic: string, onEnded: (id: NodeId) => void) {
    this.#locks = locks;
    this.#topic = topic;
    this.#onEnded = onEnded;
  }

  /** `null`: nobody. One that does not run in this browser counts as ended, so only ask for those that do. */
  watch(id: NodeId | null): void {
    if (id === this.#watched) return;
    this.#abort.abort();
    this.#watched = id;
    if (id === null) return;
    const abort = new AbortController();
    this.#abort = abort;
    const ended = async (): Promise<void> => {
      if (abort.signal.aborted) return;
      this.#watched = null;
      this.#onEnded(id);
    };
    this.#locks.request(aliveName(this.#topic, id), { mode: "shared", signal: abort.signal }, ended).catch((error: unknown) => {
      // Whoever stops waiting is told so by a rejection.
      if (!abort.signal.aborted) throw error;
    });
  }
}
