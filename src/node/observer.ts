/** Looks over the shoulder of one node: measures, causes, what passes on its links, and the trace. It changes nothing. */
import type { LogStorage } from "../driver/interfaces.ts";
import { TraceRing } from "../driver/trace.ts";
import type { RaftState } from "../raft/mod.ts";
import type { Event, LogIndex, Millis, NodeId, Update } from "../raft/types.ts";
import { Activity } from "./activity.ts";
import { Measures } from "./measures.ts";
import type { ActivityMark, ElectionTimer, NodeEvent } from "./protocol.ts";
import { TurningPoints } from "./turning-points.ts";

/** Some minutes of a calm cluster: a leader of three takes about 40 steps a second. */
const TRACE = { steps: 8000, bytes: 8 * 1024 * 1024 } as const;

export interface ObserverOptions {
  now(): Millis;
  nameOf(id: NodeId): string;
  tell(kind: NodeEvent["kind"], text: string): void;
}

/** Entries that came into the log together and are not committed yet. */
interface Waiting {
  first: LogIndex;
  readonly last: LogIndex;
  readonly at: Millis;
}

export class Observer {
  readonly measures = new Measures();
  readonly #activity = new Activity();
  readonly #trace = new TraceRing(TRACE);
  readonly #points: TurningPoints;
  readonly #now: () => Millis;
  #waiting: Waiting[] = [];
  #commitIndex: LogIndex | null = null;
  #electionBegunAt: Millis = 0;
  #electionDeadline: Millis = 0;
  #core: Readonly<RaftState> | null = null;

  constructor({ now, nameOf, tell }: ObserverOptions) {
    this.#now = now;
    this.#points = new TurningPoints(nameOf, tell);
  }

  /** For `Raft`. */
  readonly onStep = (event: Event, update: Update, core: Readonly<RaftState>): void => {
    this.#core = core;
    this.#trace.record(event, core);
    this.#points.onStep(event, update, core);
    this.#count(event, update);
    this.#followEntries(event, update, core);
    this.#followTimer(core);
  };

  /** For the mesh. */
  traffic(direction: "in" | "out", bytes: number): void {
    if (direction === "in") this.measures.counts.bytesIn += bytes;
    else this.measures.counts.bytesOut += bytes;
  }

  /** The same storage, with a watch beside it. */
  timed(storage: LogStorage): LogStorage {
    return {
      load: (done) => storage.load(done),
      persist: (write, done) => {
        const begun = this.#now();
        storage.persist(write, (failure) => {
          if (!failure) {
            this.measures.counts.writes++;
            this.measures.storage.add(this.#now() - begun);
          }
          done(failure);
        });
      },
      saveSnapshot: (write, done) => storage.saveSnapshot(write, done),
      snapshotMeta: () => storage.snapshotMeta(),
      close: () => storage.close(),
    };
  }

  /** Whether anybody looks at what passes on the links. */
  watch(on: boolean): void {
    this.#activity.watched = on;
    this.#activity.take();
  }

  takeMarks(): readonly ActivityMark[] {
    return this.#activity.take();
  }

  /** How far this node is on its way to a campaign; `null`: it waits for none. */
  electionTimer(): ElectionTimer | null {
    const { role } = this.#core ?? {};
    if (!role || role.kind === "leader" || this.#electionDeadline === Number.POSITIVE_INFINITY) return null;
    const remainingMs = Math.max(0, Math.round(this.#electionDeadline - this.#now()));
    return { remainingMs, timeoutMs: Math.max(1, Math.round(this.#electionDeadline - this.#electionBegunAt)) };
  }

  /** As JSON lines; empty before the first step. What writes it is loaded when it is first asked for. */
  async traceText(names: { readonly [id: NodeId]: string }, wallTimeAtZero: Millis): Promise<string> {
    const { writeTrace } = await import("../driver/trace-codec.ts");
    const segment = this.#trace.segment();
    return segment && this.#core ? writeTrace(segment, this.#core, { names, wallTimeAtZero }) : "";
  }

  #count(event: Event, update: Update): void {
    const { counts } = this.measures;
    if (event.kind === "receive") {
      counts.messagesIn++;
      this.#activity.received(event.message);
    }
    counts.messagesOut += update.messages.length;
    this.#activity.sent(update);
    if (update.messages.some((message) => message.kind === "requestVote" && !message.preVote)) counts.elections++;
  }

  #followEntries(event: Event, update: Update, { commitIndex }: Readonly<RaftState>): void {
    const { truncateFrom, entries } = update;
    if (truncateFrom !== null) this.#waiting = this.#waiting.filter(({ first }) => first < truncateFrom);
    const [first] = entries;
    if (first) this.#waiting.push({ first: first.index, last: first.index + entries.length - 1, at: event.now });
    const before = this.#commitIndex ?? commitIndex;
    this.#commitIndex = commitIndex;
    if (commitIndex <= before) return;
    this.measures.counts.commits += commitIndex - before;
    for (let span = this.#waiting[0]; span && span.first <= commitIndex; span = this.#waiting[0]) {
      const through = Math.min(span.last, commitIndex);
      this.measures.commit.add(event.now - span.at, through - span.first + 1);
      span.first = through + 1;
      if (through < span.last) return;
      this.#waiting.shift();
    }
  }

  #followTimer({ role, now }: Readonly<RaftState>): void {
    const deadline = role.kind === "leader" ? Number.POSITIVE_INFINITY : role.electionDeadline;
    if (deadline === this.#electionDeadline) return;
    this.#electionDeadline = deadline;
    this.#electionBegunAt = now;
  }
}
