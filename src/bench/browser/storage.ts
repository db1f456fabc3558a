/** How fast the log in IndexedDB is, in real Chromium on disk, beside the bare cost of the same bytes in the same run. */
import { atMost, inWords, type Report, type Spread, spreadOf } from "../report.ts";
import { type BenchDevice, type BenchTab, withBenchDevice } from "./bench-device.ts";
import { ENTRY_BYTES, type WritePlan, type WriteTimes } from "./storage-plan.ts";

const RATIO_MAX = 1.3;
const RECOVERY_RATIO_MAX = 2;
const RECOVERY_TABS = 3;
const STARTS_PER_TAB = 5;

const plans: readonly Omit<WritePlan, "durability">[] = [
  { batch: 1, writes: 100, rounds: 9 },
  { batch: 10, writes: 100, rounds: 9 },
  { batch: 100, writes: 50, rounds: 9 },
  { batch: 1000, writes: 20, rounds: 9 },
  { batch: 10_000, writes: 8, rounds: 11 },
];

interface WriteFigure extends Pick<WritePlan, "durability" | "batch"> {
  /** Milliseconds of one write. */
  readonly storage: Spread;
  readonly floor: Spread;
  /** Of the rounds: what a round of writes took to what the round of bare puts beside it took. */
  readonly ratio: Spread;
}

async function measure(tab: BenchTab, plan: WritePlan): Promise<WriteFigure> {
  const times = await tab.call<WriteTimes>("measureWrites", plan);
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const ratios = times.storage.map((round, at) => sum(round) / sum(times.floor[at] ?? []));
  const { durability, batch } = plan;
  const each = (rounds: WriteTimes["floor"]) => spreadOf(rounds.flat());
  return { durability, batch, storage: each(times.storage), floor: each(times.floor), ratio: spreadOf(ratios) };
}

interface RecoveryFigure {
  readonly what: string;
  /** Milliseconds from the opening of the database to the last byte, once the program is compiled. */
  readonly storage: Spread;
  readonly floor: Spread;
  readonly ratio: Spread;
  /** The same in a tab that has just opened, while its program is still interpreted. */
  readonly firstInTab: { readonly storage: Spread; readonly floor: Spread };
}

interface RecoveryTime {
  readonly storage: number;
  readonly floor: number;
}

const recoveries = [
  { what: "100,000 entries in writes of 1000", prepare: ["prepareLog", 100_000, 1000] },
  { what: "100,000 entries in writes of 10", prepare: ["prepareLog", 100_000, 10] },
  { what: "a compacted document of 1 MB", prepare: ["prepareSnapshot", 1_000_000] },
] as const;

/** Some tabs, in each several starts; the arms are first in turn. */
async function measureRecovery(device: BenchDevice, { what, prepare }: (typeof recoveries)[number]): Promise<RecoveryFigure> {
  const [name, ...args] = prepare;
  const maker = await device.open();
  await maker.call(name, ...args);
  await maker.page.close();
  const cold: RecoveryTime[] = [];
  const warm: RecoveryTime[] = [];
  for (let tabs = 0; tabs < RECOVERY_TABS; tabs++) {
    const tab = await device.open();
    for (let at = 0; at < STARTS_PER_TAB; at++) {
      const first = (tabs + at) % 2 === 0 ? "storage" : "floor";
      (at === 0 ? cold : warm).push(await tab.call<RecoveryTime>("measureRecovery", first));
    }
    await tab.page.close();
  }
  const spread = (times: readonly RecoveryTime[], pick: (time: RecoveryTime) => number) => spreadOf(times.map(pick));
  const both = (times: readonly RecoveryTime[]) => ({
    storage: spread(times, (time) => time.storage),
    floor: spread(times, (time) => time.floor),
  });
  return { what, ...both(warm), ratio: spread(warm, (time) => time.storage / time.floor), firstInTab: both(cold) };
}

function showRecoveries(figures: readonly RecoveryFigure[]): void {
  console.log("recovery of                           start ms    bare ms   ratio  from, to");
  for (const { what, storage, floor, ratio, firstInTab: first } of figures) {
    const cells = [storage.median, floor.median, ratio.median].map((value) => inWords(value).padStart(9));
    console.log(`${what.padEnd(36)} ${cells.join("  ")}  ${inWords(ratio.min)} to ${inWords(ratio.max)}`);
    console.log(`  first in a tab: ${inWords(first.storage.median)} ms, bare ${inWords(first.floor.median)} ms`);
  }
  console.log("");
}

function show(figures: readonly WriteFigure[]): void {
  console.log("\ndurability    batch   write ms    bare ms   ratio  from, to");
  for (const { durability, batch, storage, floor, ratio } of figures) {
    const cells = [storage.median, floor.median].map((value) => inWords(value).padStart(9));
    const range = `${inWords(ratio.min)} to ${inWords(ratio.max)}`;
    console.log(
      `${durability.padEnd(10)}  ${String(batch).padStart(7)}  ${cells.join("  ")}  ${inWords(ratio.median).padStart(6)}  ${range}`,
    );
  }
  console.log("");
}

export async function storageBench(quiet: boolean): Promise<Report> {
  return await withBenchDevice("src/bench/browser/storage-page.ts", async (device) => {
    const writes: WriteFigure[] = [];
    const tab = await device.open();
    for (const durability of ["strict", "relaxed"] as const)
      for (const plan of plans) writes.push(await measure(tab, { ...plan, durability }));
    await tab.page.close();
    const starts: RecoveryFigure[] = [];
    for (const recovery of recoveries) starts.push(await measureRecovery(device, recovery));
    if (!quiet) show(writes);
    if (!quiet) showRecoveries(starts);
    const targets = [
      ...writes.map(({ durability, batch, ratio }) =>
        atMost(`${durability}, ${batch} entries a write, to the bare put`, ratio.median, RATIO_MAX),
      ),
      ...starts.map(({ what, ratio }) => atMost(`recovery of ${what}, to the bare read`, ratio.median, RECOVERY_RATIO_MAX)),
    ];
    const of = (pick: (figure: WriteFigure) => unknown) =>
      Object.fromEntries(writes.map((figure) => [`${figure.durability} ${figure.batch}`, pick(figure)]));
    return {
      name: "storage",
      machine: await device.machine(),
      figures: { entryBytes: ENTRY_BYTES, writes, starts },
      floor: of(({ floor }) => floor),
      ratio: of(({ ratio }) => ratio),
      targets,
    };
  });
}
