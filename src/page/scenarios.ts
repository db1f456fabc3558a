/**
 * Experiments on the real cluster. Each says beforehand what will happen; afterwards its claims are checked against status() of the nodes
 * themselves, so that a claim can turn out to be false.
 */
import type { ConsoleStatus } from "./console-api.ts";
import type { FaultOrder } from "./fault-orders.ts";
import type { NodeId } from "./types.ts";

/** A node on which faults may be tried: this tab's, or a neighbour's. */
export interface TestNode {
  readonly id: NodeId;
  readonly name: string;
  /** `null`: the node is not there, as after a crash. */
  status(): Promise<ConsoleStatus | null>;
  fault(order: FaultOrder): Promise<void>;
  /** Resolves once the text is committed and applied there. */
  append(text: string): Promise<void>;
  /** Writes so many values of so many bytes under one key of the map, one over the other; the key is empty afterwards. */
  fill(values: number, bytes: number): Promise<void>;
}

export interface Claim {
  readonly text: string;
  readonly holds: boolean;
  /** What was seen, in words. */
  readonly seen: string;
}

export interface Stage {
  readonly nodes: readonly TestNode[];
  /** What is being done now. */
  say(text: string): void;
  claim(claim: Claim): void;
  sleep(ms: number): Promise<void>;
}

export interface Scenario {
  readonly key: string;
  readonly title: string;
  /** What will happen. */
  readonly says: string;
  run(stage: Stage): Promise<void>;
}

const POLL_MS = 100;
/** Elections take one to two seconds; a machine may be busy. */
const PATIENCE_MS = 20_000;

interface Seen {
  readonly node: TestNode;
  readonly status: ConsoleStatus;
}

/** Of all that answer. */
async function look(nodes: readonly TestNode[]): Promise<readonly Seen[]> {
  const all = await Promise.all(
    nodes.map(async (node) => {
      const status = await node.status().catch(() => null);
      return status === null ? null : { node, status };
    }),
  );
  return all.filter((seen) => seen !== null);
}

/** `null`: it did not come to that in time. */
async function wait<T>(stage: Stage, ask: () => Promise<T | null>, limitMs = PATIENCE_MS): Promise<T | null> {
  for (let waited = 0; waited <= limitMs; waited += POLL_MS) {
    const found = await ask();
    if (found !== null) return found;
    await stage.sleep(POLL_MS);
  }
  return null;
}

/** The one that leads in the latest term, if the others of `nodes` follow it. */
async function agreedLeader(nodes: readonly TestNode[]): Promise<Seen | null> {
  const all = await look(nodes);
  const leader = all.find(({ status }) => status.role === "leader" && all.every((other) => other.status.term <= status.term));
  if (leader === undefined || all.length < nodes.length) return null;
  return all.every(({ status }) => status.leader === leader.node.id) ? leader : null;
}

class CannotRun extends Error {
  override readonly name = "CannotRun";
}

async function begin(stage: Stage): Promise<{ readonly leader: Seen; readonly others: readonly TestNode[] }> {
  stage.say("Healing all nodes, and waiting for a leader whom all follow.");
  for (const node of stage.nodes) {
    if ((await node.status().catch(() => null)) === null) await node.fault({ kind: "restart" }).catch(() => undefined);
    await node.fault({ kind: "heal" });
  }
  const leader = await wait(stage, () => agreedLeader(stage.nodes));
  if (leader === null) throw new CannotRun("No leader was found whom all follow.");
  const voters = new Set(leader.status.voters);
  if (voters.size !== 3 || stage.nodes.some(({ id }) => !voters.has(id)))
    throw new CannotRun("This needs exactly three voters, all of them tabs of this browser that allow it.");
  return { leader, others: stage.nodes.filter(({ id }) => id !== leader.node.id) };
}

/** Afterwards all must be one cluster again: part of each scenario. */
async function heal(stage: Stage): Promise<void> {
  stage.say("Healing.");
  for (const node of stage.nodes) await node.fault({ kind: "heal" });
  const together = await wait(stage, async () => {
    const leader = await agreedLeader(stage.nodes);
    if (leader === null) return null;
    const all = await look(stage.nodes);
    return all.every(({ status }) => status.commitIndex === leader.status.commitIndex) ? leader : null;
  });
  const words =
    together && `${together.node.name} leads all in term ${together.status.term}, commit ${together.status.commitIndex}`;
  stage.claim({
    text: "After healing, all follow one leader and have the same commit index.",
    holds: together !== null,
    seen: words ?? inWords(await look(stage.nodes)),
  });
}

function inWords(all: readonly Seen[]): string {
  const words = all.map(
    ({ node, status }) => `${node.name}: ${status.role} in term ${status.term}, commit ${status.commitIndex}`,
  );
  return words.length === 0 ? "no node answers" : words.join("; ");
}

async function split(stage: Stage): Promise<void> {
  const { leader, others } = await begin(stage);
  stage.say(`Cutting ${leader.node.name}, the leader, off from ${others.map(({ name }) => name).join(" and ")}.`);
  await leader.node.fault({ kind: "isolate" });
  const next = await wait(stage, () => agreedLeader(others));
  stage.claim({
    text: "The two elect one of them, in a later term.",
    holds: next !== null && next.status.term > leader.status.term,
    seen: inWords(await look(others)),
  });
  const old = await wait(stage, async () => (await look([leader.node])).find(({ status }) => status.role !== "leader") ?? null);
  stage.claim({
    text: "The old leader steps down, since no majority answers it.",
    holds: old !== null,
    seen: inWords(await look([leader.node])),
  });
  const before = (await leader.node.status())?.commitIndex ?? -1;
  await others[0]?.append("(written by the majority) ");
  const [cutOff] = await look([leader.node]);
  const [writer] = await look(others.slice(0, 1));
  stage.claim({
    text: "The two commit what is written meanwhile; the one alone commits nothing.",
    holds: cutOff?.status.commitIndex === before && (writer?.status.commitIndex ?? 0) > before,
    seen: inWords(await look(stage.nodes)),
  });
  await heal(stage);
}

async function killWhileTyping(stage: Stage): Promise<void> {
  const { leader, others } = await begin(stage);
  const [writer] = others;
  if (writer === undefined) throw new CannotRun("Nobody follows.");
  stage.say(`${writer.name} types; ${leader.node.name}, the leader, is killed meanwhile.`);
  const typing = Array.from({ length: 20 }, (_, at) => `k${at} `);
  let committed = 0;
  for (const [at, word] of typing.entries()) {
    if (at === 5) await leader.node.fault({ kind: "crash" });
    await writer.append(word);
    committed++;
  }
  const next = await wait(stage, () => agreedLeader(others));
  stage.claim({
    text: "Another node leads in a later term.",
    holds: next !== null && next.status.term > leader.status.term,
    seen: inWords(await look(others)),
  });
  const [seen] = await look([writer]);
  stage.claim({
    text: "Every word that was typed is committed.",
    holds: committed === typing.length && seen?.status.unconfirmed === 0,
    seen: `${committed} of ${typing.length} committed, ${seen?.status.unconfirmed ?? "?"} waiting`,
  });
  stage.say(`Starting ${leader.node.name} again from its disk.`);
  await leader.node.fault({ kind: "restart" });
  const back = await wait(stage, async () => {
    const [own] = await look([leader.node]);
    const [other] = await look([writer]);
    return own && other && own.status.nodeId === leader.node.id && own.status.commitIndex >= other.status.commitIndex
      ? own
      : null;
  });
  stage.claim({
    text: "The killed node comes back as the same node, and catches up.",
    holds: back !== null,
    seen: inWords(await look(stage.nodes)),
  });
  await heal(stage);
}

/** More than a node keeps behind a snapshot, and more bytes than it keeps without one. */
const FILLING = { values: 300, bytes: 8_000 } as const;

async function slowFollower(stage: Stage): Promise<void> {
  const { leader, others } = await begin(stage);
  const [follower, writer] = others;
  if (follower === undefined || writer === undefined) throw new CannotRun("Nobody follows.");
  stage.say(`Isolating ${follower.name}, and writing more than a log keeps.`);
  await follower.fault({ kind: "isolate" });
  const [behind] = await look([follower]);
  const from = behind?.status.commitIndex ?? 0;
  const compacted = await wait(
    stage,
    async () => {
      const [seen] = await look([leader.node]);
      if (seen && seen.status.firstLogIndex > from + 1) return seen;
      await writer.fill(FILLING.values, FILLING.bytes);
      return null;
    },
    4 * PATIENCE_MS,
  );
  stage.claim({
    text: "The leader's log no longer reaches back to where the follower stopped.",
    holds: compacted !== null,
    seen: `the follower stopped at ${from}; the leader keeps ${compacted?.status.firstLogIndex ?? "?"} and later`,
  });
  stage.say(`Healing ${follower.name}.`);
  await follower.fault({ kind: "heal" });
  const installed = await wait(stage, async () => {
    const [own] = await look([follower]);
    return own && own.status.snapshotIndex > from && own.status.commitIndex > from ? own : null;
  });
  stage.claim({
    text: "The follower gets a snapshot instead of the entries that are gone.",
    holds: installed !== null,
    seen:
      installed === null ? inWords(await look([follower])) : `snapshot through ${installed.status.snapshotIndex}, past ${from}`,
  });
  await heal(stage);
}

async function splitVote(stage: Stage): Promise<void> {
  const { leader, others } = await begin(stage);
  const [a, b] = others;
  if (a === undefined || b === undefined) throw new CannotRun("Nobody follows.");
  stage.say("Cutting all three off from each other: nobody can get two of three votes.");
  for (const node of stage.nodes) await node.fault({ kind: "isolate" });
  const leaderless = await wait(stage, async () => {
    const all = await look(stage.nodes);
    return all.length === 3 && all.every(({ status }) => status.role !== "leader" && status.leader === null) ? all : null;
  });
  stage.claim({ text: "Nobody leads.", holds: leaderless !== null, seen: inWords(await look(stage.nodes)) });
  await stage.sleep(3_000);
  const later = await look(stage.nodes);
  stage.claim({
    text: "The terms do not run away: with PreVote, whoever cannot win does not begin a term (diss. §9.6).",
    holds: later.length === 3 && later.every(({ status }) => status.term <= leader.status.term + 1),
    seen: inWords(later),
  });
  await heal(stage);
}

async function oldLeaderReturns(stage: Stage): Promise<void> {
  const { leader, others } = await begin(stage);
  const [writer] = others;
  if (writer === undefined) throw new CannotRun("Nobody follows.");
  stage.say(`Isolating ${leader.node.name}, and writing on both sides.`);
  await leader.node.fault({ kind: "isolate" });
  // Nobody can commit this now; it must not be lost either.
  const lonely = leader.node.append("(old leader) ").then(
    () => true,
    () => false,
  );
  const next = await wait(stage, () => agreedLeader(others));
  await writer.append("(new leader) ");
  const [apart] = await look([leader.node]);
  const [ahead] = await look([writer]);
  stage.claim({
    text: "The old leader's entry is in its log, and not committed.",
    holds: apart !== undefined && apart.status.lastLogIndex > apart.status.commitIndex,
    seen:
      apart === undefined
        ? "it does not answer"
        : `its log ends at ${apart.status.lastLogIndex}, committed through ${apart.status.commitIndex}`,
  });
  stage.claim({
    text: "The others have committed past it, in a later term.",
    holds: next !== null && ahead !== undefined && apart !== undefined && ahead.status.commitIndex > apart.status.commitIndex,
    seen: inWords(await look(others)),
  });
  stage.say("Healing: the old leader follows, and its tail gives way to what was committed.");
  await leader.node.fault({ kind: "heal" });
  const follows = await wait(stage, async () => {
    const [own] = await look([leader.node]);
    const [other] = await look([writer]);
    const caughtUp =
      own && other && own.status.commitIndex >= other.status.commitIndex && own.status.commitIndex === own.status.lastLogIndex;
    return caughtUp && own.status.role !== "leader" ? own : null;
  });
  stage.claim({
    text: "The old leader is a follower in the later term, and nothing in its log is uncommitted.",
    holds: follows !== null && follows.status.term > leader.status.term,
    seen: inWords(await look(stage.nodes)),
  });
  const kept = await Promise.race([lonely, stage.sleep(PATIENCE_MS).then(() => false)]);
  stage.claim({
    text: "What was written on the old leader is committed after all: it was asked for again.",
    holds: kept,
    seen: kept ? "the edit was acknowledged" : "the edit was not acknowledged",
  });
  await heal(stage);
}

export const SCENARIOS: readonly Scenario[] = [
  {
    key: "split",
    title: "Split the cluster",
    says: "The leader is cut off from the two others. They elect a new leader in a later term and go on; the old one steps down and commits nothing.",
    run: split,
  },
  {
    key: "kill",
    title: "Kill the leader while typing",
    says: "A follower types while the leader is killed. Another node leads; no word is lost; the killed node comes back from its disk.",
    run: killWhileTyping,
  },
  {
    key: "snapshot",
    title: "Slow follower needs a snapshot",
    says: "A follower is cut off while more is written than a log keeps. When it is back it gets a snapshot, since the entries that it lacks are gone.",
    run: slowFollower,
  },
  {
    key: "vote",
    title: "Split vote",
    says: "All three are cut off from each other. Nobody gets a majority, so nobody leads, and with PreVote no term begins in vain.",
    run: splitVote,
  },
  {
    key: "return",
    title: "Old leader returns",
    says: "A leader that was cut off has an entry that nobody else has. When it is back, its log gives way to the committed one, and the edit is asked for again.",
    run: oldLeaderReturns,
  },
];
