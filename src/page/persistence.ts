/** Whether the browser has promised to keep what this origin stores, and how much there is room for. */
import { createStore } from "zustand/vanilla";

export interface PersistenceState {
  /** `null`: not known yet, or the browser does not say. */
  readonly isPersistent: boolean | null;
  /** The browser was asked, in this tab, and did not promise it. */
  readonly wasRefused: boolean;
  /** Bytes; `null` where the browser does not say. */
  readonly usedBytes: number | null;
  readonly quotaBytes: number | null;
}

/** Milliseconds. Some browsers ask the person; the document does not wait for the answer. */
const WAIT_MS = 300;

export class Persistence {
  readonly store = createStore<PersistenceState>(() => ({
    isPersistent: null,
    wasRefused: false,
    usedBytes: null,
    quotaBytes: null,
  }));

  /** Without asking anybody anything. */
  async refresh(): Promise<boolean> {
    const storage = navigator.storage as StorageManager | undefined;
    const isPersistent = (await storage?.persisted?.().catch(() => null)) ?? null;
    const estimate = await storage?.estimate?.().catch(() => null);
    this.store.setState({ isPersistent, usedBytes: estimate?.usage ?? null, quotaBytes: estimate?.quota ?? null });
    return isPersistent ?? false;
  }

  /** From a click: browsers refuse, or ask the person, and want to see that there is one. */
  async ask(): Promise<boolean> {
    const storage = navigator.storage as StorageManager | undefined;
    const isPersistent = (await storage?.persist?.().catch(() => false)) ?? false;
    this.store.setState({ wasRefused: !isPersistent });
    await this.refresh();
    return isPersistent;
  }

  /** What `answer` says, or what is known without it, if it takes long. */
  static soon(answer: Promise<boolean>): Promise<boolean> {
    const late = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), WAIT_MS));
    return Promise.race([answer, late]);
  }
}
