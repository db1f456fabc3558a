/** What clients were told, against what state machines apply: nothing acknowledged is lost, nothing happens twice, a definite error is definite. */
import type { Entry, LogIndex, NodeId } from "../raft/types.ts";
import { law, type Situations } from "./law.ts";

/** Where the committed log stands. */
interface Committed {
  readonly committed: readonly Entry[];
}

export class ClientLaws<Response> {
  /** Highest index that any client was told of. */
  floor: LogIndex = 0;
  acknowledged = 0;
  /** Running hash of all that was applied, by index. */
  readonly #chains: number[] = [];
  /** By number of the command: where it was first applied; 0: nowhere. */
  readonly #appliedAt: LogIndex[] = [];
  readonly #responses: Response[] = [];
  readonly #repeatable = new Set<number>();
  readonly #notApplied = new Set<number>();
  readonly #log: Committed;
  readonly #situations: Situations;

  constructor(log: Committed, situations: Situations) {
    this.#log = log;
    this.#situations = situations;
  }

  /** Repeating this one is harmless: it may stand in the log more than once. */
  allowRepeats(number: number): void {
    this.#repeatable.add(number);
  }

  applied(id: NodeId, index: LogIndex, number: number, chain: number, response: Response): void {
    const known = this.#chains[index];
    law(
      known === undefined || known === chain,
      "State Machine Safety",
      () => `${id} applied command ${number} at ${index}; what it applied so far is not what others did`,
    );
    if (known !== undefined) return;
    while (this.#chains.length < index) this.#chains.push(0);
    this.#chains[index] = chain;
    const first = this.#appliedAt[number] ?? 0;
    law(
      first === 0 || this.#repeatable.has(number),
      "Exactly once",
      () => `command ${number} is applied at ${first} and at ${index}`,
    );
    law(
      !this.#notApplied.has(number),
      "Definite errors",
      () => `command ${number} is applied at ${index}, yet its client was told that it was not`,
    );
    if (first !== 0) return;
    while (this.#appliedAt.length <= number) this.#appliedAt.push(0);
    this.#appliedAt[number] = index;
    this.#responses[number] = response;
  }

  /** A subscriber at a node is told of these, behind `after`: in order, none twice, none left out. */
  told(id: NodeId, after: LogIndex, applied: readonly { readonly index: LogIndex }[]): void {
    let last = after;
    for (const { index } of applied) {
      law(index > last, "Subscription", () => `${id} told of ${index} after ${last}`);
      for (let between = last + 1; between < index; between++)
        law(!this.#chains[between], "Subscription", () => `${id} told of ${index} after ${last}, and never of ${between}`);
      last = index;
    }
  }

  /** A client was told that its command is done. */
  acknowledge(index: LogIndex, number: number, response: Response | null, same: (a: Response, b: Response) => boolean): void {
    const first = this.#appliedAt[number] ?? 0;
    law(
      first > 0 && first <= index && this.#log.committed[index - 1]?.kind === "command",
      "Nothing acknowledged is lost",
      () => `a client was told that command ${number} is at ${index}; it was first applied at ${first}`,
    );
    if (first < index) this.#situations.reach("repeated command answered from its session");
    if (response !== null && !this.#repeatable.has(number))
      law(
        same(response, this.#responses[number] as Response),
        "Exactly once",
        () => `the response to command ${number} is not the one of its first and only execution`,
      );
    this.floor = Math.max(this.floor, index);
    this.acknowledged++;
  }

  /** A client was told that its command was not applied and will not be. */
  refused(number: number): void {
    const first = this.#appliedAt[number] ?? 0;
    law(first === 0, "Definite errors", () => `a client was told that command ${number} was not applied; it was, at ${first}`);
    this.#notApplied.add(number);
  }

  /** A repeated command stands in the log without being applied again, so it is the index that counts. */
  read(id: NodeId, floor: LogIndex, lastApplied: LogIndex): void {
    law(
      lastApplied >= floor,
      "Linearizable reads",
      () => `a read at ${id} saw ${lastApplied} and missed ${floor}, which was committed before it began`,
    );
    this.floor = Math.max(this.floor, Math.min(lastApplied, this.#log.committed.length));
  }
}
