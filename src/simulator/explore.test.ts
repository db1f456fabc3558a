/** A small walk over every state, and the model of the write queue against the driver's. */
import { describe, expect, test } from "vitest";
import type { LogWrite } from "../driver/interfaces.ts";
import { WriteQueue } from "../driver/write-queue.ts";
import { createConfig, createRaft, createRandom, nextBelow, pristineHardState, type RaftState } from "../raft/mod.ts";
import type { Message, Update } from "../raft/types.ts";
import { explore } from "./explore.ts";
import { idleWrites, type WriteModel, withCompletion, withQuietWrite, withUpdate } from "./explore-disk.ts";
import { smallScopes } from "./explore-scopes.ts";

describe("the walk", () => {
  test.each(smallScopes.map((scope) => [scope.name, scope] as const))("%s: every state holds every law", (_, scope) => {
    const { violation, complete, states } = explore(scope);
    expect(violation).toBeNull();
    expect(complete).toBe(true);
    expect(states).toBeGreaterThan(1000);
  });

  test("the same walk twice meets the same states", () => {
    const [scope] = smallScopes;
    if (!scope) throw new Error("there is a small scope");
    expect(explore(scope, { maxStates: 2000 })).toEqual(explore(scope, { maxStates: 2000 }));
  });
});

const generation = { number: 1, id: "0".repeat(32), parentId: null, forkIndex: 0 };
const configuration = { voters: ["n1"], votersOld: [], learners: [] };

const stored = { hardState: pristineHardState, snapshot: null, firstIndex: 1, baseTerm: 0, entries: [], commitIndex: 0 };
const pristine = createRaft({ id: "n1", config: createConfig(), seed: 1, now: 0, ...stored });

/** The driver's queue over a disk that tells what it was asked for. */
class RealQueue {
  readonly said: string[] = [];
  readonly asked: string[] = [];
  #done: (() => void) | null = null;
  readonly queue: WriteQueue;

  constructor() {
    const take = (words: string, done: (failure: null) => void): void => {
      this.asked.push(words);
      this.#done = () => done(null);
    };
    const storage = {
      load: () => undefined,
      persist: (write: LogWrite, done: (failure: null) => void) => take(wordsOf(write), done),
      saveSnapshot: (write: { snapshot: { index: number } }, done: (failure: null) => void) =>
        take(`snapshot ${write.snapshot.index}`, done),
      snapshotMeta: () => null,
      close: () => undefined,
    };
    this.queue = new WriteQueue(storage, pristine, {
      onDurable: (write, end) => this.said.push(`durable ${write} ${end.index}@${end.term}`),
      onSnapshotDurable: (index, term) => this.said.push(`snapshot ${index}@${term}`),
      onFailed: (failure) => this.said.push(failure.message),
      send: (message) => this.said.push(`sends ${message.term}`),
    });
  }

  complete(): void {
    const done = this.#done;
    this.#done = null;
    done?.();
  }
}

function wordsOf({ hardState, truncateFrom, entries, commitIndex }: LogWrite): string {
  return `${hardState?.currentTerm} ${truncateFrom} ${entries.map(({ index, term }) => `${index}@${term}`).join(",")} commit ${commitIndex}`;
}

/** The model, and what it was asked for and said. */
class ModelQueue {
  readonly said: string[] = [];
  readonly asked: string[] = [];
  writes: WriteModel = idleWrites({ index: 0, term: 0 }, 0);

  become(writes: WriteModel, messages: readonly Message[]): void {
    const { underWay } = writes;
    if (underWay && underWay !== this.writes.underWay)
      this.asked.push(underWay.kind === "snapshot" ? `snapshot ${underWay.write.snapshot.index}` : wordsOf(underWay));
    this.writes = writes;
    for (const { term } of messages) this.said.push(`sends ${term}`);
  }

  complete(): void {
    const { underWay } = this.writes;
    if (!underWay) return;
    const { writes, messages } = withCompletion(this.writes);
    this.become(writes, messages);
    if (underWay.kind === "snapshot") this.said.push(`snapshot ${underWay.write.snapshot.index}@${underWay.write.snapshot.term}`);
    else if (underWay.write !== 0) this.said.push(`durable ${underWay.write} ${underWay.end.index}@${underWay.end.term}`);
  }
}

/** Whatever a core might ask for next, by chance. */
class Asker {
  readonly #random: ReturnType<typeof createRandom>;
  last = 0;
  commitIndex = 0;
  #write = 0;
  #term = 1;

  constructor(seed: number) {
    this.#random = createRandom(seed);
  }

  below(bound: number): number {
    return nextBelow(this.#random, bound);
  }

  next(): Update {
    const changesTerm = this.below(3) === 0;
    if (changesTerm) this.#term++;
    const open = this.last - this.commitIndex;
    const truncateFrom = open > 0 && this.below(4) === 0 ? this.commitIndex + 1 + this.below(open) : null;
    if (truncateFrom !== null) this.last = truncateFrom - 1;
    const entries = Array.from(
      { length: this.below(3) },
      () => ({ kind: "blank", index: ++this.last, term: this.#term }) as const,
    );
    this.commitIndex = Math.max(this.commitIndex, this.below(this.last + 1));
    const writes = changesTerm || truncateFrom !== null || entries.length > 0;
    if (writes) this.#write++;
    const message = { kind: "timeoutNow", from: "n1", to: "n2", term: this.#term, generation } as const;
    const snapshot = {
      index: this.last,
      term: this.#term,
      configuration,
      configurationIndex: 1,
      size: 0,
      checksum: 0,
      data: new Uint8Array(),
    };
    return {
      write: writes ? this.#write : 0,
      hardState: changesTerm ? { currentTerm: this.#term, votedFor: null, generation } : null,
      truncateFrom,
      entries,
      snapshot: this.below(8) === 0 ? { snapshot, compactThrough: 0, reset: this.below(2) === 0 } : null,
      messages: this.below(2) === 0 ? [message] : [],
      restore: null,
      committed: [],
      answers: [],
      deadline: 0,
    };
  }

  get end(): { readonly index: number; readonly term: number } {
    return { index: this.last, term: this.#term };
  }

  /** A record whose log ends there: more of it a queue does not read. */
  get core(): RaftState {
    const log = { ...pristine.log, baseIndex: this.last, baseTerm: this.#term };
    return { ...pristine, log, commitIndex: this.commitIndex };
  }
}

test("the model of the write queue asks for the same writes and lets the same messages go as the driver's queue", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const [real, model, asker] = [new RealQueue(), new ModelQueue(), new Asker(seed)];
    for (let turn = 0; turn < 30; turn++) {
      const what = asker.below(5);
      if (what < 2) {
        const update = asker.next();
        real.queue.add(update, asker.core);
        const { writes, messages } = withUpdate(model.writes, update, asker.end, asker.commitIndex);
        model.become(writes, messages);
      } else if (what < 4) {
        real.complete();
        model.complete();
      } else {
        real.queue.storeCommitIndex(asker.commitIndex);
        const writes = withQuietWrite(model.writes, asker.commitIndex);
        if (writes) model.become(writes, []);
      }
      expect(model.asked, `seed ${seed}`).toEqual(real.asked);
      expect(model.said, `seed ${seed}`).toEqual(real.said);
    }
  }
});
