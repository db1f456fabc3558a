/** What clients of one document with versions were told, and whether that can be. */
import { pending } from "./linearizability-history.ts";
import type { DocumentOutput } from "./linearizability-models.ts";
import {
  checkVersions,
  checkWindows,
  type VersionedOperation,
  type VersionFault,
  type VersionOptions,
} from "./linearizability-versions.ts";

/** Written as it happens: the order of the calls to it is the order in which things happened. */
export class VersionRecorder {
  readonly #open = new Map<number, VersionedOperation>();
  readonly #closed: VersionedOperation[] = [];
  #moment = 0;

  /** `updates`: the most versions that it may make; 0 of a read. Returns its number, for its outcome. */
  invoke(client: string, updates: number): number {
    const invoked = this.#moment++;
    this.#open.set(invoked, { client, input: { updates }, invoked, returned: pending, output: null, failed: false });
    return invoked;
  }

  /**
   * `output` `null`: it was done, but what it answered is not known any more. `mayRepeat`: an earlier attempt, whose answer nobody got, may
   * have made the versions.
   */
  returned(id: number, output: DocumentOutput | null, mayRepeat: boolean): void {
    const operation = this.#end(id);
    const returned = this.#moment++;
    if (!mayRepeat || operation.input.updates === 0 || output?.added !== 0) {
      this.#closed.push({ ...operation, returned, output });
      return;
    }
    // Two in one: what it made, if anything, at some time, and what it saw in the end.
    this.#closed.push(operation);
    this.#closed.push({ ...operation, returned, input: { updates: 0 }, output });
  }

  /** `definite`: the client was told that nothing has happened or will; else it may happen at any later time. */
  failed(id: number, definite: boolean): void {
    this.#closed.push({ ...this.#end(id), failed: definite });
  }

  /** @throws if it is unknown or has an outcome already */
  #end(id: number): VersionedOperation {
    const operation = this.#open.get(id);
    if (!operation) throw new Error(`operation ${id} is not open`);
    this.#open.delete(id);
    return operation;
  }

  /** By the versions, and by a search in windows that trusts none. `null`: a single copy could have answered so. */
  fault(options: VersionOptions = {}): VersionFault | null {
    const history = [...this.#closed, ...this.#open.values()];
    const fault = checkVersions(history, options);
    if (fault) return fault;
    const { illegal } = checkWindows(history, { ...options, budget: 5000 });
    return illegal && { reason: "no order explains these", operations: illegal };
  }
}
