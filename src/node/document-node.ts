/** The composition root: one node of one room, made of its parts, and what the page says to it and hears from it. */
import { SharedDocument } from "../document/shared-document.ts";
import type { DocumentCommand, DocumentRefusal, DocumentResponse } from "../document/types.ts";
import type { RaftMetrics } from "../driver/metrics.ts";
import { Raft } from "../driver/raft.ts";
import type { ChannelLike } from "../network/channel.ts";
import { LinkFaults } from "../network/link-faults.ts";
import { MessageFaults } from "../network/message-faults.ts";
import type { PeerMesh } from "../network/peer-mesh.ts";
import { PortChannel } from "../network/port-channel.ts";
import { createConfig } from "../raft/mod.ts";
import type { Generation, NodeId } from "../raft/types.ts";
import { AliveWatch, holdAlive } from "./alive.ts";
import { repeat, workerClock } from "./clock.ts";
import { createMesh } from "./create-mesh.ts";
import { DocumentFeed } from "./document-feed.ts";
import { describeChange } from "./events.ts";
import { NodeFaults } from "./faults.ts";
import { createInquiries } from "./inquiries.ts";
import { MembershipDesk } from "./membership-desk.ts";
import { SIGNALING_WORDS, stopOf } from "./node-words.ts";
import { Observer } from "./observer.ts";
import { OfficeTurn } from "./office-turn.ts";
import type { Open, OpenedNode } from "./open.ts";
import { Pause } from "./pause.ts";
import { Pilot } from "./pilot.ts";
import type { FromNode, NodeEvent, NodeRequest, NodeStatus, NodeStop, SignalingState, ToNode } from "./protocol.ts";
import { RegistryKeeper } from "./registry-keeper.ts";
import { failureOf, type Inquiries, RequestDesk } from "./request-desk.ts";
import { buildDigest, buildStatus, shortName } from "./status.ts";
import { WatchFeed } from "./watch-feed.ts";

const statusEveryMs = 100;
const digestEveryMs = 500;
const pilotEveryMs = 500;
const registryEveryMs = 3000;

export class DocumentNode {
  readonly #opened: OpenedNode;
  readonly #post: (message: FromNode) => void;
  readonly #config = createConfig();
  readonly #document = new SharedDocument();
  readonly #pause = new Pause();
  readonly #clock = this.#pause.clock(workerClock);
  readonly #faults: NodeFaults;
  readonly #raft: Raft<DocumentCommand, DocumentResponse, DocumentRefusal>;
  readonly #mesh: PeerMesh;
  readonly #observer: Observer;
  readonly #watchFeed: WatchFeed;
  readonly #feed: DocumentFeed;
  readonly #desk: RequestDesk;
  readonly #pilot: Pilot;
  readonly #keeper: RegistryKeeper;
  readonly #office: OfficeTurn;
  readonly #watch: AliveWatch;
  readonly #membership: MembershipDesk;
  readonly #ends: (() => void)[] = [];
  #persistent: boolean;
  #name: string;
  #visible: boolean;
  #signaling: SignalingState;
  #metrics: RaftMetrics | null = null;
  #lastStatus = "";
  #stopped: NodeStop | null = null;
  #saidBridged = false;

  constructor(open: Open, opened: OpenedNode, post: (message: FromNode) => void) {
    this.#opened = opened;
    this.#post = post;
    this.#name = open.name;
    this.#visible = open.visible;
    this.#persistent = open.persistent;
    this.#signaling = open.signalingUrl === null ? "off" : "waiting";
    const messageFaults = new MessageFaults(this.#clock, Math.random);
    this.#faults = new NodeFaults(new LinkFaults(), messageFaults, this.#pause, opened.loaded);
    this.#observer = new Observer({
      now: () => workerClock.now(),
      nameOf: (id) => this.#nameOf(id),
      tell: (kind, text) => this.#event(kind, text),
    });
    this.#mesh = this.#createMesh(open);
    this.#raft = new Raft({
      id: opened.identity.nodeId,
      config: this.#config,
      seed: randomSeed(),
      storage: this.#observer.timed(this.#pause.storage(opened.loaded)),
      network: this.#mesh,
      stateMachine: this.#document,
      clock: this.#clock,
      onStep: this.#observer.onStep,
    });
    this.#watchFeed = new WatchFeed(this.#observer, () => this.#mesh.peers(), post);
    this.#feed = new DocumentFeed(this.#document, post);
    this.#membership = this.#createMembershipDesk();
    this.#desk = new RequestDesk(this.#raft, this.#document, this.#faults, this.#inquiries(), post, () => this.#postStatus(true));
    this.#keeper = this.#createKeeper(opened);
    this.#pilot = new Pilot({
      device: opened.registry.device,
      metrics: () => this.#raft.metrics(),
      peers: () => this.#mesh.peers(),
      now: () => workerClock.now(),
      visible: () => this.#visible,
      storageOk: () => opened.storage.failure === null,
      wishes: () => this.#membership.wishes(),
      nameOf: (id) => this.#nameOf(id),
      change: (change) => this.#raft.proposeConfigChange(change),
      tell: (text) => this.#event("autopilot", text),
    });
    this.#office = new OfficeTurn({
      metrics: () => this.#raft.metrics(),
      peers: () => this.#mesh.peers(),
      now: () => workerClock.now(),
      visible: () => this.#visible,
      transfer: (to) => this.#raft.transferLeadership(to),
      tell: (text) => this.#event("election", text),
    });
    this.#watch = new AliveWatch(navigator.locks, opened.keys.topic, (id) => {
      this.#raft.hint(id, this.#mesh.peers().find((peer) => peer.id === id)?.roundTripMs ?? null);
    });
  }

  #createKeeper({ registry, keys, secret, identity, storage }: OpenedNode): RegistryKeeper {
    return new RegistryKeeper({
      registry,
      locks: navigator.locks,
      topic: keys.topic,
      secret,
      nodeId: identity.nodeId,
      metrics: () => this.#raft.metricsOrNull(),
      room: () => {
        const title = this.#document.get("title");
        return { title: typeof title === "string" ? title : "", name: this.#name };
      },
      bytes: () => storage.bytes,
      now: () => Date.now(),
      tell: (text) => this.#event("storage", text),
    });
  }

  #createMesh(open: Open): PeerMesh {
    return createMesh(open, this.#opened, {
      clock: this.#clock,
      faults: this.#faults,
      post: this.#post,
      generation: () => this.#raft.metricsOrNull()?.generation ?? null,
      onSignalingState: (state) => this.#onSignaling(state),
      onEvent: (text) => this.#event("peer", text),
      onTraffic: (direction, bytes) => this.#observer.traffic(direction, bytes),
    });
  }

  #createMembershipDesk(): MembershipDesk {
    return new MembershipDesk({
      self: this.#opened.identity.nodeId,
      metrics: () => this.#raft.metrics(),
      input: () => this.#pilot.input(),
      get: (key) => this.#document.get(key),
      set: (key, value) => this.#raft.propose({ kind: "set", key, value }, { idempotent: true }),
      change: (change) => this.#raft.proposeConfigChange(change),
      transfer: (to) => this.#raft.transferLeadership(to),
      later: (ms, run) => void workerClock.schedule(workerClock.now() + ms, run),
      newOrderId: () => crypto.randomUUID(),
      tell: (text) => this.#event("configuration", text),
    });
  }

  #inquiries(): Inquiries {
    return createInquiries({
      raft: this.#raft,
      document: this.#document,
      observer: this.#observer,
      status: () => this.#status(),
      ids: () => [this.#opened.identity.nodeId, ...this.#mesh.peers().map(({ id }) => id)],
      nameOf: (id) => this.#nameOf(id),
    });
  }

  /** A creator's link is told once the first configuration is durable: before that there is no document to come back to. */
  async start(create: boolean): Promise<void> {
    const { identity, secret, setAside } = this.#opened;
    this.#raft.onMetrics((metrics) => this.#onMetrics(metrics));
    await new Promise<void>((resolve, reject) => this.#raft.start((failure) => (failure ? reject(failure) : resolve())));
    this.#metrics ??= this.#raft.metrics();
    if (create && this.#raft.metrics().lastLogIndex === 0)
      await this.#raft.initWithConfig({ voters: [identity.nodeId], generation: firstGeneration() });
    this.#post({ kind: "opened", nodeId: identity.nodeId, secret, told: setAside });
    this.#feed.start(this.#raft);
    this.#raft.subscribe(this.#raft.metrics().lastApplied + 1, (applied) => {
      for (const { command } of applied) this.#membership.applied(command);
    });
    for (const text of setAside) this.#event("storage", text);
    this.#ends.push(
      holdAlive(navigator.locks, this.#opened.keys.topic, identity.nodeId),
      () => this.#watch.watch(null),
      repeat(pilotEveryMs, () => {
        this.#office.turn();
        // What tells that the leader is a tab of this browser may come after it took office.
        this.#watchLeader(this.#raft.metrics());
      }),
      repeat(statusEveryMs, () => this.#postStatus(false)),
      repeat(digestEveryMs, () => this.#publish()),
      repeat(pilotEveryMs, () => this.#pause.paused || this.#pilot.turn()),
      repeat(registryEveryMs, () => this.#keeper.turn()),
      this.#watchFeed.start(),
    );
    identity.lost.then(() =>
      this.stop({ code: "identityTaken", message: "Another tab took this tab's node. Reload to become a node of its own." }),
    );
    this.#postStatus(true);
    this.#publish();
    this.#keeper.turn();
  }

  receive(message: ToNode): void {
    // A node that stands still can be healed, and nothing else.
    if (message.kind === "request" && message.request.kind === "fault") this.#desk.handle(message.id, message.request);
    else this.#pause.pass(() => this.#receive(message));
  }

  #receive(message: ToNode): void {
    switch (message.kind) {
      case "request":
        return this.#request(message.id, message.request);
      case "signal":
        return this.#mesh.onSignal(message.connectionId, message.data);
      case "channel":
        return this.#mesh.onChannel(message.connectionId, this.#channelOf(message.channel));
      case "connected":
        return this.#mesh.onConnected(message.connectionId, {
          local: message.localFingerprint,
          remote: message.remoteFingerprint,
        });
      case "closed":
        return this.#mesh.onClosed(message.connectionId, message.reason);
      case "rename":
        this.#name = message.name;
        return this.#publish();
      case "visibility":
        this.#visible = message.visible;
        return this.#publish();
      case "persistent":
        this.#persistent = message.persistent;
        return this.#postStatus(false);
      case "watch":
        return this.#watchFeed.watch(message.on);
      case "leaving":
        return this.#leave();
      case "open":
        return;
    }
  }

  #request(id: number, request: NodeRequest): void {
    if (request.kind !== "membership") return this.#desk.handle(id, request);
    this.#membership.ask(request.action).then(
      () => {
        this.#postStatus(true);
        this.#post({ kind: "answered", id, value: null });
      },
      (error: Error) => this.#post({ kind: "refused", id, failure: failureOf(error) }),
    );
  }

  #channelOf(given: RTCDataChannel | MessagePort): ChannelLike {
    if (!(given instanceof MessagePort)) return this.#pause.channel(given);
    if (!this.#saidBridged) this.#event("peer", "This browser leaves data channels to the page: a busy page delays the node.");
    this.#saidBridged = true;
    return this.#pause.channel(new PortChannel(given));
  }

  /** The page goes away, and this worker with it, at any moment: first the office, so that nobody waits for it to fall vacant. */
  #leave(): void {
    const metrics = this.#raft.metricsOrNull();
    if (metrics?.state === "leader" && metrics.membershipConfig.voters.length > 1)
      this.#raft
        .transferLeadership()
        .catch((error: Error) => this.#event("election", `The office stays here: ${error.message}.`));
    this.#keeper.turn();
  }

  /** Ends the node. The text stays on the page. */
  stop(stop: NodeStop): void {
    if (this.#stopped) return;
    this.#stopped = stop;
    for (const end of this.#ends) end();
    this.#raft.stop(new Error(stop.message));
    this.#mesh.close();
    this.#postStatus(true);
    // Its database is closed: whoever is told that it has stopped may start it again.
    this.#opened.identity.release().finally(() => this.#post({ kind: "stopped", stop }));
  }

  #onMetrics(metrics: RaftMetrics): void {
    const before = this.#metrics;
    this.#metrics = metrics;
    if (before && metrics.currentLeader !== null && metrics.currentLeader !== before.currentLeader)
      this.#observer.measures.counts.leaderChanges++;
    if (before)
      for (const event of describeChange(before, metrics, (id) => this.#nameOf(id))) this.#event(event.kind, event.text);
    this.#watchLeader(metrics);
    if (metrics.stopped && !this.#stopped) this.stop(stopOf(metrics.stopped));
    this.#postStatus(false);
  }

  /** A leader of this browser: its end is known within milliseconds, without any server. */
  #watchLeader({ id, currentLeader, stopped }: RaftMetrics): void {
    const peer = this.#mesh.peers().find((other) => other.id === currentLeader);
    const isHere = peer?.digest?.device === this.#opened.registry.device;
    this.#watch.watch(!stopped && currentLeader !== id && isHere ? currentLeader : null);
  }

  #onSignaling(state: SignalingState): void {
    if (state === this.#signaling) return;
    this.#signaling = state;
    this.#event("signaling", SIGNALING_WORDS[state]);
    this.#postStatus(false);
  }

  #event(kind: NodeEvent["kind"], text: string): void {
    this.#post({ kind: "event", event: { at: Date.now(), kind, term: this.#raft.metricsOrNull()?.currentTerm ?? 0, text } });
  }

  #nameOf(id: NodeId): string {
    if (id === this.#opened.identity.nodeId) return this.#name;
    return this.#mesh.peers().find((peer) => peer.id === id)?.digest?.name ?? shortName(id);
  }

  #status(): NodeStatus | null {
    const metrics = this.#raft.metricsOrNull();
    if (!metrics) return null;
    const { storage, registry } = this.#opened;
    return buildStatus({
      metrics,
      peers: this.#mesh.peers(),
      name: this.#name,
      device: registry.device,
      version: this.#document.version,
      persistent: this.#persistent,
      durability: storage.durability,
      storageBytes: storage.bytes,
      storageFailure: storage.failure?.message ?? null,
      autopilot: this.#membership.wishes(),
      faults: this.#faults.describe(),
      signaling: this.#signaling,
      otherVersion: this.#mesh.otherVersion(),
      refused: this.#mesh.refused(),
      electionTimeoutMaxMs: this.#config.electionTimeoutMaxMs,
    });
  }

  #postStatus(evenIfSame: boolean): void {
    const status = this.#status();
    if (!status) return;
    const text = JSON.stringify(status);
    if (text === this.#lastStatus && !evenIfSame) return;
    this.#lastStatus = text;
    this.#post({ kind: "status", status });
  }

  #publish(): void {
    const metrics = this.#raft.metricsOrNull();
    if (!metrics || this.#stopped || this.#pause.paused) return;
    this.#mesh.publish(
      buildDigest(metrics, {
        name: this.#name,
        device: this.#opened.registry.device,
        visible: this.#visible,
        storageOk: this.#opened.storage.failure === null,
      }),
    );
  }
}

function firstGeneration(): Generation {
  const id = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return { number: 1, id, parentId: null, forkIndex: 0 };
}

/** 48 random bits. */
function randomSeed(): number {
  const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2));
  return (high % 2 ** 16) * 2 ** 32 + low;
}
