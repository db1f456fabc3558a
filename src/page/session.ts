/** The page as a whole: opens a document by link or anew, follows the tab's life, and offers the actions that views call. */
import type { MapValue } from "../document/types.ts";
import type { NodeResults } from "../node/protocol.ts";
import { type ConsoleApi, createConsoleApi } from "./console-api.ts";
import { Lab } from "./lab.ts";
import { NodeError } from "./node-client.ts";
import { Peers } from "./peers.ts";
import { Persistence } from "./persistence.ts";
import { Room } from "./room.ts";
import { linkTo, makeSecret, readLink, signalingUrl } from "./room-link.ts";
import { createSessionStore, NO_OUTBOX, type SessionStore, unconfirmedOf } from "./session-store.ts";
import { Shelf } from "./shelf.ts";
import { cleanName } from "./tab-name.ts";
import { keepNodeHint, keepTabName, newTabName, nodeHint, tabName } from "./tab-storage.ts";
import type { MembershipAction, NodeId } from "./types.ts";
import { createWatchStore } from "./watch-store.ts";

declare global {
  interface Window {
    tabraft: ConsoleApi;
  }
}

export class Session {
  readonly store: SessionStore = createSessionStore(tabName());
  readonly shelf = new Shelf(
    () => new Worker(new URL("../node/shelf-worker.ts", import.meta.url), { type: "module", name: "shelf" }),
  );
  readonly persistence = new Persistence();
  private readonly api = createConsoleApi(
    this.store,
    () => this.openRoom,
    () => this.restart(),
  );
  /** What the open dashboard shows beside the status. */
  readonly watch = createWatchStore((on) => this.openRoom?.post({ kind: "watch", on }));
  /** Faults and scenarios. */
  readonly lab = this.makeLab();
  private openRoom: Room | null = null;
  private openSecret: string | null = null;
  private creating = false;
  /** The page loads anew with all that it shows kept. */
  private beginsAnew = false;

  /** The open document. */
  get room(): Room | null {
    return this.openRoom;
  }

  /** Once, when the page has loaded. */
  start(): void {
    window.tabraft = this.api;
    window.addEventListener("pagehide", () => {
      this.lab.leave();
      this.openRoom?.leave();
    });
    // A page out of the back-forward cache has lost its locks and channels.
    window.addEventListener("pageshow", (event) => {
      if (event.persisted) location.reload();
    });
    window.addEventListener("beforeunload", (event) => {
      if (this.beginsAnew) return;
      if (unconfirmedOf(this.store.getState()) > 0) event.preventDefault();
    });
    window.addEventListener("hashchange", () => this.followLink());
    document.addEventListener("visibilitychange", () => {
      this.openRoom?.post({ kind: "visibility", visible: document.visibilityState === "visible" });
    });
    this.followLink();
  }

  newDocument(): void {
    void this.open(makeSecret(), true);
  }

  /** From a click. Resolves with whether the browser promises to keep what is stored. */
  async askPersistence(): Promise<boolean> {
    const persistent = await this.persistence.ask();
    this.openRoom?.post({ kind: "persistent", persistent });
    return persistent;
  }

  rename(typed: string): void {
    const name = cleanName(typed);
    if (name === null || name === this.store.getState().name) return;
    keepTabName(name);
    this.store.setState({ name });
    this.openRoom?.post({ kind: "rename", name });
    this.lab.announce();
  }

  setTitle(title: string): void {
    this.setValue("title", title, "The title was not changed");
  }

  isolate(): void {
    this.ask((room) => room.request<"fault">({ kind: "fault", fault: { kind: "isolate" } }), "This tab was not isolated");
  }

  heal(): void {
    this.ask((room) => room.request<"fault">({ kind: "fault", fault: { kind: "heal" } }), "The faults were not undone");
  }

  /**
   * Starts the node of this tab again, after it has stopped: "Try again". What was not committed comes out of the outbox; without one it is shown, to be copied. One that was crashed on
   * purpose keeps its editor.
   * @throws if it runs
   */
  restart(): void {
    const state = this.store.getState();
    const { screen, crashed } = state;
    if (crashed) {
      this.ask((room) => room.restart(), "The node was not started again");
      return;
    }
    if (screen.kind !== "stopped" || this.openSecret === null) throw new Error("The node of this tab has not stopped.");
    const unconfirmed = unconfirmedOf(state);
    // What the disk has of it comes back by itself.
    const isLost = unconfirmed > 0 && state.outbox.failure !== null && screen.text !== null;
    const leftBehind = isLost ? { kind: "interrupted" as const, text: screen.text ?? "", unconfirmed } : null;
    this.openRoom?.close();
    this.openRoom = null;
    this.store.setState({ status: null, map: {}, editorUnconfirmed: 0, trouble: null, outbox: NO_OUTBOX, leftBehind });
    const secret = this.openSecret;
    this.openSecret = null;
    void this.open(secret, this.creating && state.link === null);
  }

  /** A change of the cluster by hand; why it was refused is said in the notice. */
  membership(action: MembershipAction): void {
    this.ask((room) => room.membership(action), "The cluster was not changed");
  }

  /** Resolves with whether it was done. */
  async continueWithoutOthers(): Promise<boolean> {
    return (
      (await this.result(
        (room) => room.request<"continueWithoutOthers">({ kind: "continueWithoutOthers" }),
        "Nothing was changed",
      )) !== null
    );
  }

  /** `null`: it cannot be read; the reason is told. */
  compareCopy(copyId: string): Promise<NodeResults["compareCopy"] | null> {
    return this.result((room) => room.request<"compareCopy">({ kind: "compareCopy", copyId }), "The copy cannot be read");
  }

  /** `null`: nothing was added; the reason is told. */
  mergeCopy(copyId: string): Promise<NodeResults["mergeCopy"] | null> {
    return this.result((room) => room.request<"mergeCopy">({ kind: "mergeCopy", copyId }), "The changes were not added");
  }

  dropCopy(copyId: string): void {
    this.ask((room) => room.request<"dropCopy">({ kind: "dropCopy", copyId }), "The copy was not removed");
  }

  dismissTrouble(): void {
    if (this.store.getState().leftBehind !== null) this.store.setState({ leftBehind: null });
    else this.openRoom?.dismissTrouble();
  }

  dismissTold(): void {
    this.store.setState({ told: [] });
  }

  /** The person has seen what this editor could not bring in. */
  dismissUnplaced(clientId: string): void {
    this.openRoom?.post({ kind: "forget", clientId });
  }

  dismissNotice(): void {
    this.store.setState({ notice: null });
  }

  private makeLab(): Lab {
    return new Lab({
      api: this.api,
      self: () => {
        const { status, name, nodeId } = this.store.getState();
        const id = status?.nodeId ?? nodeId;
        return id === null ? null : { id, name };
      },
      // The secret never leaves the origin by this; whoever has the origin has it anyway.
      openChannel: () => new BroadcastChannel(`tabraft.lab.${this.openSecret}`),
    });
  }

  private setValue(key: string, value: MapValue, failure: string): void {
    this.ask((room) => room.request<"set">({ kind: "set", key, value }), failure);
  }

  private ask(request: (room: Room) => Promise<unknown>, failure: string): void {
    void this.result(request, failure);
  }

  private async result<T>(request: (room: Room) => Promise<T>, failure: string): Promise<T | null> {
    if (this.openRoom === null) return null;
    try {
      return await request(this.openRoom);
    } catch (error) {
      const unsure = error instanceof NodeError && error.mayHaveApplied ? " for sure" : "";
      const reason = error instanceof Error ? error.message : String(error);
      this.store.setState({ notice: `${failure}${unsure}: ${reason}` });
      return null;
    }
  }

  private followLink(): void {
    const reading = readLink(location.hash);
    if (reading.kind === "room" && reading.secret === this.openSecret) return;
    if (this.openSecret !== null) {
      // One page, one node: another document begins with a fresh page.
      location.reload();
    } else if (reading.kind === "room") {
      void this.open(reading.secret, false);
    } else if (reading.kind === "bad") {
      const message = "This link is not complete. Ask for it again, and copy all of it.";
      this.store.setState({ screen: { kind: "stopped", stop: { code: "badLink", message }, text: null } });
    }
  }

  private async open(secret: string, create: boolean): Promise<void> {
    if (this.openSecret !== null) return;
    this.openSecret = secret;
    this.creating = create;
    const missing = missingFeature();
    if (missing !== null) {
      this.store.setState({ screen: { kind: "stopped", stop: { code: "unsupported", message: missing }, text: null } });
      return;
    }
    this.store.setState({ screen: { kind: "opening", create } });
    const answer = create ? this.askPersistence() : this.persistence.refresh();
    const persistent = await Persistence.soon(answer);
    this.shelf.close();
    const hint = nodeHint(secret);
    const room = this.makeRoom(create, hint);
    this.openRoom = room;
    room.post({
      kind: "open",
      secret,
      create,
      hint,
      name: this.store.getState().name,
      signalingUrl: signalingUrl(location.href, signalingSetting()),
      visible: document.visibilityState === "visible",
      persistent,
    });
  }

  private makeRoom(create: boolean, hint: NodeId | null): Room {
    const room: Room = new Room({
      startWorker: () => {
        const worker = new Worker(new URL("../node/worker.ts", import.meta.url), { type: "module", name: "node" });
        worker.addEventListener("error", (event) => {
          room.stop({ code: "assertion", message: event.message || "The node of this tab could not be started." });
        });
        return worker;
      },
      makePeers: (post) => new Peers(post),
      store: this.store,
      watched: this.watch,
      holdStill,
      onGaveWay: () => {
        this.beginsAnew = true;
        location.reload();
      },
      onOpened: ({ nodeId, secret, told }) => {
        // A duplicated tab has the memory of the other, and is somebody else.
        if (hint !== null && hint !== nodeId) this.rename(newTabName());
        keepNodeHint(secret, nodeId);
        if (create) history.pushState(null, "", linkTo(secret, location.href));
        if (this.watch.watching) room.post({ kind: "watch", on: true });
        this.store.setState({ nodeId, screen: { kind: "document" }, link: linkTo(secret, location.href), told });
        this.lab.open();
      },
    });
    return room;
  }
}

/** As whoever serves the page may write it into index.html. */
function signalingSetting(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="tabraft-signaling"]')?.content ?? "";
}

function holdStill(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

/** What the browser lacks, in words; `null`: nothing. */
function missingFeature(): string | null {
  if (!window.isSecureContext) return "The page must come over https, or from localhost: only then the browser lets it encrypt.";
  const needed: readonly (readonly [string, boolean])[] = [
    ["Web Workers", "Worker" in window],
    ["IndexedDB", "indexedDB" in window],
    ["Web Locks", "locks" in navigator],
    ["WebRTC", "RTCPeerConnection" in window],
    ["Web Crypto", crypto.subtle !== undefined],
  ];
  const missing = needed.filter(([, has]) => !has).map(([name]) => name);
  return missing.length === 0 ? null : `This browser lacks ${missing.join(", ")}. A current Chrome, Firefox or Safari has it.`;
}
