/** The page's end of the wire to the worker: typed messages out, requests that resolve or fail with a typed error, listeners. */
import type { FromNode, NodeFailure, NodeRequest, NodeResults, ToNode } from "../node/protocol.ts";

/** As much of a Worker as is used. */
export interface WorkerLike {
  postMessage(message: ToNode, transfer?: Transferable[]): void;
  addEventListener(kind: "message", listener: (event: { readonly data: FromNode }) => void): void;
  terminate(): void;
}

/** A refusal of the node. `name` is one of the driver's error names, `code` one of the document's. */
export class NodeError extends Error {
  override readonly name: string;
  readonly code: string | null;
  /** False: surely not applied. */
  readonly mayHaveApplied: boolean;

  constructor(failure: NodeFailure) {
    super(failure.message);
    this.name = failure.name;
    this.code = failure.code;
    this.mayHaveApplied = failure.mayHaveApplied;
  }
}

type Result<K extends NodeRequest["kind"]> = NodeResults[K];

interface Pending {
  readonly kind: NodeRequest["kind"];
  resolve(value: NodeResults[keyof NodeResults]): void;
  reject(error: NodeError): void;
}

export class NodeClient {
  private nextId = 1;
  private ended: NodeFailure | null = null;
  private readonly pending = new Map<number, Pending>();
  private readonly listeners = new Set<(message: FromNode) => void>();

  constructor(private readonly worker: WorkerLike) {
    worker.addEventListener("message", ({ data }) => this.receive(data));
  }

  /** Every message but the answers to requests. Returns what ends the listening. */
  listen(listener: (message: FromNode) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  post(message: ToNode, transfer: Transferable[] = []): void {
    this.worker.postMessage(message, transfer);
  }

  /** Rejects with a `NodeError`. */
  request<K extends NodeRequest["kind"]>(request: Extract<NodeRequest, { kind: K }>): Promise<Result<K>> {
    if (this.ended !== null) return Promise.reject(new NodeError(this.ended));
    const id = this.nextId++;
    return new Promise<Result<K>>((resolve, reject) => {
      this.pending.set(id, { kind: request.kind, resolve: (value) => resolve(value as Result<K>), reject });
      this.worker.postMessage({ kind: "request", id, request });
    });
  }

  /** The node is gone: open requests may have been carried out, later ones will not be. */
  end(reason: string, name = "Stopped"): void {
    if (this.ended !== null) return;
    this.ended = { name, message: reason, code: null, mayHaveApplied: false };
    for (const { reject } of this.pending.values()) reject(new NodeError({ ...this.ended, mayHaveApplied: true }));
    this.pending.clear();
  }

  terminate(): void {
    this.end("The document was closed.");
    this.worker.terminate();
  }

  /** Ends the worker as a killed process ends: nothing is said to anybody. */
  crash(): void {
    this.end("The node has crashed, as it was told to.", "NodeCrashed");
    this.listeners.clear();
    this.worker.terminate();
  }

  private receive(message: FromNode): void {
    if (message.kind === "answered") {
      this.settle(message.id)?.resolve(message.value);
    } else if (message.kind === "refused") {
      this.settle(message.id)?.reject(new NodeError(message.failure));
    } else {
      for (const listener of this.listeners) listener(message);
    }
  }

  private settle(id: number): Pending | null {
    const pending = this.pending.get(id) ?? null;
    this.pending.delete(id);
    return pending;
  }
}
