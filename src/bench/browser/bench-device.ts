/**
 * A real Chromium on a real profile for a bench. A bench NAME that needs one has its Node side in `src/bench/browser/NAME.ts` (which is how
 * `npm run bench` knows that a browser and the built page are wanted) and is named in `src/bench/main.ts`. There are two ways to use it:
 *
 *   withBenchDevice("src/bench/browser/NAME-page.ts", async (device) => {   // a page of the bench's own, built here, with no policy;
 *     const tab = await device.open();                                       // it calls `expose` (expose.ts), here or in a worker
 *     const figure = await tab.call("measure", 1000);
 *     await device.restart();                                                // the browser is killed; another on the same profile
 *   });
 *
 * or the real page: `World.create(true)` of e2e/harness/world.ts with its verbs, and `world.end()` in a `finally`.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import type { Page } from "@playwright/test";
import { build } from "vite";
import { Device } from "../../../e2e/harness/device.ts";
import { nodePartsIn } from "../../../scripts/simple-peer-parts.mjs";
import { machineOf } from "../report.ts";

const TYPES: Readonly<Record<string, string>> = { ".js": "text/javascript", ".html": "text/html" };
/** With these the page's clock ticks in steps of 5 µs, else of 100. */
const HEADERS = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };
const PAGE = '<!doctype html><meta charset="utf-8"><title>bench</title><script type="module" src="bench.js"></script>';

export class BenchTab {
  constructor(readonly page: Page) {}

  /** Rejects with what the function threw. */
  async call<Result>(name: string, ...args: readonly unknown[]): Promise<Result> {
    const asked = { name, args };
    return (await this.page.evaluate(({ name: wanted, args: given }) => {
      if (globalThis.tabraftBench === undefined) throw new Error("the bench's page exposes nothing");
      return globalThis.tabraftBench(wanted, given);
    }, asked)) as Result;
  }
}

export class BenchDevice {
  constructor(
    private readonly device: Device,
    readonly url: string,
  ) {}

  /** A new tab on the bench's page, which has exposed its functions. */
  async open(): Promise<BenchTab> {
    const page = await this.device.newPage();
    page.on("pageerror", (error) => console.error(error));
    await page.goto(this.url);
    await page.waitForFunction(() => globalThis.tabraftBench !== undefined);
    return new BenchTab(page);
  }

  /** As after a crash: what the profile holds is read from the disk again. */
  async restart(): Promise<void> {
    await this.device.kill();
    await this.device.reopen();
  }

  /** For the report. */
  async machine(): Promise<string> {
    const page = await this.device.newPage();
    const version = page.context().browser()?.version() ?? "unknown";
    await page.close();
    return `${machineOf()}, Chromium ${version}, headless, profile on disk`;
  }
}

/** `entry`: the script of the page, from the project's folder. */
export async function withBenchDevice<Result>(entry: string, work: (device: BenchDevice) => Promise<Result>): Promise<Result> {
  const files = await mkdtemp(join(tmpdir(), "tabraft-bench-"));
  const ends: (() => Promise<unknown>)[] = [() => rm(files, { recursive: true, force: true })];
  try {
    await buildPage(entry, files);
    const server = await serve(files);
    ends.push(() => new Promise((resolve) => server.close(resolve)));
    const device = await Device.create(true);
    ends.push(() => device.remove());
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("the bench's server has no port");
    return await work(new BenchDevice(device, `http://localhost:${address.port}/`));
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

/** As the page is built: what is measured is what is shipped. */
async function buildPage(entry: string, outDir: string): Promise<void> {
  const output = { entryFileNames: "bench.js" };
  await build({
    configFile: false,
    logLevel: "warn",
    base: "./",
    publicDir: false,
    resolve: { alias: nodePartsIn(process.cwd()) },
    worker: { format: "es" },
    build: { outDir, emptyOutDir: false, target: "es2023", sourcemap: "inline", rolldownOptions: { input: entry, output } },
  });
}

function serve(directory: string): Promise<Server> {
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? "/", "http://localhost").pathname);
    const answer = path === "/" ? Promise.resolve(PAGE) : readFile(join(directory, path));
    answer.then(
      (body) => response.writeHead(200, { ...HEADERS, "Content-Type": TYPES[extname(path)] ?? "text/html" }).end(body),
      () => response.writeHead(404, HEADERS).end(),
    );
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => resolve(server));
  });
}
