/** Trying faults: on this tab's node, on neighbours that allow it, and scenarios over all of them. */
import { createStore } from "zustand/vanilla";
import type { ConsoleApi } from "./console-api.ts";
import type { FaultOrder } from "./fault-orders.ts";
import type { ChannelLike, Neighbour, Neighbours } from "./neighbours.ts";
import type { Claim, Scenario, TestNode } from "./scenarios.ts";
import { readItem, writeItem } from "./tab-storage.ts";
import type { NodeId } from "./types.ts";

export type ScenarioKey = Scenario["key"];

export interface ScenarioRun {
  readonly key: ScenarioKey;
  readonly state: "running" | "done" | "failed";
  /** What is being done, or why it could not be. */
  readonly doing: string;
  readonly claims: readonly Claim[];
}

export interface LabState {
  readonly neighbours: readonly Neighbour[];
  /** Whether other tabs of this browser may try faults on this one. */
  readonly allows: boolean;
  /** The latest scenario. */
  readonly run: ScenarioRun | null;
  /** Of the latest order: why it was not carried out. */
  readonly refusal: string | null;
}

export interface LabParts {
  readonly api: ConsoleApi;
  self(): { readonly id: NodeId; readonly name: string } | null;
  openChannel(): ChannelLike;
}

const ALLOWS_KEY = "tabraft.faults.allowed";
const FILL_KEY = "scenario";
const session = () => sessionStorage;

export class Lab {
  readonly store = createStore<LabState>(() => ({
    neighbours: [],
    allows: readItem(session, ALLOWS_KEY) !== "no",
    run: null,
    refusal: null,
  }));
  private channel: ChannelLike | null = null;
  private neighbours: Neighbours | null = null;
  private waking: Promise<void> | null = null;

  constructor(private readonly parts: LabParts) {}

  /** Once a document is open. */
  open(): void {
    this.neighbours?.close();
    this.neighbours = null;
    this.waking = null;
    const channel = this.parts.openChannel();
    this.channel = channel;
    channel.addEventListener("message", () => void this.wake());
  }

  /** Begins to take part, once somebody of this browser looks at faults: until then nothing of it is loaded. */
  wake(): Promise<void> {
    this.waking ??= this.takePart();
    return this.waking;
  }

  private async takePart(): Promise<void> {
    const { channel } = this;
    const [{ Neighbours: Here }, { carryOut }] = await Promise.all([import("./neighbours.ts"), import("./fault-orders.ts")]);
    if (channel === null || channel !== this.channel) return;
    const { api } = this.parts;
    this.neighbours = new Here({
      channel,
      self: () => {
        const self = this.parts.self();
        return self && { ...self, allows: this.store.getState().allows };
      },
      status: () => api.status(),
      append: (text) => this.append(text),
      fill: (values, bytes) => this.fill(values, bytes),
      carryOut: (order) => carryOut(order, api.faults),
      onChange: (neighbours) => this.store.setState({ neighbours }),
    });
  }

  /** The tab's name has changed. */
  announce(): void {
    this.neighbours?.announce();
  }

  leave(): void {
    this.neighbours?.leave();
  }

  allow(allows: boolean): void {
    writeItem(session, ALLOWS_KEY, allows ? "yes" : "no");
    this.store.setState({ allows });
    this.neighbours?.announce();
  }

  /** On this tab's node, or on a neighbour's; a refusal stands in the store. */
  async order(id: NodeId, order: FaultOrder): Promise<void> {
    this.store.setState({ refusal: null });
    try {
      await this.nodeOf(id).fault(order);
    } catch (error) {
      this.store.setState({ refusal: error instanceof Error ? error.message : String(error) });
    }
  }

  async runScenario(key: ScenarioKey): Promise<void> {
    if (this.store.getState().run?.state === "running") return;
    const write = (change: Partial<ScenarioRun>) =>
      this.store.setState((state) => ({ run: state.run && { ...state.run, ...change } }));
    this.store.setState({ run: { key, state: "running", doing: "", claims: [] } });
    try {
      const { SCENARIOS } = await import("./scenarios.ts");
      await SCENARIOS.find((scenario) => scenario.key === key)?.run({
        nodes: this.testNodes(),
        say: (doing) => write({ doing }),
        claim: (claim) => write({ claims: [...(this.store.getState().run?.claims ?? []), claim] }),
        sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      });
      write({ state: "done", doing: "" });
    } catch (error) {
      write({ state: "failed", doing: error instanceof Error ? error.message : String(error) });
    }
  }

  /** This tab's, and those of its neighbours that allow it. */
  private testNodes(): readonly TestNode[] {
    const self = this.parts.self();
    const others = this.store.getState().neighbours.filter(({ allows }) => allows);
    return [...(self === null ? [] : [self]), ...others].map(({ id }) => this.nodeOf(id));
  }

  private nodeOf(id: NodeId): TestNode {
    const self = this.parts.self();
    const { api } = this.parts;
    if (self?.id === id) {
      return {
        ...self,
        status: async () => api.status(),
        fault: async (order) => (await import("./fault-orders.ts")).carryOut(order, api.faults),
        append: (text) => this.append(text),
        fill: (values, bytes) => this.fill(values, bytes),
      };
    }
    const { neighbours } = this;
    const name = this.store.getState().neighbours.find((neighbour) => neighbour.id === id)?.name ?? id;
    if (neighbours === null) throw new Error("no document is open");
    return {
      id,
      name,
      status: () => neighbours.status(id),
      fault: (order) => neighbours.order(id, order),
      append: (text) => neighbours.append(id, text),
      fill: (values, bytes) => neighbours.fill(id, values, bytes),
    };
  }

  private async append(text: string): Promise<void> {
    const { api } = this.parts;
    await api.edit({ from: api.text().length, insert: text });
  }

  private async fill(values: number, bytes: number): Promise<void> {
    const { api } = this.parts;
    const value = "x".repeat(bytes);
    await Promise.all(Array.from({ length: values }, () => api.set(FILL_KEY, value)));
    await api.set(FILL_KEY, null);
  }
}
