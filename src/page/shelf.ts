/** The documents on this device, as the home page shows them; asked of a worker, which alone knows the storage. */
import { createStore } from "zustand/vanilla";
import type { FromShelf, ShelfDocument, ToShelf } from "../node/protocol.ts";

export type { ShelfDocument } from "../node/protocol.ts";

export interface ShelfState {
  /** `null`: not known yet. */
  readonly documents: readonly ShelfDocument[] | null;
  /** Why the last wish was not fulfilled. */
  readonly failure: string | null;
}

/** As much of a Worker as is used. */
interface ShelfWorker {
  postMessage(message: ToShelf): void;
  addEventListener(kind: "message", listener: (event: { readonly data: FromShelf }) => void): void;
  terminate(): void;
}

export class Shelf {
  readonly store = createStore<ShelfState>(() => ({ documents: null, failure: null }));
  private worker: ShelfWorker | null = null;

  constructor(private readonly makeWorker: () => ShelfWorker) {}

  /** Asks anew: what another tab has changed meanwhile is seen. */
  refresh(): void {
    this.ask({ kind: "list" });
  }

  /** For good. Whoever calls this has warned the person. */
  forget(topic: string): void {
    this.ask({ kind: "forget", topic });
  }

  close(): void {
    this.worker?.terminate();
    this.worker = null;
  }

  private ask(message: ToShelf): void {
    if (this.worker === null) {
      this.worker = this.makeWorker();
      this.worker.addEventListener("message", ({ data }) => this.store.setState(data));
    }
    this.worker.postMessage(message);
  }
}
