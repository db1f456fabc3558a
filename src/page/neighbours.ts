/**
 * The tabs of this browser that have the same document open, over a BroadcastChannel: who is there and allows faults, what status() says there,
 * and orders to carry out. It goes past the node's own network on purpose: a node that is cut off must still be asked, and healed.
 */
import * as v from "valibot";
import type { ConsoleStatus } from "./console-api.ts";
import { type FaultOrder, FaultOrderSchema } from "./fault-orders.ts";
import type { NodeId } from "./types.ts";

/** Milliseconds. A tab that was hidden for long may be slow, one that is gone never answers. */
const ANSWER_MS = 20_000;

export interface Neighbour {
  readonly id: NodeId;
  readonly name: string;
  /** Whether its person lets others try faults on it. */
  readonly allows: boolean;
}

/** As much of a BroadcastChannel as is used. */
export interface ChannelLike {
  postMessage(message: unknown): void;
  addEventListener(kind: "message", listener: (event: { readonly data: unknown }) => void): void;
  close(): void;
}

const nodeId = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,64}$/));
const count = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(100_000));
const HereSchema = v.object({
  kind: v.literal("here"),
  id: nodeId,
  name: v.pipe(v.string(), v.maxLength(80)),
  allows: v.boolean(),
});
const AskSchema = v.object({
  kind: v.literal("ask"),
  to: nodeId,
  token: v.string(),
  ask: v.variant("kind", [
    v.object({ kind: v.literal("status") }),
    v.object({ kind: v.literal("append"), text: v.pipe(v.string(), v.maxLength(10_000)) }),
    v.object({ kind: v.literal("fill"), values: count, bytes: count }),
    v.object({ kind: v.literal("fault"), order: FaultOrderSchema }),
  ]),
});
const AnswerSchema = v.object({
  kind: v.literal("answer"),
  token: v.string(),
  value: v.unknown(),
  error: v.nullable(v.string()),
});
const MessageSchema = v.variant("kind", [
  v.object({ kind: v.literal("who") }),
  v.object({ kind: v.literal("gone"), id: nodeId }),
  HereSchema,
  AskSchema,
  AnswerSchema,
]);
type Message = v.InferOutput<typeof MessageSchema>;
type Ask = v.InferOutput<typeof AskSchema>["ask"];

export interface NeighboursParts {
  readonly channel: ChannelLike;
  self(): Neighbour | null;
  status(): ConsoleStatus | null;
  append(text: string): Promise<unknown>;
  fill(values: number, bytes: number): Promise<unknown>;
  carryOut(order: FaultOrder): Promise<void>;
  onChange(neighbours: readonly Neighbour[]): void;
}

export class Neighbours {
  private readonly known = new Map<NodeId, Neighbour>();
  private readonly waiting = new Map<string, { resolve(value: unknown): void; reject(error: Error): void }>();

  constructor(private readonly parts: NeighboursParts) {
    parts.channel.addEventListener("message", ({ data }) => {
      // Another version of the page may say what this one does not know.
      const parsed = v.safeParse(MessageSchema, data);
      if (parsed.success) this.receive(parsed.output);
    });
    this.tell({ kind: "who" });
    this.announce();
  }

  /** This tab is here, or something of what it says of itself has changed. */
  announce(): void {
    const self = this.parts.self();
    if (self !== null) this.tell({ kind: "here", ...self });
  }

  leave(): void {
    const self = this.parts.self();
    if (self !== null) this.tell({ kind: "gone", id: self.id });
  }

  close(): void {
    this.leave();
    this.parts.channel.close();
  }

  /** `null`: its node is not there, as after a crash. Rejects if the tab does not answer. */
  status(id: NodeId): Promise<ConsoleStatus | null> {
    return this.ask(id, { kind: "status" }) as Promise<ConsoleStatus | null>;
  }

  /** Rejects with the words of the other tab. */
  async append(id: NodeId, text: string): Promise<void> {
    await this.ask(id, { kind: "append", text });
  }

  async fill(id: NodeId, values: number, bytes: number): Promise<void> {
    await this.ask(id, { kind: "fill", values, bytes });
  }

  async order(id: NodeId, order: FaultOrder): Promise<void> {
    await this.ask(id, { kind: "fault", order });
  }

  private ask(to: NodeId, ask: Ask): Promise<unknown> {
    const token = crypto.randomUUID();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => settle(() => reject(new Error("the tab does not answer"))), ANSWER_MS);
      const settle = (act: () => void) => {
        clearTimeout(timer);
        this.waiting.delete(token);
        act();
      };
      this.waiting.set(token, {
        resolve: (value) => settle(() => resolve(value)),
        reject: (error) => settle(() => reject(error)),
      });
      this.tell({ kind: "ask", to, token, ask });
    });
  }

  private receive(message: Message): void {
    switch (message.kind) {
      case "who":
        return this.announce();
      case "here":
        this.known.set(message.id, { id: message.id, name: message.name, allows: message.allows });
        return this.parts.onChange([...this.known.values()]);
      case "gone":
        this.known.delete(message.id);
        return this.parts.onChange([...this.known.values()]);
      case "ask":
        if (message.to === this.parts.self()?.id) void this.answer(message.token, message.ask);
        return;
      case "answer":
        if (message.error === null) this.waiting.get(message.token)?.resolve(message.value);
        else this.waiting.get(message.token)?.reject(new Error(message.error));
    }
  }

  private async answer(token: string, ask: Ask): Promise<void> {
    try {
      this.tell({ kind: "answer", token, value: (await this.carryOut(ask)) ?? null, error: null });
    } catch (error) {
      this.tell({ kind: "answer", token, value: null, error: error instanceof Error ? error.message : String(error) });
    }
  }

  private async carryOut(ask: Ask): Promise<unknown> {
    if (ask.kind === "status") return this.parts.status();
    if (this.parts.self()?.allows !== true) throw new Error("its person does not allow this");
    if (ask.kind === "fill") return await this.parts.fill(ask.values, ask.bytes);
    if (ask.kind === "append") return await this.parts.append(ask.text);
    return await this.parts.carryOut(ask.order);
  }

  private tell(message: Message): void {
    this.parts.channel.postMessage(message);
  }
}
