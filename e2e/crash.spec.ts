/**
 * A tab writes its log, and its process, or the whole browser, is killed from one instruction to the next, again and again, on one profile on
 * a real disk. `TABRAFT_KILLS` says how often (10), `TABRAFT_SEED` what is written and when it dies.
 */
import type { Page } from "@playwright/test";
import { show } from "../src/storage/contract-tools.ts";
import { bundle, openBare } from "./harness/bundle.ts";
import { type Found, modelAfter } from "./harness/crash-writer.ts";
import type { Device } from "./harness/device.ts";
import { rendererPid } from "./harness/processes.ts";
import { expect, test } from "./harness/test.ts";

declare global {
  interface Window {
    crashWriter: typeof import("./harness/crash-writer.ts");
    acknowledged: (step: number) => void;
  }
}

const KILLS = Number(process.env["TABRAFT_KILLS"] ?? 10);
const SEED = Number(process.env["TABRAFT_SEED"] ?? 1);
/** Milliseconds from the first write of a life to its end, at most. */
const LIFE_MS_MAX = 250;
/** What was acknowledged just before the end, nobody may have heard. */
const UNHEARD_STEPS_MAX = 400;

interface Run {
  readonly content: string;
  /** The highest step that was heard to be acknowledged. */
  acknowledged: number;
}

/** Step numbers after which the disk may look as it does, if any. */
function stepFor(found: Found, acknowledged: number): number | null {
  for (let step = acknowledged; step <= acknowledged + UNHEARD_STEPS_MAX; step++) {
    if (show(modelAfter(SEED, step)) === found.shown) return step;
  }
  return null;
}

async function openWriter(device: Device, run: Run, step: number): Promise<{ readonly page: Page; readonly found: Found }> {
  const page = await device.newPage();
  await page.exposeFunction("acknowledged", (done: number) => {
    run.acknowledged = Math.max(run.acknowledged, done);
  });
  await openBare(page, "http://crash.localhost", run.content);
  const found = await page.evaluate((create) => window.crashWriter.open(create), step === 0 && run.acknowledged === 0);
  return { page, found };
}

/** The tab's process, or the browser's, at a random moment while it writes. */
async function killWhileWriting(device: Device, page: Page, step: number, kill: number): Promise<void> {
  const whole = kill % 5 === 4;
  const pid = whole ? null : await rendererPid(page);
  const first = page.evaluate(
    ({ seed, from }) =>
      new Promise<void>((resolve) => {
        const acknowledged = (done: number) => {
          resolve();
          window.acknowledged(done);
        };
        window.crashWriter.write(seed, from, acknowledged).catch((error: unknown) => console.error(String(error)));
      }),
    { seed: SEED, from: step },
  );
  await first;
  await new Promise((resolve) => setTimeout(resolve, ((kill * 7919 + SEED * 104_729) % 1000) * (LIFE_MS_MAX / 1000)));
  if (pid === null) {
    await device.kill();
    await device.reopen();
    return;
  }
  const crashed = page.waitForEvent("crash");
  process.kill(pid, "SIGKILL");
  await crashed;
  await page.close();
}

test(`after each of ${KILLS} kills at random moments: every acknowledged write is there, no term or vote goes back, and the log has no gap`, async ({
  world,
}) => {
  test.setTimeout(60_000 + KILLS * 10_000);
  const run: Run = { content: await bundle("e2e/harness/crash-writer.ts", "crashWriter"), acknowledged: 0 };
  let step = 0;
  let unheard = 0;
  for (let kill = 0; kill <= KILLS; kill++) {
    const { page, found } = await openWriter(world.device, run, kill);
    expect(found.failure, `life ${kill}, after step ${run.acknowledged}`).toBeNull();
    const now = stepFor(found, run.acknowledged);
    const expected = show(modelAfter(SEED, run.acknowledged));
    if (now === null)
      throw new Error(`life ${kill}: after step ${run.acknowledged} the disk holds\n${found.shown}\nnot\n${expected}`);
    if (now > run.acknowledged) unheard += 1;
    step = now;
    run.acknowledged = now;
    if (kill < KILLS) await killWhileWriting(world.device, page, step, kill);
  }
  console.log(`${KILLS} kills, ${step} writes; after ${unheard} kills the disk held more than was heard of`);
  expect(step).toBeGreaterThan(KILLS);
});
