/** What may happen next in a state, and what comes of it. Every law is checked on the way. */
import { formatMessage } from "../raft/format.ts";
import { checkState, checkTransition, summarize } from "../raft/laws.ts";
import { configurationOf, createConfig, lastIndex, lastTerm, leaderOf, type RaftConfig, step } from "../raft/mod.ts";
import { mayCampaign } from "../raft/state.ts";
import type { Event, Generation, Message, NodeId, Update } from "../raft/types.ts";
import { type Action, action, type Kind, kindOf } from "./explore-actions.ts";
import { idleWrites, pristineDisk, withCompletion, withQuietWrite, withUpdate, written } from "./explore-disk.ts";
import {
  checkAcknowledgements,
  checkAnswers,
  checkCommitted,
  checkKnownCommitted,
  checkLeader,
  checkLogMatching,
  checkRestore,
  checkSend,
  imageThrough,
} from "./explore-laws.ts";
import {
  type Budget,
  type BudgetName,
  type Cell,
  cloneCore,
  commandOf,
  forgetTime,
  noBudget,
  nodeId,
  type Packet,
  type Past,
  placeOf,
  type Scope,
  silenceTime,
  startCore,
  stepTime,
  timeoutTime,
  type WorldState,
} from "./explore-world.ts";

const firstRead = 100;
const changeRequest = 200;
const transferRequest = 201;
const generation: Generation = { number: 1, id: "0".repeat(32), parentId: null, forkIndex: 0 };

type Untimed = Event extends infer E ? (E extends Event ? Omit<E, "now"> : never) : never;

/** Being made from `from`; a cell or link that does not change is shared. */
class Draft {
  readonly cells: Cell[];
  readonly links: (readonly Packet[])[];
  left: Budget;
  past: Past;
  /** More is under way than the scope has room for. */
  isTooFull = false;

  constructor(from: WorldState) {
    this.cells = from.cells.slice();
    this.links = from.links.slice();
    this.left = from.left;
    this.past = from.past;
  }

  finish(): WorldState {
    return { cells: this.cells, links: this.links, left: this.left, past: this.past };
  }

  cell(place: number): Cell {
    const cell = this.cells[place];
    if (!cell) throw new Error(`there is no node ${place}`);
    return cell;
  }

  spend(name: BudgetName): void {
    this.left = { ...this.left, [name]: this.left[name] - 1 };
  }
}

export class Rules {
  readonly #scope: Scope;
  readonly #config: RaftConfig;
  readonly #places: readonly number[];

  constructor(scope: Scope) {
    this.#scope = scope;
    this.#config = createConfig({ preVote: false, checkQuorum: false, ...scope.config });
    this.#places = Array.from({ length: scope.nodes }, (_, place) => place);
  }

  // ---- where it begins ----

  begin(): WorldState {
    const { nodes, voters, budget, led } = this.#scope;
    const configuration = { voters: this.#places.slice(0, voters).map(nodeId), votersOld: [], learners: [] };
    const entry = { kind: "configuration", index: 1, term: 1, configuration } as const;
    const first = { ...pristineDisk, hardState: { currentTerm: 1, votedFor: null, generation }, entries: [entry] };
    const cells = this.#places.map((place) => this.#life(nodeId(place), place < voters ? first : pristineDisk));
    const links = Array.from({ length: nodes * nodes }, () => []);
    const past = { committed: [], leaders: new Map(), floors: new Map(), refused: [] };
    const state = { cells, links, left: { ...noBudget, ...budget }, past };
    return led ? this.#settled(this.#draftAfter(state, action("timeout", 0)).finish()) : state;
  }

  #life(id: NodeId, disk: Cell["disk"]): Cell {
    const core = startCore(id, this.#config, disk);
    const writes = idleWrites({ index: lastIndex(core.log), term: lastTerm(core.log) }, core.commitIndex);
    return { core, disk, writes, prints: [] };
  }

  /** Until every disk and every link is quiet; with as much under way as it takes. */
  #settled(from: WorldState): WorldState {
    let state = from;
    for (let next = this.#pending(state); next !== undefined; next = this.#pending(state))
      state = this.#draftAfter(state, next).finish();
    return state;
  }

  #pending(state: WorldState): Action | undefined {
    const [writing] = this.#places.filter((place) => state.cells[place]?.writes.underWay);
    if (writing !== undefined) return action("complete", writing);
    const link = state.links.findIndex(({ length }) => length > 0);
    return link >= 0 ? action("deliver", link) : undefined;
  }

  // ---- what may happen ----

  actions(state: WorldState): Action[] {
    const found: Action[] = [];
    const { left } = state;
    for (const [link, packets] of state.links.entries()) {
      if (packets.length === 0) continue;
      found.push(action("deliver", link));
      if (left.resets > 0) found.push(action("reset", link));
      if (left.duplicates > 0) found.push(action("duplicate", link));
    }
    for (const place of this.#places) this.#actionsOf(state, place, found);
    return found;
  }

  #actionsOf(state: WorldState, place: number, found: Action[]): void {
    const cell = state.cells[place];
    if (!cell) return;
    const { core, writes } = cell;
    const { left } = state;
    const isLeader = core.role.kind === "leader";
    const leader = leaderOf(core);
    const add = (kind: Kind, at = place) => found.push(action(kind, at));
    if (writes.underWay) add("complete");
    else if (this.#scope.quietWrites && withQuietWrite(writes, core.commitIndex)) add("quiet");
    if (isLeader ? left.heartbeats > 0 : core.hardState.currentTerm < this.#scope.maxTerm && mayCampaign(core)) add("timeout");
    if (this.#scope.longSilence && isLeader && (this.#config.checkQuorum || left.heartbeats > 0)) add("silence");
    const asks = isLeader || (this.#scope.forwarding && leader !== null);
    if (left.proposals > 0 && asks) add("propose");
    if (left.reads > 0 && asks) add("read");
    if (left.crashes > 0) add("crashLosing");
    if (left.crashes > 0 && writes.underWay) add("crashKeeping");
    if (left.changes > 0 && isLeader) for (const target of this.#scope.targets.keys()) add("change", place * 8 + target);
    // Also of what is not durable yet: the core must decline.
    const mayCompact = core.commitIndex > (core.snapshot?.index ?? 0) && !core.snapshotBeingWritten;
    if (left.snapshots > 0 && mayCompact) add("snapshot");
    if (left.transfers > 0 && isLeader) for (const to of this.#places) if (to !== place) add("transfer", place * 8 + to);
  }

  // ---- what comes of it ----

  /**
   * `null`: the scope has no room for what is then under way.
   * @throws LawBroken, AssertionFailed
   */
  after(state: WorldState, what: Action): WorldState | null {
    const draft = this.#draftAfter(state, what);
    if (draft.isTooFull) return null;
    const next = draft.finish();
    return this.#scope.quickDisks ? this.#flushed(next) : next;
  }

  #flushed(from: WorldState): WorldState | null {
    let state = from;
    for (const place of this.#places)
      while (state.cells[place]?.writes.underWay) {
        const draft = this.#draftAfter(state, action("complete", place));
        if (draft.isTooFull) return null;
        state = draft.finish();
      }
    return state;
  }

  #draftAfter(state: WorldState, what: Action): Draft {
    const draft = new Draft(state);
    const kind = kindOf(what);
    const place = what & 63;
    switch (kind) {
      case "deliver":
      case "duplicate":
      case "reset":
        this.#onLink(draft, kind, place);
        break;
      case "complete":
        this.#complete(draft, place);
        break;
      case "quiet":
        this.#quiet(draft, place);
        break;
      case "crashLosing":
      case "crashKeeping":
        this.#crash(draft, place, kind === "crashKeeping");
        break;
      case undefined:
        throw new Error(`there is no action ${what}`);
      default:
        this.#ask(draft, kind, place);
    }
    return draft;
  }

  #onLink(draft: Draft, kind: "deliver" | "duplicate" | "reset", link: number): void {
    const [packet, ...rest] = draft.links[link] ?? [];
    if (kind === "deliver") draft.links[link] = rest;
    if (kind === "duplicate") draft.spend("duplicates");
    if (kind === "reset") {
      draft.spend("resets");
      draft.links[link] = [];
    } else if (packet) this.#turn(draft, link % this.#scope.nodes, { kind: "receive", message: packet.message });
  }

  #complete(draft: Draft, place: number): void {
    const cell = draft.cell(place);
    const { underWay } = cell.writes;
    if (!underWay) return;
    const disk = written(cell.disk, underWay);
    const { writes, messages } = withCompletion(cell.writes);
    draft.cells[place] = { ...cell, disk, writes, prints: [] };
    this.#send(draft, place, messages);
    if (underWay.kind === "snapshot") {
      const { index, term } = underWay.write.snapshot;
      this.#turn(draft, place, { kind: "snapshotPersisted", index, term });
    } else if (underWay.write !== 0) {
      this.#turn(draft, place, { kind: "persisted", write: underWay.write, ...underWay.end });
    }
  }

  #quiet(draft: Draft, place: number): void {
    const cell = draft.cell(place);
    const writes = withQuietWrite(cell.writes, cell.core.commitIndex);
    if (writes) draft.cells[place] = { ...cell, writes, prints: [] };
  }

  /** The write under way became durable, or did not; what was on its way to the life that is over is lost. */
  #crash(draft: Draft, place: number, keeping: boolean): void {
    draft.spend("crashes");
    const { core, disk, writes } = draft.cell(place);
    const left = keeping && writes.underWay ? written(disk, writes.underWay) : disk;
    draft.cells[place] = this.#life(core.id, left);
    for (const from of this.#places) draft.links[from * this.#scope.nodes + place] = [];
    const floors = new Map([...draft.past.floors].filter(([, { by }]) => by !== core.id));
    draft.past = { ...draft.past, floors };
    checkState(draft.cell(place).core);
    checkKnownCommitted(draft.cell(place).core, draft.past);
  }

  #ask(
    draft: Draft,
    kind: Exclude<Kind, "deliver" | "duplicate" | "reset" | "complete" | "quiet" | "crashLosing" | "crashKeeping">,
    at: number,
  ): void {
    const { left } = draft;
    const [place, other] = kind === "change" || kind === "transfer" ? [at >> 3, at & 7] : [at, 0];
    const { core } = draft.cell(place);
    if (kind === "timeout" || kind === "silence") {
      // With CheckQuorum a leader steps down after a silence; without, it is one more heartbeat.
      if (core.role.kind === "leader" && (kind === "timeout" || !this.#config.checkQuorum)) draft.spend("heartbeats");
      return this.#turn(draft, place, { kind: "timeout" }, kind === "silence" ? silenceTime : timeoutTime);
    }
    if (kind === "propose") {
      draft.spend("proposals");
      const number = (this.#scope.budget.proposals ?? 0) - left.proposals + 1;
      return this.#turn(draft, place, { kind: "propose", requestId: number, commands: [commandOf(number)], ifTerm: null });
    }
    if (kind === "read") {
      draft.spend("reads");
      const requestId = firstRead + left.reads;
      const floor = { index: draft.past.committed.length, by: core.id };
      draft.past = { ...draft.past, floors: new Map(draft.past.floors).set(requestId, floor) };
      return this.#turn(draft, place, { kind: "read", requestId });
    }
    if (kind === "snapshot") {
      draft.spend("snapshots");
      const data = imageThrough(draft.past, core.commitIndex);
      return this.#turn(draft, place, { kind: "snapshotTaken", index: core.commitIndex, data });
    }
    if (kind === "transfer") {
      draft.spend("transfers");
      return this.#turn(draft, place, { kind: "transferLeadership", requestId: transferRequest, to: nodeId(other) });
    }
    draft.spend("changes");
    const target = this.#scope.targets[other];
    const [voters, learners] = [target?.voters.map(nodeId) ?? [], target?.learners.map(nodeId) ?? []];
    this.#turn(draft, place, {
      kind: "changeConfiguration",
      requestId: changeRequest,
      voters,
      learners,
      expectedConfigIndex: null,
    });
  }

  /** One event, as the driver's loop takes it. */
  #turn(draft: Draft, place: number, event: Untimed, now = stepTime): void {
    const cell = draft.cell(place);
    const configuration = configurationOf(cell.core);
    const core = cloneCore(cell.core);
    const before = summarize(core);
    const update = step(core, { ...event, now });
    forgetTime(core);
    checkTransition(before, core);
    checkState(core);
    const { writes, messages } = withUpdate(
      cell.writes,
      update,
      { index: lastIndex(core.log), term: lastTerm(core.log) },
      core.commitIndex,
    );
    draft.cells[place] = { core, disk: cell.disk, writes, prints: [] };
    this.#check(draft, place, update, configuration);
    this.#send(draft, place, messages);
  }

  #check(draft: Draft, place: number, update: Update, configuration: ReturnType<typeof configurationOf>): void {
    const { core, disk } = draft.cell(place);
    const { cells } = draft;
    checkRestore(update, draft.past);
    const committed = checkCommitted(core, update.committed, configuration, cells, draft.past);
    if (committed !== draft.past.committed) draft.past = { ...draft.past, committed };
    checkKnownCommitted(core, draft.past);
    checkLeader(core, disk, draft.past);
    checkLogMatching(core, cells);
    checkAcknowledgements(core, disk, update);
    checkAnswers(core, update, draft.past);
    this.#remember(draft, core, update);
  }

  #remember(draft: Draft, core: Cell["core"], update: Update): void {
    const { currentTerm } = core.hardState;
    if (core.role.kind === "leader" && !draft.past.leaders.has(currentTerm))
      draft.past = { ...draft.past, leaders: new Map(draft.past.leaders).set(currentTerm, core.id) };
    for (const { kind, requestId } of update.answers) {
      if (draft.past.floors.has(requestId)) {
        const floors = new Map(draft.past.floors);
        floors.delete(requestId);
        draft.past = { ...draft.past, floors };
      } else if (kind === "refused" && requestId < firstRead) {
        draft.past = { ...draft.past, refused: [...draft.past.refused, requestId].sort() };
      }
    }
  }

  #send(draft: Draft, place: number, messages: readonly Message[]): void {
    if (messages.length === 0) return;
    const { disk } = draft.cell(place);
    let underWay = messages.length;
    for (const { length } of draft.links) underWay += length;
    if (underWay > this.#scope.underWay) draft.isTooFull = true;
    for (const message of messages) {
      checkSend(message, disk);
      const link = place * this.#scope.nodes + placeOf(message.to);
      const before = draft.links[link] ?? [];
      if (before.length >= this.#scope.linkLength) draft.isTooFull = true;
      draft.links[link] = [...before, { message, prints: [] }];
    }
  }

  // ---- in words ----

  describe(state: WorldState, what: Action): string {
    const kind = kindOf(what);
    const place = what & 63;
    const { nodes, targets } = this.#scope;
    if (kind === "deliver" || kind === "duplicate") {
      const message = state.links[place]?.[0]?.message;
      return `${kind === "deliver" ? "" : "again and later: "}${message ? formatMessage(message) : "nothing"}`;
    }
    if (kind === "reset") return `the link ${nodeId(Math.floor(place / nodes))} → ${nodeId(place % nodes)} loses what is on it`;
    const node = nodeId(kind === "change" || kind === "transfer" ? place >> 3 : place);
    if (kind === "crashLosing") return `${node} crashes, its write is lost, and starts again`;
    if (kind === "crashKeeping") return `${node} crashes, its write is kept, and starts again`;
    if (kind === "transfer") return `${node} transfers its leadership to ${nodeId(place & 7)}`;
    if (kind === "change") {
      const target = targets[place & 7];
      return `${node} changes the voters to ${target?.voters.map(nodeId).join(",")} learners ${target?.learners.map(nodeId).join(",")}`;
    }
    const words = {
      complete: "its write is durable",
      timeout: "timeout",
      silence: "timeout after a long silence",
      quiet: "stores its commit index",
    };
    return `${node} ${kind && kind in words ? words[kind as keyof typeof words] : kind}`;
  }
}
