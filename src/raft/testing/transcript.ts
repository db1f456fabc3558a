/**
 * Transcripts: commands in, what happened out, line by line. `quietly` before a command hides its lines. A line that begins with `#` is
 * told again where it stands. The verbs are the keys of `verbs` below.
 */
import type { RaftConfig } from "../config.ts";
import { formatEntry, formatMessage, formatRole, formatState, formatUpdate } from "../format.ts";
import type { Entry, Generation, Message, NodeId } from "../types.ts";
import { Cluster, logOfTerms, type Stepped, type TestNode, testGeneration } from "./cluster.ts";

interface Command {
  readonly verb: string;
  /** Words without an equals sign. */
  readonly words: readonly string[];
  readonly options: ReadonlyMap<string, string>;
}

type Verb = (transcript: Transcript, command: Command) => void;

/** @throws AssertionFailed if a law is broken, Error if a line cannot be read */
export function runTranscript(commands: string): string {
  const transcript = new Transcript();
  for (const line of commands.split("\n")) transcript.run(line.trim());
  return transcript.output.join("\n");
}

class Transcript {
  readonly output: string[] = [];
  cluster = new Cluster();
  /** Copies of messages, to be sent again. */
  readonly kept = new Map<string, readonly Message[]>();
  #quiet = false;

  run(line: string): void {
    if (line === "") return;
    if (line.startsWith("#")) {
      if (this.output.length > 0) this.output.push("", line);
      return;
    }
    this.#quiet = line.startsWith("quietly ");
    this.output.push(`> ${line}`);
    const command = parse(this.#quiet ? line.slice("quietly ".length) : line);
    const verb = verbs[command.verb];
    if (!verb) throw new Error(`what is "${command.verb}"?`);
    verb(this, command);
  }

  say(text: string): void {
    if (!this.#quiet) this.output.push(text);
  }

  begin(config: Partial<RaftConfig>): void {
    this.cluster = new Cluster(config);
    this.cluster.listener = {
      stepped: (step) => this.#tellStep(step),
      sent: (message, fate) => this.say(`${formatMessage(message)}${fate === "waits" ? "" : " ✗"}`),
    };
  }

  #tellStep({ node, event, update, roleBefore }: Stepped): void {
    const roleAfter = formatRole(node.core);
    const lines = formatUpdate(node.id, update);
    if (roleBefore !== roleAfter) this.say(`${roleBefore} ⇨ ${roleAfter}`);
    for (const line of lines) this.say(line);
    const isIdle = roleBefore === roleAfter && lines.length === 0 && update.messages.length === 0;
    if (isIdle && event.kind === "receive" && isRequest(event.message))
      this.say(`${node.id} ignores ${formatMessage(event.message)}`);
  }
}

/** Answers are often without an echo; a request hardly ever. */
function isRequest(message: Message): boolean {
  return (
    message.kind !== "appendEntriesResponse" &&
    message.kind !== "requestVoteResponse" &&
    message.kind !== "leaderCheckResponse" &&
    message.kind !== "installSnapshotResponse"
  );
}

// ---- reading a line ----

function parse(line: string): Command {
  const [verb = "", ...rest] = line.split(/\s+/);
  const options = new Map<string, string>();
  const words: string[] = [];
  for (const word of rest) {
    const at = word.indexOf("=");
    if (at > 0) options.set(word.slice(0, at), word.slice(at + 1));
    else words.push(word);
  }
  return { verb, words, options };
}

function list(text: string | undefined): readonly string[] {
  return text ? text.split(",") : [];
}

const clusterWords = ["voters", "learners", "pristine"];

/** `preVote=off maxBatchBytes=10`: fields of the configuration. */
function configOf(options: ReadonlyMap<string, string>): Partial<RaftConfig> {
  const fields = [...options].filter(([field]) => !clusterWords.includes(field));
  return Object.fromEntries(
    fields.map(([field, value]) => [field, value === "on" ? true : value === "off" ? false : Number(value)]),
  );
}

// ---- the verbs ----

/** `cluster 3 [learners=n4] [pristine=n5] [config fields]` */
function beginCluster(transcript: Transcript, { words, options }: Command): void {
  transcript.begin(configOf(options));
  const count = Number(words[0] ?? 0);
  const voters = options.has("voters") ? list(options.get("voters")) : Array.from({ length: count }, (_, at) => `n${at + 1}`);
  if (voters.length > 0) transcript.cluster.addVoters(voters, list(options.get("learners")));
  for (const id of list(options.get("pristine"))) transcript.cluster.add(id);
}

/** `node n1 term=8 voters=n1,n2,n3 log=1,1,4 [votedFor=n2] [commit=3] [generation=2] [config fields]`: a node with a past. */
function addNode({ cluster }: Transcript, { words, options }: Command): void {
  const { term, voters, log, votedFor, commit, generation, ...config } = Object.fromEntries(options);
  cluster.add(
    words[0] ?? "",
    {
      hardState: { currentTerm: Number(term), votedFor: votedFor ?? null, generation: generationOf(generation) },
      entries: logOfTerms(list(log).map(Number), list(voters)),
      commitIndex: Number(commit ?? 0),
    },
    configOf(new Map(Object.entries(config))),
  );
}

function generationOf(number: string | undefined): Generation {
  return number === undefined ? testGeneration : { ...testGeneration, number: Number(number), id: number.repeat(32) };
}

function deliver({ cluster }: Transcript, { words }: Command): void {
  const [from, to] = ends(words);
  cluster.deliver(cluster.take(from, to));
}

function ends(words: readonly string[]): readonly [NodeId | null, NodeId | null] {
  return [words[0] === undefined || words[0] === "*" ? null : words[0], words[1] ?? null];
}

/** `partition n1 | n2 n3`: nothing passes between the sides. */
function partition({ cluster }: Transcript, { words }: Command): void {
  const sides = words
    .join(" ")
    .split(" | ")
    .map((side) => side.split(" "));
  for (const side of sides)
    for (const other of sides)
      if (side !== other) for (const from of side) for (const to of other) cluster.cut.add(`${from} ${to}`);
  cluster.waiting = cluster.waiting.filter(({ from, to }) => !cluster.cut.has(`${from} ${to}`));
}

function change({ cluster }: Transcript, { words, options }: Command): void {
  const expected = options.get("expected");
  cluster.change(
    words[0] ?? "",
    list(options.get("voters")),
    list(options.get("learners")),
    expected === undefined ? null : Number(expected),
  );
}

function initialize({ cluster }: Transcript, { words, options }: Command): void {
  const voters = list(options.get("voters"));
  const generation = generationOf(options.get("generation"));
  cluster.step(words[0] ?? "", { kind: "initialize", requestId: cluster.nextRequest(), voters, generation });
}

function propose({ cluster }: Transcript, { words: [id = "", ...commands], options }: Command): void {
  const ifTerm = options.get("ifTerm");
  if (ifTerm === undefined) cluster.propose(id, ...commands);
  else {
    const bytes = commands.map((command) => Uint8Array.from(command, (character) => character.charCodeAt(0)));
    cluster.step(id, { kind: "propose", requestId: cluster.nextRequest(), commands: bytes, ifTerm: Number(ifTerm) });
  }
}

function tellLog(transcript: Transcript, { words }: Command): void {
  for (const node of nodesOf(transcript, words)) {
    const { log, commitIndex } = node.core;
    const shown = log.entries.map((entry: Entry) => `${formatEntry(entry)}${entry.index <= commitIndex ? " ✓" : ""}`);
    transcript.say(`${node.id} has ${log.baseIndex > 0 ? `snapshot through ${log.baseIndex}, ` : ""}[${shown.join(", ")}]`);
  }
}

function tellState(transcript: Transcript, { words }: Command): void {
  for (const node of nodesOf(transcript, words)) transcript.say(node.down ? `${node.id} is down` : formatState(node.core));
}

function nodesOf({ cluster }: Transcript, ids: readonly string[]): readonly TestNode[] {
  return ids.length > 0 ? ids.map((id) => cluster.node(id)) : [...cluster.nodes.values()];
}

const verbs: { readonly [verb: string]: Verb } = {
  cluster: beginCluster,
  node: addNode,
  // What a person does.
  initialize,
  propose,
  read: ({ cluster }, { words: [id = ""] }) => cluster.read(id),
  change,
  continue: ({ cluster }, { words: [id = ""] }) => cluster.continueWithoutOthers(id),
  transfer: ({ cluster }, { words: [id = "", to] }) => cluster.transfer(id, to ?? null),
  snapshot: ({ cluster }, { words: [id = "", index], options }) =>
    cluster.snapshot(id, Number(index), Number(options.get("size") ?? 16)),
  // Time.
  timeout: ({ cluster }, { words: [id = ""] }) => cluster.timeout(id),
  /** `tick 500` moves every clock, `tick n1 500` one. */
  tick: ({ cluster }, { words }) => cluster.tick(Number(words.at(-1)), words.length > 1 ? words.slice(0, -1) : undefined),
  /** Time passes, and the node does not notice. */
  sleep: ({ cluster }, { words: [id = "", ms] }) => {
    cluster.node(id).now += Number(ms);
  },
  run: ({ cluster }, { words: [ms] }) => cluster.run(Number(ms)),
  elect: ({ cluster }, { words: [id = ""] }) => cluster.elect(id),
  // The network.
  deliver,
  settle: ({ cluster }) => cluster.settle(),
  drop: ({ cluster }, { words }) => cluster.take(...ends(words)),
  /** Copies what waits on a way under a name ... */
  keep: ({ cluster, kept }, { words: [from = null, to = null], options }) => {
    const isMeant = (message: Message): boolean => (from === null || message.from === from) && (to === null || message.to === to);
    kept.set(options.get("as") ?? "", cluster.waiting.filter(isMeant));
  },
  /** ... and delivers the copies. */
  replay: ({ cluster, kept }, { words: [name = ""] }) => cluster.deliver(kept.get(name) ?? []),
  partition,
  heal: ({ cluster }) => cluster.cut.clear(),
  peer: ({ cluster }, { words: [id = "", other = "", way] }) => cluster.step(id, { kind: "peer", id: other, up: way === "up" }),
  hint: ({ cluster }, { words: [id = "", other = ""], options }) => {
    const roundTripMs = options.has("roundTrip") ? Number(options.get("roundTrip")) : null;
    cluster.step(id, { kind: "hint", id: other, roundTripMs });
  },
  // The disk.
  slow: ({ cluster }, { words: [id = ""] }) => {
    cluster.node(id).fastDisk = false;
  },
  persist: ({ cluster }, { words: [id = "", count] }) => cluster.persist(id, count === undefined ? undefined : Number(count)),
  crash: ({ cluster }, { words: [id = ""] }) => cluster.crash(id),
  restart: ({ cluster }, { words: [id = ""] }) => cluster.restart(id),
  // Looking.
  state: tellState,
  log: tellLog,
};
