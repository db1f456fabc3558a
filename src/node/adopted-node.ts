/** One adopted node: its identity, its database and its own Raft with a document of its own, linked in memory alone. */
import { SharedDocument } from "../document/shared-document.ts";
import type { StorageFailed, StoredState } from "../driver/interfaces.ts";
import { Raft } from "../driver/raft.ts";
import type { MemoryHub } from "../network/memory-network.ts";
import type { RaftConfig } from "../raft/mod.ts";
import type { NodeId } from "../raft/types.ts";
import { IndexedDbStorage } from "../storage/indexeddb-storage.ts";
import type { Registry } from "../storage/registry.ts";
import type { AdoptedNode } from "./adoption.ts";
import { workerClock } from "./clock.ts";
import { takeNode } from "./identity.ts";
import { withLoaded } from "./open.ts";
import { randomSeed } from "./random-seed.ts";

export interface TakeAdoptedOptions {
  readonly topic: string;
  readonly registry: Registry;
  readonly hub: MemoryHub;
  readonly config: RaftConfig;
  /** It ended by itself: its disk failed. */
  readonly onEnded: () => void;
}

/** `null`: another tab runs it. Rejects if its memory cannot be read, and leaves it free. */
export async function takeAdopted(id: NodeId, options: TakeAdoptedOptions): Promise<AdoptedNode | null> {
  const { topic, registry, hub, config } = options;
  const identity = await takeNode({ locks: navigator.locks, registry, topic }, id);
  if (identity === null) return null;
  const storage = new IndexedDbStorage({ topic, nodeId: id, create: false, onFailure: () => void end() });
  let raft: Raft<unknown, unknown, unknown> | null = null;
  let ended: Promise<void> | null = null;
  const end = (): Promise<void> => {
    ended ??= (async () => {
      raft?.stop(new Error("the node is let go"));
      hub.remove(id);
      storage.close();
      await identity.release();
      options.onEnded();
    })();
    return ended;
  };
  const result = await new Promise<StoredState | StorageFailed>((resolve) => storage.load(resolve));
  if (result instanceof Error) {
    await end();
    throw result;
  }
  const running = new Raft({
    id,
    config,
    seed: randomSeed(),
    storage: withLoaded(storage, result),
    network: hub.network(id),
    stateMachine: new SharedDocument(),
    clock: workerClock,
  });
  raft = running as Raft<unknown, unknown, unknown>;
  const failure = await new Promise<Error | null>((resolve) => running.start(resolve));
  if (failure !== null) {
    await end();
    throw failure;
  }
  return {
    id,
    metrics: () => running.metricsOrNull(),
    makeLeader: (to) => {
      const { membershipConfig, membershipIndex } = running.metrics();
      const { voters, learners } = membershipConfig;
      const change = { voters: [...voters, to], learners: learners.filter((other) => other !== to) };
      const asked: Promise<unknown> = voters.includes(to)
        ? running.transferLeadership(to)
        : running.proposeConfigChange({ ...change, expectedConfigIndex: membershipIndex });
      // Refused while it is under way already, or too early: it is asked again.
      asked.catch(() => undefined);
    },
    release: end,
  };
}
