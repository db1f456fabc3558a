/** How fast the log in IndexedDB is, in real Chromium on disk, beside the bare cost of the same bytes in the same run. */
import { atMost, inWords, type Report, type Spread, spreadOf } from "../report.ts";
import { type BenchTab, withBenchDevice } from "./bench-device.ts";
import { ENTRY_BYTES, type WritePlan, type WriteTimes } from "./storage-plan.ts";

const RATIO_MAX = 1.3;

const plans: readonly Omit<WritePlan, "durability">[] = [
  { batch: 1, writes: 100, rounds: 9 },
  { batch: 10, writes: 100, rounds: 9 },
  { batch: 100, writes: 50, rounds: 9 },
  { batch: 1000, writes: 20, rounds: 9 },
  { batch: 10_000, writes: 5, rounds: 9 },
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
    if (!quiet) show(writes);
    const targets = writes.map(({ durability, batch, ratio }) =>
      atMost(`${durability}, ${batch} entries a write, to the bare put`, ratio.median, RATIO_MAX),
    );
    const of = (pick: (figure: WriteFigure) => unknown) =>
      Object.fromEntries(writes.map((figure) => [`${figure.durability} ${figure.batch}`, pick(figure)]));
    return {
      name: "storage",
      machine: await device.machine(),
      figures: { entryBytes: ENTRY_BYTES, writes },
      floor: of(({ floor }) => floor),
      ratio: of(({ ratio }) => ratio),
      targets,
    };
  });
}
