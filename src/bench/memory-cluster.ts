/** Three nodes of one process whose disks and links are memory: nothing is left to measure but the core and its driver. */
import type { Applied, Clock, StateMachine } from "../driver/interfaces.ts";
import { Raft } from "../driver/raft.ts";
import { MemoryHub } from "../network/memory-network.ts";
import type { RaftState } from "../raft/mod.ts";
import type { Event, Update } from "../raft/types.ts";
import { MemoryDisk, MemoryStorage } from "../storage/memory-storage.ts";

const generation = { number: 1, id: "0".repeat(32), parentId: null, forkIndex: 0 };
const ids = ["a", "b", "c"];

const settled = Promise.resolve();

/** The host's time; disks and links complete in microtasks, without the bookkeeping that Node adds to `queueMicrotask`. */
const clock: Clock = {
  now: () => performance.now(),
  wallTime: () => Date.now(),
  soon(run) {
    void settled.then(run);
  },
  schedule(at, fire) {
    const timer = setTimeout(fire, Math.max(0, at - performance.now()));
    return () => clearTimeout(timer);
  },
};

/** Does nothing but count what it is given. */
export class Counter implements StateMachine<Uint8Array, null, never> {
  applied = 0;
  #wanted = Number.POSITIVE_INFINITY;
  #reached: () => void = () => undefined;
  readonly #nothing = new Uint8Array(0);

  /** Resolves once `count` commands have been applied since the start. */
  reaches(count: number): Promise<void> {
    return new Promise((resolve) => {
      this.#wanted = count;
      this.#reached = resolve;
      if (this.applied >= count) resolve();
    });
  }

  apply(commands: readonly Applied<Uint8Array>[]): readonly null[] {
    this.applied += commands.length;
    if (this.applied >= this.#wanted) this.#reached();
    return new Array<null>(commands.length).fill(null);
  }

  encode(command: Uint8Array): Uint8Array {
    return command;
  }

  decode(bytes: Uint8Array): Uint8Array {
    return bytes;
  }

  validate(): null {
    return null;
  }

  encodeResponse(): Uint8Array {
    return this.#nothing;
  }

  decodeResponse(): null {
    return null;
  }

  snapshot(): Uint8Array {
    return new TextEncoder().encode(String(this.applied));
  }

  restore(bytes: Uint8Array): void {
    this.applied = Number(new TextDecoder().decode(bytes));
  }
}

export interface MemoryNode {
  readonly id: string;
  readonly raft: Raft<Uint8Array, null, never>;
  readonly machine: Counter;
}

export interface MemoryCluster {
  readonly nodes: readonly MemoryNode[];
  readonly leader: MemoryNode;
  stop(): void;
}

type OnStep = (id: string, event: Event, update: Update, core: Readonly<RaftState>) => void;

/** Ready once there is a leader that has committed in its term. */
export async function startCluster(onStep: OnStep = () => undefined): Promise<MemoryCluster> {
  const hub = new MemoryHub((run) => clock.soon(run));
  const nodes = ids.map((id, at): MemoryNode => {
    const machine = new Counter();
    const raft = new Raft<Uint8Array, null, never>({
      id,
      seed: at + 1,
      storage: new MemoryStorage(new MemoryDisk(), (complete) => clock.soon(complete)),
      network: hub.network(id),
      stateMachine: machine,
      clock,
      onStep: (event, update, core) => onStep(id, event, update, core),
    });
    return { id, raft, machine };
  });
  for (const { raft } of nodes)
    await new Promise<void>((resolve, reject) => raft.start((failure) => (failure ? reject(failure) : resolve())));
  await Promise.all(nodes.map(({ raft }) => raft.initWithConfig({ voters: ids, generation })));
  const leads = await Promise.race(nodes.map(({ raft }) => raft.waitFor(({ state }) => state === "leader")));
  const leader = nodes.find(({ id }) => id === leads.id);
  if (!leader) throw new Error("nobody leads");
  await leader.raft.read();
  return {
    nodes,
    leader,
    stop: () => {
      for (const { raft } of nodes) raft.stop(new Error("the bench is over"));
    },
  };
}
