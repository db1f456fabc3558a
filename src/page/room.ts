/** One open document: the worker that is its node, the peers, the mirror and the editor, tied together. */
import type { MapValue } from "../document/types.ts";
import type { FromNode, MembershipAction, NodeEvent, NodeRequest, NodeResults, NodeStop, ToNode } from "../node/protocol.ts";
import { CollabEditor, type EditRequest } from "./collab-editor.ts";
import { DocumentMirror } from "./document-mirror.ts";
import { NodeClient, NodeError, type WorkerLike } from "./node-client.ts";
import { EVENTS_MAX, type SessionStore } from "./session-store.ts";
import type { WatchSink } from "./watch-store.ts";

/**
 * Milliseconds. Enough for a follower to acknowledge what is under way and for the word that it should lead; too short for a person to see.
 */
const HAND_OVER_MS = 40;

/** As much of `Peers` as is used. */
export interface PeersLike {
  dial(dial: Extract<FromNode, { kind: "dial" }>): void;
  signal(connectionId: string, data: unknown): void;
  hangUp(connectionId: string): void;
  hangUpAll(): void;
}

export interface RoomParts {
  /** A fresh one: at once, and again after a crash. */
  readonly startWorker: () => WorkerLike;
  readonly makePeers: (post: NodeClient["post"]) => PeersLike;
  readonly store: SessionStore;
  /** What the dashboard shows while it is open. */
  readonly watched: WatchSink;
  /** Keeps this thread for so long; the worker goes on. */
  readonly holdStill: (ms: number) => void;
  /** The node has opened. */
  readonly onOpened: (message: Extract<FromNode, { kind: "opened" }>) => void;
  /** The node has given way to another generation; its text is kept. */
  readonly onGaveWay: () => void;
}

export class Room {
  readonly mirror = new DocumentMirror();
  readonly editor: CollabEditor;
  /** The greatest index that an answered request of this tab has; status must not lag behind it. */
  resolvedIndex = 0;
  private client: NodeClient;
  private readonly peers: PeersLike;
  private readonly store: SessionStore;
  /** The editor's batch under way is counted by the editor; the node counts it too. */
  private editorProposals = 0;
  private nodeId: string | null = null;
  private opening: Extract<ToNode, { kind: "open" }> | null = null;
  /** Of a node that is started again after a crash. */
  private restarting: { resolve(): void; reject(error: Error): void } | null = null;

  constructor(private readonly parts: RoomParts) {
    this.store = parts.store;
    this.client = this.connect();
    this.peers = parts.makePeers((message, transfer) => this.client.post(message, transfer));
    this.editor = new CollabEditor(
      {
        send: (edit) => this.sendFromEditor(edit),
        newClientId: () => crypto.randomUUID(),
        begin: (clientId) => this.client.post({ kind: "editing", clientId }),
        keep: (kept) => this.client.post({ kind: "keep", ...this.author(), ...kept }),
        strand: (clientId) => this.client.post({ kind: "strand", clientId }),
        forget: (clientId) => this.client.post({ kind: "forget", clientId }),
        document: () => ({ version: this.mirror.version, text: this.mirror.text }),
        later: (ms, fire) => {
          const timer = setTimeout(fire, ms);
          return () => clearTimeout(timer);
        },
        onChange: () => this.tellEditor(),
        onInsertRefused: () => this.store.setState({ notice: "That is too much to paste at once. Paste it in smaller parts." }),
      },
      0,
      "",
    );
  }

  post(message: ToNode): void {
    if (message.kind === "open") this.opening = message;
    this.client.post(message);
  }

  /**
   * The node ends as if its process had been killed: it says goodbye to nobody, and its connections stand and are mute. The text stays, and
   * what is typed meanwhile is unconfirmed.
   */
  crash(): void {
    const { screen, crashed } = this.store.getState();
    if (crashed || screen.kind !== "document") throw new Error("There is no node that could crash.");
    this.client.crash();
    this.store.setState({ status: null, crashed: true });
  }

  /** The same node, from what it has on disk. Resolves once it is there; rejects with the reason why it is not. */
  restart(): Promise<void> {
    const { crashed, name } = this.store.getState();
    if (!crashed || this.opening === null || this.restarting !== null) throw new Error("The node has not crashed.");
    this.peers.hangUpAll();
    this.client = this.connect();
    const restarted = new Promise<void>((resolve, reject) => {
      this.restarting = { resolve, reject };
    });
    this.post({ ...this.opening, create: false, hint: this.nodeId, name });
    return restarted;
  }

  /** Rejects with a `NodeError`. The mirror includes what a resolved request did. */
  async request<K extends NodeRequest["kind"]>(request: Extract<NodeRequest, { kind: K }>): Promise<NodeResults[K]> {
    const value = await this.client.request<K>(request);
    if (typeof value === "object" && value !== null && "index" in value && typeof value.index === "number") {
      this.resolvedIndex = Math.max(this.resolvedIndex, value.index);
    }
    return value;
  }

  /** An edit that is not the editor's: resolves once accepted and seen in the mirror. */
  async edit(edit: EditRequest): Promise<NodeResults["edit"]> {
    const result = await this.requestEdit(edit);
    const { refusal, version } = result.response;
    if (refusal !== null) {
      const message = `The document refused the edit: ${refusal}.`;
      throw new NodeError({ name: "CommandRejected", message, code: refusal, mayHaveApplied: false });
    }
    await this.mirror.reached(version);
    return result;
  }

  /** Rejects with a sentence. */
  async membership(action: MembershipAction): Promise<null> {
    return await this.request<"membership">({ kind: "membership", action });
  }

  dismissTrouble(): void {
    this.editor.dismissTrouble(this.mirror.version, this.mirror.text);
  }

  /**
   * The page goes away. A leader hands its office over first, and what is not confirmed goes to the disk, for which the page's thread holds
   * still: it can await nothing any more, and the connections end with it. Connections that are closed in good order are missed at once, not after a silence.
   */
  leave(): void {
    this.client.post({ kind: "leaving" });
    const { status } = this.store.getState();
    const isLeading = status?.role === "leader" && status.voters.length > 1;
    if (isLeading || this.editor.unconfirmed > 0) this.parts.holdStill(HAND_OVER_MS);
    this.peers.hangUpAll();
  }

  stop(stop: NodeStop): void {
    this.client.end(stop.message);
    this.restarting?.reject(new Error(stop.message));
    this.peers.hangUpAll();
    const { screen } = this.store.getState();
    if (screen.kind === "stopped") return;
    this.store.setState({ screen: { kind: "stopped", stop, text: screen.kind === "document" ? this.editor.text : null } });
  }

  /** Ends the worker, whatever it does. */
  close(): void {
    this.client.terminate();
    this.peers.hangUpAll();
  }

  private connect(): NodeClient {
    const client = new NodeClient(this.parts.startWorker());
    client.listen((message) => this.receive(message));
    return client;
  }

  private receiveOpened(message: Extract<FromNode, { kind: "opened" }>): void {
    this.nodeId = message.nodeId;
    if (this.restarting === null) {
      this.parts.onOpened(message);
      return;
    }
    this.store.setState({ crashed: false });
    this.restarting.resolve();
    this.restarting = null;
  }

  private requestEdit(edit: EditRequest): Promise<NodeResults["edit"]> {
    return this.request<"edit">({ kind: "edit", ...this.author(), replaces: null, ...edit });
  }

  private author(): { readonly author: string; readonly color: number; readonly at: number } {
    return { author: this.store.getState().name, color: 0, at: Date.now() };
  }

  private async sendFromEditor(edit: EditRequest): Promise<NodeResults["edit"]> {
    this.editorProposals += 1;
    try {
      return await this.requestEdit(edit);
    } finally {
      this.editorProposals -= 1;
    }
  }

  private tellEditor(): void {
    const { unconfirmed, trouble } = this.editor;
    const now = this.store.getState();
    if (now.editorUnconfirmed !== unconfirmed || now.trouble !== trouble) {
      this.store.setState({ editorUnconfirmed: unconfirmed, trouble });
    }
  }

  private receive(message: FromNode): void {
    switch (message.kind) {
      case "opened":
        this.receiveOpened(message);
        break;
      case "stopped":
        this.stop(message.stop);
        break;
      case "status":
        this.receiveStatus(message);
        break;
      case "document":
        this.mirror.replace(message.version, message.text, message.map);
        this.editor.replace(message.version, message.text);
        this.store.setState({ map: message.map });
        break;
      case "updates":
        this.mirror.accept(message.fromVersion, message.updates);
        this.editor.receive(message.fromVersion, message.updates);
        break;
      case "map":
        this.receiveValue(message.key, message.value);
        break;
      case "event":
        this.receiveEvent(message.event);
        break;
      case "activity":
        this.parts.watched.activity(message.marks, message.timer);
        break;
      case "samples":
        this.parts.watched.samples(message.samples);
        break;
      case "outbox":
        this.store.setState({ outbox: message });
        break;
      case "dial":
        this.peers.dial(message);
        break;
      case "signal":
        this.peers.signal(message.connectionId, message.data);
        break;
      case "hangUp":
        this.peers.hangUp(message.connectionId);
        break;
      case "superseded":
        this.giveWay();
        break;
      case "copies":
        this.store.setState({ copies: message.copies });
        break;
      case "answered":
      case "refused":
        break;
    }
  }

  /** Another generation goes on: what stands here is kept, and the tab begins anew as a node of that one. */
  private giveWay(): void {
    this.request<"yield">({ kind: "yield", text: this.editor.text }).then(
      () => this.parts.onGaveWay(),
      (error: Error) =>
        this.store.setState({ notice: `The document went on elsewhere, and this copy could not be kept: ${error.message}` }),
    );
  }

  private receiveStatus({ status }: Extract<FromNode, { kind: "status" }>): void {
    const before = this.store.getState().status;
    const others = Math.max(0, status.unconfirmed - this.editorProposals);
    const sameOffice = before !== null && before.leader === status.leader && before.term === status.term;
    const leaderSince = status.leader === null ? null : sameOffice ? this.store.getState().leaderSince : Date.now();
    this.store.setState({ status: { ...status, unconfirmed: others }, leaderSince });
    if (status.leader !== null && status.leader !== before?.leader) this.editor.nudge();
  }

  private receiveEvent(event: NodeEvent): void {
    this.store.setState(({ events }) => {
      const id = (events.at(-1)?.id ?? 0) + 1;
      return { events: [...events.slice(1 - EVENTS_MAX), { ...event, id }] };
    });
  }

  private receiveValue(key: string, value: MapValue): void {
    this.mirror.write(key, value);
    this.store.setState({ map: this.mirror.map });
  }
}
