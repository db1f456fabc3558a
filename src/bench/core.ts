/**
 * How many entries a second the core and its driver commit: three in-memory nodes in one thread, 16-byte commands through the public `propose`
 * on the leader, so many of them in flight. The clock stops only when all three state machines have applied every one.
 */
import { createRaft, pristineHardState, step } from "../raft/mod.ts";
import type { Event } from "../raft/types.ts";
import { type MemoryCluster, type MemoryNode, startCluster } from "./memory-cluster.ts";
import { atLeast, inWords, machineOf, type Report, type Spread, spreadOf } from "./report.ts";

type Form = "session" | "idempotent";

interface Load {
  readonly inFlight: number;
  /** Entries of one repetition. */
  readonly entries: number;
  /** Entries a second, in the default form. */
  readonly target: number | null;
}

interface Figure {
  readonly form: Form;
  readonly inFlight: number;
  readonly entriesPerSecond: Spread;
  /** Of processor time, the collector's and the compiler's threads included: what other work on the machine takes away does not count. */
  readonly entriesPerCpuSecond: Spread;
  /** Per step of any of the three nodes, with everything that the driver, the disks and the links do for it. */
  readonly microsecondsPerTurn: Spread;
  readonly entriesPerStep: number;
}

interface Elapsed {
  readonly milliseconds: number;
  readonly cpuMilliseconds: number;
}

interface StepFigure {
  readonly inFlight: number;
  /** Of the core alone, on the leader. */
  readonly microsecondsPerStep: Spread;
}

const loads: readonly Load[] = [
  { inFlight: 1, entries: 40_000, target: 100_000 },
  { inFlight: 64, entries: 200_000, target: null },
  { inFlight: 1024, entries: 400_000, target: 1_000_000 },
];
const forms: readonly Form[] = ["session", "idempotent"];
const warmUps = 2;
const repetitions = 7;
const commandBytes = 16;

const pristine = { hardState: pristineHardState, snapshot: null, entries: [], firstIndex: 1, baseTerm: 0, commitIndex: 0 };

/** Distinct, made beforehand. */
const commands = Array.from({ length: 1024 }, (_, at) => {
  const command = new Uint8Array(commandBytes);
  new DataView(command.buffer).setUint32(0, at);
  return command;
});

/** So many callers, each of which proposes its next command when it has the outcome of the one before. */
async function load({ raft }: MemoryNode, form: Form, inFlight: number, entries: number): Promise<void> {
  const options = { idempotent: form === "idempotent" };
  let asked = 0;
  const caller = async (): Promise<void> => {
    while (asked < entries) {
      const command = commands[asked++ % commands.length];
      if (command) await raft.propose(command, options);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, caller));
}

/** Until the last of three nodes has applied the last entry. */
async function repetition(cluster: MemoryCluster, form: Form, { inFlight, entries }: Load): Promise<Elapsed> {
  const before = cluster.nodes.map(({ machine }) => machine.applied);
  const begun = performance.now();
  const cpuBegun = process.cpuUsage();
  const applied = Promise.all(cluster.nodes.map(({ machine }, at) => machine.reaches((before[at] ?? 0) + entries)));
  await load(cluster.leader, form, inFlight, entries);
  await applied;
  const milliseconds = performance.now() - begun;
  const cpu = process.cpuUsage(cpuBegun);
  for (const [at, { id, machine }] of cluster.nodes.entries()) {
    const count = machine.applied - (before[at] ?? 0);
    if (count !== entries) throw new Error(`node ${id} has applied ${count} of ${entries} entries`);
  }
  return { milliseconds, cpuMilliseconds: (cpu.user + cpu.system) / 1000 };
}

/** Lets timers have their turn: a repetition leaves them none. */
function breathe(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20));
}

async function measure(form: Form, load: Load): Promise<Figure> {
  let steps = 0;
  const cluster = await startCluster(() => {
    steps++;
  });
  const rates: number[] = [];
  const cpuRates: number[] = [];
  const turns: number[] = [];
  let measuredSteps = 0;
  for (let at = -warmUps; at < repetitions; at++) {
    await breathe();
    const stepsBefore = steps;
    const { milliseconds, cpuMilliseconds } = await repetition(cluster, form, load);
    if (at < 0) continue;
    rates.push((load.entries / milliseconds) * 1000);
    cpuRates.push((load.entries / cpuMilliseconds) * 1000);
    turns.push((milliseconds * 1000) / (steps - stepsBefore));
    measuredSteps += steps - stepsBefore;
  }
  cluster.stop();
  return {
    form,
    inFlight: load.inFlight,
    entriesPerSecond: spreadOf(rates),
    entriesPerCpuSecond: spreadOf(cpuRates),
    microsecondsPerTurn: spreadOf(turns),
    entriesPerStep: (load.entries * repetitions) / measuredSteps,
  };
}

/** Everything that the leader's core was told in one run, told to a core of its own again: the same events give the same steps. */
async function measureSteps({ inFlight, entries }: Load): Promise<StepFigure> {
  const events = new Map<string, Event[]>();
  const cluster = await startCluster((id, event) => {
    const told = events.get(id);
    if (told) told.push(event);
    else events.set(id, [event]);
  });
  await repetition(cluster, "session", { inFlight, entries: entries / 10, target: null });
  const core = cluster.leader.raft.core;
  const told = events.get(cluster.leader.id) ?? [];
  cluster.stop();
  if (!core) throw new Error("a node that has started has a core");
  const { id, config, commitIndex } = core;
  const seed = cluster.nodes.indexOf(cluster.leader) + 1;
  const times: number[] = [];
  for (let at = -warmUps; at < repetitions; at++) {
    const again = createRaft({ id, config, seed, now: core.startedAt, ...pristine });
    const begun = performance.now();
    for (const event of told) step(again, event);
    const milliseconds = performance.now() - begun;
    if (again.commitIndex !== commitIndex) throw new Error("the same events gave other steps");
    if (at >= 0) times.push((milliseconds * 1000) / told.length);
  }
  return { inFlight, microsecondsPerStep: spreadOf(times) };
}

function show(figures: readonly Figure[], steps: readonly StepFigure[]): void {
  const range = ({ median, min, max }: Spread): string =>
    `${inWords(median).padStart(11)}  ${`${inWords(min)} to ${inWords(max)}`.padEnd(24)}`;
  const heads = ["form".padEnd(11), "in flight".padStart(9), "entries/s".padStart(11), "from, to".padEnd(24)].join("  ");
  console.log(`\n${heads}  per CPU second  µs/turn`);
  for (const { form, inFlight, entriesPerSecond, entriesPerCpuSecond, microsecondsPerTurn } of figures) {
    const ends = `${inWords(entriesPerCpuSecond.median).padStart(14)}  ${inWords(microsecondsPerTurn.median).padStart(7)}`;
    console.log(`${form.padEnd(11)}  ${String(inFlight).padStart(9)}  ${range(entriesPerSecond)}  ${ends}`);
  }
  console.log(`\nthe leader's core alone, µs per step`);
  for (const { inFlight, microsecondsPerStep } of steps)
    console.log(`${String(inFlight).padStart(21)} ${range(microsecondsPerStep)}`);
  console.log("");
}

export async function coreBench(quiet: boolean): Promise<Report> {
  const throughput: Figure[] = [];
  const steps: StepFigure[] = [];
  for (const form of forms) for (const load of loads) throughput.push(await measure(form, load));
  for (const load of loads) steps.push(await measureSteps(load));
  if (!quiet) show(throughput, steps);
  const targets = loads.flatMap(({ inFlight, target }) => {
    const figure = throughput.find((other) => other.form === "session" && other.inFlight === inFlight);
    if (target === null || !figure) return [];
    return [atLeast(`entries per second, ${inFlight} in flight`, figure.entriesPerSecond.median, target)];
  });
  const figures = { commandBytes, nodes: 3, warmUps, repetitions, throughput, steps };
  return { name: "core", machine: machineOf(), figures, targets };
}
