/**
 * What every RaftNetwork must do, as functions that reject when it does not. For any test runner:
 * `for (const { title, run } of networkContract) test(title, () => run(makePair))`.
 */
import type { RaftNetwork } from "../driver/interfaces.ts";
import type { Generation, Message, NodeId, SnapshotMeta } from "../raft/types.ts";

/** Two nodes that are able to reach each other, neither of them started. */
export interface NetworkPair {
  readonly a: { readonly id: NodeId; readonly network: RaftNetwork };
  readonly b: { readonly id: NodeId; readonly network: RaftNetwork };
  /** Ends node b. */
  endB(): void;
  /** Lets what is under way go on, virtual time as well. */
  settle(): Promise<void>;
  close(): void;
}

export interface NetworkContractCase {
  readonly title: string;
  run(makePair: () => Promise<NetworkPair>): Promise<void>;
}

const generation: Generation = { number: 1, id: "0123456789abcdef0123456789abcdef", parentId: null, forkIndex: 0 };
const longCommand = Uint8Array.from({ length: 300_000 }, (_, at) => at % 251);

function expectThat(holds: boolean, law: string): asserts holds {
  if (!holds) throw new Error(`The network breaks its contract: ${law}.`);
}

/** One end of a started pair: what it heard. */
class Ear {
  readonly messages: Message[] = [];
  readonly up = new Map<NodeId, boolean>();
  /** Set while a `send` is under way. */
  sending = false;
  calledInside = false;

  constructor(readonly network: RaftNetwork) {
    network.start({
      onMessage: (message) => {
        this.calledInside ||= this.sending;
        this.messages.push(message);
      },
      onPeer: ({ id, up }) => {
        this.calledInside ||= this.sending;
        this.up.set(id, up);
      },
    });
  }

  send(message: Message): void {
    this.sending = true;
    this.network.send(message);
    this.sending = false;
  }
}

async function until(pair: NetworkPair, law: string, holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < 2000; turn += 1) {
    if (holds()) return;
    await pair.settle();
  }
  expectThat(false, law);
}

async function connected(makePair: () => Promise<NetworkPair>): Promise<{ pair: NetworkPair; a: Ear; b: Ear }> {
  const pair = await makePair();
  const a = new Ear(pair.a.network);
  const b = new Ear(pair.b.network);
  await until(pair, "both ends hear that the other is up", () => a.up.get(pair.b.id) === true && b.up.get(pair.a.id) === true);
  return { pair, a, b };
}

const snapshot: SnapshotMeta = {
  index: 6,
  term: 2,
  // A voter on its way to be a learner.
  configuration: { voters: ["a", "b"], votersOld: ["a", "c"], learners: ["c"] },
  configurationIndex: 3,
  size: 400_000,
  checksum: 0xfedc_ba98,
};

function samples(from: NodeId, to: NodeId): Message[] {
  const base = { from, to, term: 3, generation };
  return [
    { ...base, kind: "requestVote", preVote: true, leadershipTransfer: false, leaderGone: true, lastLogIndex: 7, lastLogTerm: 2 },
    {
      ...base,
      kind: "requestVote",
      preVote: false,
      leadershipTransfer: true,
      leaderGone: false,
      lastLogIndex: 7,
      lastLogTerm: 2,
    },
    { ...base, kind: "requestVoteResponse", preVote: false, requestedTerm: 3, voteGranted: true },
    {
      ...base,
      kind: "appendEntries",
      prevLogIndex: 4,
      prevLogTerm: 1,
      leaderCommit: 4,
      round: 9,
      entries: [
        { kind: "blank", index: 5, term: 1 },
        { kind: "command", index: 6, term: 2, command: longCommand },
        { kind: "configuration", index: 7, term: 3, configuration: { voters: ["a", "b"], votersOld: ["a"], learners: ["c"] } },
      ],
    },
    {
      ...base,
      kind: "appendEntriesResponse",
      success: false,
      matchIndex: 0,
      refusedIndex: 6,
      hintIndex: 5,
      hintTerm: 1,
      round: 9,
    },
    { ...base, kind: "propose", requestId: 1, commands: [new Uint8Array([1, 2, 3]), new Uint8Array()] },
    { ...base, kind: "proposeResponse", requestId: 1, firstIndex: 8, entriesTerm: 3, refusal: null },
    { ...base, kind: "readIndex", requestId: 2 },
    { ...base, kind: "readIndexResponse", requestId: 2, readIndex: 0, refusal: "notLeader" },
    { ...base, kind: "installSnapshot", snapshot, offset: 100, data: longCommand },
    { ...base, kind: "installSnapshot", snapshot, offset: 0, data: new Uint8Array() },
    { ...base, kind: "installSnapshotResponse", index: 6, checksum: 0xfedc_ba98, offset: 300_100 },
    { ...base, kind: "timeoutNow" },
    { ...base, kind: "leaderCheck", checkId: 3 },
    { ...base, kind: "leaderCheckResponse", checkId: 3 },
  ];
}

function same(a: unknown, b: unknown): boolean {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return a.length === b.length && a.every((byte, at) => byte === b[at]);
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  const left = Object.entries(a);
  const right = new Map(Object.entries(b));
  return left.length === right.size && left.every(([key, value]) => right.has(key) && same(value, right.get(key)));
}

export const networkContract: readonly NetworkContractCase[] = [
  {
    title: "every kind of message arrives unaltered, from its sender",
    async run(makePair) {
      const { pair, a, b } = await connected(makePair);
      const sent = samples(pair.a.id, pair.b.id);
      for (const message of sent) a.send(message);
      await until(pair, "what was sent arrives", () => b.messages.length === sent.length);
      for (const message of sent) {
        expectThat(
          b.messages.some((heard) => same(heard, message)),
          `${message.kind} arrives unaltered`,
        );
      }
      expectThat(a.messages.length === 0, "nothing comes back by itself");
      pair.close();
    },
  },
  {
    title: "both ways at once",
    async run(makePair) {
      const { pair, a, b } = await connected(makePair);
      for (let count = 0; count < 50; count += 1) {
        a.send({ kind: "readIndex", from: pair.a.id, to: pair.b.id, term: 3, generation, requestId: count });
        b.send({ kind: "readIndex", from: pair.b.id, to: pair.a.id, term: 3, generation, requestId: count });
      }
      await until(pair, "all arrive", () => a.messages.length === 50 && b.messages.length === 50);
      pair.close();
    },
  },
  {
    title: "a message to an unknown peer is dropped without a word",
    async run(makePair) {
      const { pair, a, b } = await connected(makePair);
      for (const message of samples(pair.a.id, "nobody")) a.send(message);
      const [marker] = samples(pair.a.id, pair.b.id);
      if (marker !== undefined) a.send(marker);
      await until(pair, "later messages arrive", () => b.messages.length > 0);
      expectThat(b.messages.length === 1, "nobody else gets it");
      pair.close();
    },
  },
  {
    title: "send never calls back from inside",
    async run(makePair) {
      const { pair, a, b } = await connected(makePair);
      const sent = samples(pair.a.id, pair.b.id);
      for (const message of sent) a.send(message);
      await until(pair, "what was sent arrives", () => b.messages.length === sent.length);
      expectThat(!a.calledInside && !b.calledInside, "no callback comes from inside send");
      pair.close();
    },
  },
  {
    title: "the end of a peer is told, and sending to it is no error",
    async run(makePair) {
      const { pair, a } = await connected(makePair);
      pair.endB();
      await until(pair, "the other end hears that the peer is down", () => a.up.get(pair.b.id) === false);
      for (const message of samples(pair.a.id, pair.b.id)) a.send(message);
      await pair.settle();
      expectThat(a.messages.length === 0, "the ended peer is silent");
      pair.close();
    },
  },
];
