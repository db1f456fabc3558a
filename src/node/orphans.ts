/** The parts of adoption put together: the nodes in this worker, the links among them, and the desk where tabs that open ask for one. */
import type { RaftNetwork } from "../driver/interfaces.ts";
import type { RaftMetrics } from "../driver/metrics.ts";
import { MemoryHub } from "../network/memory-network.ts";
import type { RaftConfig } from "../raft/mod.ts";
import type { NodeId } from "../raft/types.ts";
import { takeAdopted } from "./adopted-node.ts";
import { Adoption } from "./adoption.ts";
import { workerClock } from "./clock.ts";
import { type DeviceNodes, giveWay, runnableNodes } from "./device-nodes.ts";
import { HandOverDesk } from "./hand-over.ts";

export interface OrphansOptions {
  readonly self: NodeId;
  readonly device: DeviceNodes;
  readonly config: RaftConfig;
  metrics(): RaftMetrics;
  nameOf(id: NodeId): string;
  tell(text: string): void;
}

export class Orphans {
  readonly adoption: Adoption;
  readonly #options: OrphansOptions;
  readonly #hub = new MemoryHub();
  readonly #desk: HandOverDesk;

  constructor(options: OrphansOptions) {
    const { device, config } = options;
    this.#options = options;
    this.#desk = new HandOverDesk(device.topic, (hint) => this.adoption.handOver(hint));
    this.adoption = new Adoption({
      ...options,
      nodesHere: () => runnableNodes(device),
      take: (id, onEnded) => takeAdopted(id, { ...device, hub: this.#hub, config, onEnded }),
      announce: (adopts) => this.#desk.announce(adopts),
      now: () => workerClock.now(),
      afterMs: config.electionTimeoutMaxMs,
    });
  }

  /** Of the tab's own node: to the nodes in this worker in memory, to all others by `mesh`. */
  network(mesh: RaftNetwork): RaftNetwork {
    const here = this.#hub.network(this.#options.self);
    return {
      start: (handlers) => {
        here.start(handlers);
        mesh.start(handlers);
      },
      send: (message) => (this.#hub.has(message.to) ? here : mesh).send(message),
    };
  }

  metrics(): readonly RaftMetrics[] {
    return [...this.adoption.nodes()].flatMap((node) => node.metrics() ?? []);
  }

  /** The tab's own node and all of its history that nobody runs: another generation goes on. */
  async giveUp(): Promise<void> {
    await this.adoption.end();
    await giveWay(this.#options.device, this.#options.self);
  }

  async end(): Promise<void> {
    await this.adoption.end();
    this.#desk.close();
  }
}
