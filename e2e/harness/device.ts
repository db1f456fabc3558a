/** A person's browser: a profile directory that survives the browser, and the tabs that are open in it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrowserContext, Page } from "@playwright/test";
import { launchProfile } from "./launch.ts";
import { browserPid } from "./processes.ts";
import { soon } from "./until.ts";

/** A browser that does not close by then is killed. */
const CLOSE_MS = 5000;

export class Device {
  private constructor(
    private readonly directory: string,
    private readonly headless: boolean,
    private context: BrowserContext | null,
  ) {}

  static async create(headless: boolean): Promise<Device> {
    const directory = await mkdtemp(join(tmpdir(), "tabraft-e2e-"));
    return new Device(directory, headless, await launchProfile(directory, headless));
  }

  async newPage(): Promise<Page> {
    return await this.#open().newPage();
  }

  /** Resolves with the page that `action` opens. */
  async pageOpenedBy(action: () => Promise<unknown>): Promise<Page> {
    const [page] = await Promise.all([this.#open().waitForEvent("page"), action()]);
    return page;
  }

  /** Ends the browser as a person does. */
  async close(): Promise<void> {
    const { context } = this;
    if (context === null) return;
    this.context = null;
    const pid = await soon(browserPid(context), CLOSE_MS);
    const closed = await soon(
      context.close().then(() => true),
      CLOSE_MS,
    );
    if (closed === null && pid !== null) killIfThere(pid);
  }

  /** Ends the browser as a power cut does, as far as the page can tell. */
  async kill(): Promise<void> {
    const context = this.#open();
    const pid = await browserPid(context);
    this.context = null;
    const closed = new Promise((resolve) => context.once("close", resolve));
    process.kill(pid, "SIGKILL");
    await closed;
  }

  /** The same profile in a new browser, without tabs. */
  async reopen(): Promise<void> {
    if (this.context !== null) throw new Error("The browser is still open.");
    this.context = await launchProfile(this.directory, this.headless);
  }

  /** Leaves nothing behind. */
  async remove(): Promise<void> {
    await this.close();
    // A dying browser may still write.
    await rm(this.directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }

  #open(): BrowserContext {
    if (this.context === null) throw new Error("The browser is closed.");
    return this.context;
  }
}

/** It may have ended by itself meanwhile. */
function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
