/** Signals to and from other nodes through a server that cannot read them. Sealing takes time, and order is kept all the same. */
import type { NodeId } from "../raft/types.ts";
import { type PeerSignal, parsePeerSignal } from "./peer-signals.ts";
import type { RoomKeys } from "./room-keys.ts";
import { Seal } from "./seal.ts";
import type { Signaling } from "./signaling-client.ts";

/** Boxes that wait to be opened; what comes beyond is dropped. */
const MAX_WAITING = 1000;

export interface SealedSignalingOptions {
  readonly self: NodeId;
  readonly keys: RoomKeys;
  readonly signaling: Signaling;
  /** From the node that `from` names, meant for this one, not heard before. */
  readonly onSignal: (from: NodeId, signal: PeerSignal) => void;
  readonly onRefused: (reason: string) => void;
}

export class SealedSignaling {
  readonly #seal: Seal;
  #sending: Promise<void> = Promise.resolve();
  #receiving: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(private readonly options: SealedSignalingOptions) {
    this.#seal = new Seal(options.keys, options.self);
  }

  send(to: NodeId, signal: PeerSignal): void {
    this.#sending = this.#sending.then(async () => {
      this.options.signaling.send(to, await this.#seal.seal(to, JSON.stringify(signal)));
    });
  }

  receive(from: NodeId, box: string): void {
    if (this.#waiting >= MAX_WAITING) {
      this.options.onRefused("tooManySignals");
      return;
    }
    this.#waiting += 1;
    this.#receiving = this.#receiving.then(async () => {
      const opened = await this.#seal.open(from, box);
      this.#waiting -= 1;
      if (typeof opened === "string") {
        this.options.onRefused(opened);
        return;
      }
      const signal = parsePeerSignal(opened.text);
      if (signal === null) this.options.onRefused("badSignal");
      else this.options.onSignal(from, signal);
    });
  }
}
