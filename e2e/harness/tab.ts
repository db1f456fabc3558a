/** One tab: its page, what it said on its console, and what `window.tabraft` says. */
import type { Page } from "@playwright/test";
import type { NodeStatus } from "../../src/node/protocol.ts";
import { soon } from "./until.ts";

/** As much of `window.tabraft` as the verbs use. */
export interface ConsoleApi {
  readonly link: string | null;
  status(): NodeStatus | null;
  text(): string;
  read(): Promise<{ readonly text: string; readonly version: number }>;
}

/** How long a tab may take to answer before it counts as blocked. */
const ANSWER_MS = 5000;
const KEPT_LINES = 400;

export class Tab {
  readonly console: string[] = [];
  /** Its renderer was killed: the page is there and answers nothing. */
  crashed = false;

  constructor(
    /** For reports. */
    readonly name: string,
    readonly page: Page,
  ) {
    const keep = (line: string) => {
      this.console.push(line);
      if (this.console.length > KEPT_LINES) this.console.shift();
    };
    page.on("console", (message) => keep(`${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => keep(`uncaught: ${error.stack ?? error.message}`));
    page.on("crash", () => {
      this.crashed = true;
      keep("crashed");
    });
  }

  get isOpen(): boolean {
    return !this.page.isClosed() && !this.crashed;
  }

  /** The invite link of the open room; `null` without one, or if the tab does not answer. */
  link(): Promise<string | null> {
    return this.#ask(() => (globalThis as unknown as { tabraft?: ConsoleApi }).tabraft?.link ?? null);
  }

  /** `null` before the node is there, or if the tab does not answer. */
  status(): Promise<NodeStatus | null> {
    return this.#ask(() => (globalThis as unknown as { tabraft?: ConsoleApi }).tabraft?.status() ?? null);
  }

  /** The document as this tab's node has applied it; `null` if the tab does not answer. */
  text(): Promise<string | null> {
    return this.#ask(() => (globalThis as unknown as { tabraft?: ConsoleApi }).tabraft?.text() ?? null);
  }

  /** Appends through the console; resolves once it is committed and applied here, or with the reason why not. */
  append(insert: string): Promise<{ readonly index: number; readonly term: number }> {
    return this.page.evaluate((text) => {
      return window.tabraft.edit({ from: window.tabraft.text().length, insert: text });
    }, insert);
  }

  /** Linearizable, through the console. */
  read(): Promise<{ readonly text: string; readonly version: number }> {
    return this.page.evaluate(() => window.tabraft.read());
  }

  /** Everything that helps to understand a failure. */
  async report(): Promise<string> {
    const status = this.isOpen ? await this.status() : null;
    const state = this.page.isClosed() ? "closed" : this.crashed ? "crashed" : status === null ? "no status" : "open";
    const text = this.isOpen ? await this.text() : null;
    return [
      `${this.name}: ${state}, ${this.page.url()}`,
      JSON.stringify(status, null, 1),
      `text: ${JSON.stringify(text)}`,
      ...this.console,
    ].join("\n");
  }

  /** In one line. */
  async summary(): Promise<string> {
    const status = this.isOpen ? await this.status() : null;
    if (status === null) return `${this.name}: ${this.isOpen ? "no status" : "not open"}`;
    const { nodeId, role, term, leader, voters, learners, commitIndex, lastApplied, signaling } = status;
    const text = (await this.text()) ?? "";
    return `${this.name}: ${JSON.stringify({ nodeId, role, term, leader, voters, learners, commitIndex, lastApplied, signaling, text })}`;
  }

  async #ask<Value>(question: () => Value): Promise<Value | null> {
    return this.isOpen ? await soon(this.page.evaluate(question), ANSWER_MS) : null;
  }
}
