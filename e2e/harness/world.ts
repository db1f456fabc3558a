/** The verbs of the suite: what people do in tabs, what befalls the tabs, and what is then waited for. */
import { expect } from "@playwright/test";
import type { NodeStatus } from "../../src/node/protocol.ts";
import { Device } from "./device.ts";
import { rendererPid } from "./processes.ts";
import { TestServer } from "./server.ts";
import { Tab } from "./tab.ts";
import { until, WAIT_MS } from "./until.ts";

const NAMES = ["Ada", "Barbara", "Claude", "Donald", "Edsger", "Frances", "Grace"];

export class World {
  readonly tabs: Tab[] = [];
  readonly #devices: Device[] = [];

  private constructor(
    readonly server: TestServer,
    private readonly headless: boolean,
  ) {}

  /** One server, and one browser with a fresh profile. */
  static async create(headless: boolean): Promise<World> {
    const world = new World(await TestServer.start(), headless);
    await world.newDevice();
    return world;
  }

  /** Another browser that shares nothing with the first. */
  async newDevice(): Promise<Device> {
    const device = await Device.create(this.headless);
    this.#devices.push(device);
    return device;
  }

  /** The browser in which tabs open unless a test says otherwise. */
  get device(): Device {
    const [first] = this.#devices;
    if (first === undefined) throw new Error("A world has a device.");
    return first;
  }

  /** Opens the home page in a new tab. */
  async openHome(device = this.device): Promise<Tab> {
    const tab = await this.#newTab(device);
    await tab.page.goto(this.server.url);
    return tab;
  }

  /** Opens the home page in a new tab and makes a document there; resolves when it can be typed in. */
  async newDocument(device = this.device): Promise<Tab> {
    const tab = await this.openHome(device);
    await tab.page.getByRole("button", { name: "New document" }).click();
    await this.untilReady(tab);
    return tab;
  }

  /** A document in three tabs, all of them voters. The first made it. */
  async newCluster(): Promise<readonly [Tab, Tab, Tab]> {
    const first = await this.newDocument();
    const link = await this.link(first);
    const tabs = [first, await this.openTab(link), await this.openTab(link)] as const;
    await this.untilCluster(tabs);
    return tabs;
  }

  /** These tabs are the cluster, with as many voters as an odd number allows, and all can be typed in. Returns the leader. */
  async untilCluster(tabs: readonly Tab[]): Promise<Tab> {
    await this.untilVoters(tabs, tabs.length - ((tabs.length + 1) % 2));
    await Promise.all(tabs.map((tab) => this.untilReady(tab)));
    return await this.untilLeader(tabs);
  }

  /** Opens an invite link in a new tab; resolves when its node is there, whether or not it has found the others. */
  async openTab(link: string, device = this.device): Promise<Tab> {
    const tab = await this.#newTab(device);
    await tab.page.goto(link);
    await this.untilStatus(tab, "a node", () => true);
    return tab;
  }

  /** As the browser's "Duplicate tab" does: the copy begins with the tab's session storage. */
  async duplicateTab(tab: Tab, device = this.device): Promise<Tab> {
    const copy = this.#watch(await device.pageOpenedBy(() => tab.page.evaluate(() => window.open(location.href) !== null)));
    await this.untilStatus(copy, "a node", () => true);
    return copy;
  }

  /** The home page in a new tab that begins with this tab's session storage. */
  async copyToHome(tab: Tab, device = this.device): Promise<Tab> {
    return this.#watch(await device.pageOpenedBy(() => tab.page.evaluate(() => window.open("./") !== null)));
  }

  async reload(tab: Tab): Promise<void> {
    await tab.page.reload();
    await this.untilReady(tab);
  }

  /** The invite link of a tab's open room. */
  async link(tab: Tab): Promise<string> {
    return await until(
      `the link of ${tab.name}`,
      () => tab.link(),
      () => tab.report(),
    );
  }

  /** Types at the end of the document, key by key. */
  async type(tab: Tab, text: string): Promise<void> {
    await this.editor(tab).focus();
    await tab.page.keyboard.press("ControlOrMeta+End");
    await tab.page.keyboard.type(text);
  }

  /** Opens the dashboard, which shows every node. */
  async showCluster(tab: Tab): Promise<void> {
    await tab.page.getByRole("switch", { name: "Dashboard" }).setChecked(true);
  }

  editor(tab: Tab) {
    return tab.page.locator(".cm-content");
  }

  /** The document as the tab's node has applied it. */
  async text(tab: Tab): Promise<string> {
    return await until(
      `the text of ${tab.name}`,
      () => tab.text(),
      () => tab.report(),
    );
  }

  async status(tab: Tab): Promise<NodeStatus> {
    return await this.untilStatus(tab, "a status", () => true);
  }

  /** Closes a tab as a person does: its page may say goodbye. */
  async closeTab(tab: Tab): Promise<void> {
    const closed = tab.page.waitForEvent("close");
    await tab.page.close({ runBeforeUnload: true });
    await closed;
  }

  /** The tab's process is gone from one instruction to the next; its page stays open, as a crashed one. */
  async killRenderer(tab: Tab): Promise<void> {
    const pid = await rendererPid(tab.page);
    for (const other of this.tabs) {
      if (other !== tab && other.isOpen && (await rendererPid(other.page)) === pid) {
        throw new Error(`${tab.name} and ${other.name} share a process: both would die.`);
      }
    }
    const crashed = tab.page.waitForEvent("crash");
    process.kill(pid, "SIGKILL");
    await crashed;
  }

  /** Keeps the page's thread busy; resolves when it is free again. The node's worker is not blocked by it. */
  async blockPage(tab: Tab, durationMs: number): Promise<void> {
    await tab.page.evaluate((duration) => {
      const end = performance.now() + duration;
      while (performance.now() < end);
    }, durationMs);
  }

  /** A document is open, its node has a leader, and the editor can be typed in. */
  async untilReady(tab: Tab): Promise<void> {
    await this.untilStatus(tab, "a leader", ({ leader }) => leader !== null);
    await expect(this.editor(tab)).toBeEditable({ timeout: WAIT_MS });
  }

  async untilStatus(tab: Tab, what: string, holds: (status: NodeStatus) => boolean, timeoutMs = WAIT_MS): Promise<NodeStatus> {
    const ask = async () => {
      const status = await tab.status();
      return status !== null && holds(status) ? status : null;
    };
    return await until(`${what} in ${tab.name}`, ask, () => tab.report(), timeoutMs);
  }

  /** All that was typed in this tab is committed. */
  async untilConfirmed(tab: Tab): Promise<NodeStatus> {
    return await this.untilStatus(tab, "nothing unconfirmed", ({ unconfirmed }) => unconfirmed === 0);
  }

  /** These tabs agree on one leader and one term, and it is one of them, and the only one that leads. Returns it. */
  async untilLeader(tabs: readonly Tab[], timeoutMs = WAIT_MS): Promise<Tab> {
    const ask = async () => {
      const all = await statuses(tabs);
      const [first] = all ?? [];
      if (all === null || first === undefined) return null;
      const agreed = all.every(({ leader, term }) => leader === first.leader && term === first.term);
      const leading = all.filter(({ role }) => role === "leader");
      const at = all.findIndex(({ nodeId, role }) => role === "leader" && nodeId === first.leader);
      return agreed && leading.length === 1 ? (tabs[at] ?? null) : null;
    };
    return await until("one leader in one term", ask, () => summaries(tabs), timeoutMs);
  }

  /** These tabs agree on the voters, `count` of them. */
  async untilVoters(tabs: readonly Tab[], count: number, timeoutMs = WAIT_MS): Promise<readonly string[]> {
    const ask = async () => {
      const all = await statuses(tabs);
      const voters = all?.[0]?.voters;
      if (all === null || voters?.length !== count) return null;
      return all.every((status) => JSON.stringify(status.voters) === JSON.stringify(voters)) ? voters : null;
    };
    return await until(`${count} voters`, ask, () => summaries(tabs), timeoutMs);
  }

  /** Every tab's node has applied the same text; this one, if given. Returns it. */
  async untilSameText(tabs: readonly Tab[], text?: string, timeoutMs = WAIT_MS): Promise<string> {
    const ask = async () => {
      const texts = await Promise.all(tabs.map((tab) => tab.text()));
      const wanted = text ?? texts[0] ?? null;
      return wanted !== null && texts.every((one) => one === wanted) ? wanted : null;
    };
    return await until(
      text === undefined ? "one text" : `the text ${JSON.stringify(text)}`,
      ask,
      () => summaries(tabs),
      timeoutMs,
    );
  }

  /** Ends everything and leaves no file behind. */
  async end(): Promise<void> {
    await Promise.all(this.#devices.map((device) => device.remove()));
    await this.server.stop();
    await this.server.removeBuild();
  }

  /** Tabs draw their names, and two may draw the same: here each has one of its own. */
  async #newTab(device: Device): Promise<Tab> {
    const page = await device.newPage();
    const name = NAMES[this.tabs.length] ?? `Tab ${this.tabs.length + 1}`;
    await page.addInitScript((own) => {
      if (location.protocol.startsWith("http") && sessionStorage.getItem("tabraft.name") === null)
        sessionStorage.setItem("tabraft.name", own);
    }, name);
    return this.#watch(page);
  }

  #watch(page: Tab["page"]): Tab {
    const tab = new Tab(`tab ${this.tabs.length + 1}`, page);
    this.tabs.push(tab);
    return tab;
  }
}

/** `null` unless every tab has one. */
async function statuses(tabs: readonly Tab[]): Promise<readonly NodeStatus[] | null> {
  const all = await Promise.all(tabs.map((tab) => tab.status()));
  const present = all.filter((status) => status !== null);
  return present.length === all.length ? present : null;
}

async function summaries(tabs: readonly Tab[]): Promise<string> {
  return (await Promise.all(tabs.map((tab) => tab.summary()))).join("\n");
}
