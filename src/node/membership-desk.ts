/**
 * Changes of the cluster by hand, from any tab. What shall last (the autopilot's switch, pinned and barred nodes) stands in the replicated map, so
 * every leader knows it. What shall happen once is put there as an order, which whoever leads when it is applied carries out, or refuses with its reason.
 */
import { judge, type ManualChange, whyNotTransfer } from "../autopilot/manual.ts";
import type { AutopilotInput, Change } from "../autopilot/policy.ts";
import type { DocumentCommand, MapValue } from "../document/types.ts";
import type { RaftMetrics } from "../driver/metrics.ts";
import type { LogIndex, Millis, NodeId } from "../raft/types.ts";
import type { Wishes } from "./pilot.ts";
import type { MembershipAction } from "./protocol.ts";

/** Keys of the replicated map. */
const wishesKey = "membership";
const orderKey = "membership order";
const answerKey = "membership answer";
/** Another change may be under way: tried again so often, this far apart. */
const tries = 20;
const betweenTriesMs: Millis = 150;
const answerTimeoutMs: Millis = 10_000;

export interface MembershipDeskOptions {
  readonly self: NodeId;
  metrics(): RaftMetrics;
  input(): AutopilotInput;
  get(key: string): MapValue;
  set(key: string, value: MapValue): Promise<unknown>;
  change(change: Change & { readonly expectedConfigIndex: LogIndex }): Promise<unknown>;
  transfer(to: NodeId | null): Promise<void>;
  later(ms: Millis, run: () => void): void;
  /** Never the same twice. */
  newOrderId(): string;
  tell(text: string): void;
}

/** Not done, and nothing has changed; `message` is a sentence for people. */
export class MembershipRefused extends Error {
  override readonly name = "ConfigChangeRefused";
}

export class MembershipDesk {
  readonly #options: MembershipDeskOptions;
  /** Orders of this tab that wait for their answer. */
  readonly #waiting = new Map<string, (refusal: string | null) => void>();

  constructor(options: MembershipDeskOptions) {
    this.#options = options;
  }

  wishes(): Wishes {
    return readWishes(this.#options.get(wishesKey));
  }

  /** @throws MembershipRefused, and what the driver throws */
  async ask(action: MembershipAction): Promise<void> {
    if (action.verb === "autopilot") return await this.#write({ on: action.on });
    if (action.verb === "pin") return await this.#pin(action.id, action.on);
    const refusal = await (this.#leads() ? this.#carryOut(action) : this.#order(action));
    if (refusal !== null) throw new MembershipRefused(refusal);
  }

  /** Applied here, as everywhere. */
  applied(command: DocumentCommand): void {
    if (command.kind !== "set") return;
    if (command.key === answerKey) this.#answered(command.value);
    if (command.key === orderKey && this.#leads()) void this.#obey(command.value);
  }

  #leads(): boolean {
    return this.#options.metrics().state === "leader";
  }

  async #pin(id: NodeId, on: boolean): Promise<void> {
    const { nodes, configuration } = this.#options.input();
    const { voters, learners } = configuration;
    const isKnown = voters.includes(id) || learners.includes(id) || nodes.some((node) => node.id === id);
    if (on && !isKnown) throw new MembershipRefused(`Nobody knows ${id}: only a member can be pinned.`);
    const { pinned, barred } = this.wishes();
    const others = pinned.filter((one) => one !== id);
    await this.#write({ pinned: on ? [...others, id] : others, barred: on ? barred.filter((one) => one !== id) : barred });
  }

  async #write(change: Partial<Wishes>): Promise<void> {
    const { on, pinned, barred } = { ...this.wishes(), ...change };
    await this.#options.set(wishesKey, { on, pinned, barred });
  }

  // ---- on the leader ----

  /** Why not; `null`: done. */
  async #carryOut(action: Extract<MembershipAction, { verb: ManualChange["verb"] | "transfer" }>): Promise<string | null> {
    const { input, transfer } = this.#options;
    if (action.verb === "transfer") {
      const refusal = whyNotTransfer(action.id, input());
      if (refusal !== null) return refusal;
      return await transfer(action.id).then(() => null, sentenceOf);
    }
    const verdict = judge(action, input());
    if ("refusal" in verdict) return verdict.refusal;
    // The autopilot must not undo what a person has just done.
    const { pinned, barred } = this.wishes();
    const without = (list: readonly NodeId[]): readonly NodeId[] => list.filter((id) => id !== action.id);
    if (action.verb === "promote") await this.#write({ pinned: [...without(pinned), action.id], barred: without(barred) });
    if (action.verb === "demote") await this.#write({ pinned: without(pinned), barred: [...without(barred), action.id] });
    if (action.verb === "remove") await this.#write({ pinned: without(pinned), barred: without(barred) });
    return await this.#change(action, tries);
  }

  async #change(action: ManualChange, left: number): Promise<string | null> {
    const { input, metrics, change, later, tell } = this.#options;
    const { membershipConfig, membershipIndex, commitIndex } = metrics();
    if (membershipConfig.votersOld.length === 0 && membershipIndex <= commitIndex) {
      const verdict = judge(action, input());
      // The autopilot may have been faster.
      if ("refusal" in verdict) return left < tries && isDone(action, input()) ? null : verdict.refusal;
      const refusal = await change({ ...verdict.change, expectedConfigIndex: membershipIndex }).then(() => null, sentenceOf);
      if (refusal === null) tell(`By hand: ${action.verb} ${input().nameOf?.(action.id) ?? action.id}.`);
      if (refusal === null || left === 0) return refusal;
    }
    if (left === 0) return "Another change of the cluster is under way, and does not come to its end.";
    await new Promise<void>((resolve) => later(betweenTriesMs, resolve));
    return await this.#change(action, left - 1);
  }

  async #obey(value: MapValue): Promise<void> {
    const order = readOrder(value);
    if (order === null || this.#waiting.has(order.orderId)) return;
    const refusal = await this.#carryOut(order.action).catch(sentenceOf);
    // After a transfer the new leader's log takes the answer.
    await this.#options.set(answerKey, { orderId: order.orderId, refusal }).catch((error: Error) => {
      this.#options.tell(`The answer to a change by hand was lost: ${error.message}.`);
    });
  }

  // ---- elsewhere ----

  #order(action: Extract<MembershipAction, { id: NodeId | null }>): Promise<string | null> {
    const orderId = this.#options.newOrderId();
    return new Promise((resolve, reject) => {
      this.#waiting.set(orderId, resolve);
      const end = (run: () => void): void => {
        if (this.#waiting.delete(orderId)) run();
      };
      this.#options.later(answerTimeoutMs, () => end(() => resolve("No leader has answered: look whether it was done.")));
      this.#options
        .set(orderKey, { orderId, verb: action.verb, id: action.id })
        .catch((error: Error) => end(() => reject(error)));
    });
  }

  #answered(value: MapValue): void {
    const { orderId, refusal } = fieldsOf(value);
    if (typeof orderId !== "string") return;
    const settle = this.#waiting.get(orderId);
    this.#waiting.delete(orderId);
    settle?.(typeof refusal === "string" ? refusal : null);
  }
}

function isDone({ verb, id }: ManualChange, { configuration }: AutopilotInput): boolean {
  const [isVoter, isLearner] = [configuration.voters.includes(id), configuration.learners.includes(id)];
  return verb === "promote"
    ? isVoter
    : verb === "add"
      ? isVoter || isLearner
      : verb === "demote"
        ? !isVoter
        : !isVoter && !isLearner;
}

function sentenceOf(error: Error): string {
  return `It was not done: ${error.message}.`;
}

// ---- what stands in the map may be anybody's ----

function fieldsOf(value: MapValue): { readonly [key: string]: MapValue } {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as { [key: string]: MapValue }) : {};
}

function readWishes(value: MapValue): Wishes {
  const { on, pinned, barred } = fieldsOf(value);
  return { on: on !== false, pinned: readIds(pinned), barred: readIds(barred) };
}

function readIds(value: MapValue | undefined): readonly NodeId[] {
  return Array.isArray(value) ? value.filter((id): id is NodeId => typeof id === "string") : [];
}

function readOrder(value: MapValue) {
  const { orderId, verb, id } = fieldsOf(value);
  if (typeof orderId !== "string") return null;
  if (verb === "transfer" && (id === null || typeof id === "string")) return { orderId, action: { verb, id } as const };
  const isVerb = verb === "add" || verb === "remove" || verb === "promote" || verb === "demote";
  return isVerb && typeof id === "string" ? { orderId, action: { verb, id } as const } : null;
}
