/** What every command needs of the machine: where the project is, child processes, one line of progress, a failure in words. */
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** Goes with node_modules, so that a new installation decides anew. */
export const cacheDir = join(root, "node_modules", ".cache", "tabraft");

/** Something that a person can mend: told as one sentence, without a stack. */
export class Failure extends Error {
  /** @override */
  name = "Failure";
}

/** @typedef {{ code: number, output: string, seconds: number }} Ended what became of a child; `output` is empty if it was shown */
/** @typedef {{ env?: Record<string, string | undefined>, show?: boolean, input?: boolean, quietMs?: number }} RunOptions */

/** @type {Set<import("node:child_process").ChildProcess>} */
const children = new Set();
let stopping = false;

/** True once a person or the system asked the command to end. */
export const isStopping = () => stopping;

// From a terminal a SIGINT reaches the children as well; sent to this process alone it does not. They get the time to end by
// themselves and are then told; this process ends when they have.
for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
  process.on(signal, () => {
    if (stopping || children.size === 0) process.exit(signal === "SIGINT" ? 130 : 143);
    stopping = true;
    setTimeout(
      () => {
        for (const child of children) child.kill("SIGTERM");
      },
      signal === "SIGINT" ? 300 : 0,
    );
  });
}

/**
 * Runs a program in the project's folder until it ends. Never throws for what the program does; one that cannot be started
 * ends with code 127. `show`: output goes straight to the person. `quietMs`: killed after so long without output (not with `show`).
 * @param {string} program
 * @param {readonly string[]} args
 * @param {RunOptions} [options]
 * @returns {Promise<Ended>}
 */
export function run(program, args, options = {}) {
  const started = performance.now();
  const output = options.show ? "inherit" : "pipe";
  const child = spawn(program, args, {
    cwd: root,
    env: { ...process.env, ...(options.show ? {} : { NO_COLOR: "1", FORCE_COLOR: undefined }), ...options.env },
    stdio: [options.input ? "inherit" : "ignore", output, output],
  });
  children.add(child);
  return new Promise((resolve) => {
    let text = "";
    /** @type {NodeJS.Timeout | undefined} */
    let silence;
    const listen = () => {
      clearTimeout(silence);
      if (options.quietMs !== undefined) silence = setTimeout(() => child.kill("SIGKILL"), options.quietMs);
    };
    const end = (/** @type {number} */ code) => {
      clearTimeout(silence);
      children.delete(child);
      resolve({ code, output: text, seconds: (performance.now() - started) / 1000 });
    };
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (chunk) => {
        text += chunk;
        listen();
      });
    }
    listen();
    child.on("error", (error) => {
      text += `${error.message}\n`;
      end(127);
    });
    child.on("close", (code) => end(code ?? 1));
  });
}

/**
 * Runs a tool of an installed package with this Node.
 * @param {string} packageName
 * @param {string} binName
 * @param {readonly string[]} args
 * @param {RunOptions} [options]
 */
export function runTool(packageName, binName, args, options) {
  const folder = join(root, "node_modules", packageName);
  const { bin } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return run(process.execPath, [join(folder, typeof bin === "string" ? bin : bin[binName]), ...args], options);
}

/**
 * Runs a TypeScript program of the project, with this Node.
 * @param {string} file
 * @param {readonly string[]} args
 * @param {RunOptions} [options]
 */
export function runTypeScript(file, args, options) {
  return run(process.execPath, ["--import", "tsx", file, ...args], options);
}

/** The signaling server's program; DIST, PORT and LOG_LEVEL are its own names. */
export const SIGNALING_SERVER = "signaling-server/main.ts";

/** @param {number} seconds */
export const inSeconds = (seconds) => `${seconds.toFixed(1)} s`;

/**
 * One line that says what goes on and, in the end, how long it took. On a terminal the seconds run.
 * @template Result
 * @param {string} title
 * @param {() => Promise<Result>} work
 * @returns {Promise<Result>}
 */
export async function withProgress(title, work) {
  const started = performance.now();
  const line = () => `${title} ... ${Math.round((performance.now() - started) / 1000)} s`;
  const terminal = process.stdout.isTTY;
  process.stdout.write(terminal ? line() : `${title} ... `);
  const running = terminal ? setInterval(() => process.stdout.write(`\r${line()}`), 1000) : undefined;
  try {
    return await work();
  } finally {
    clearInterval(running);
    process.stdout.write(terminal ? `\r${line()}\n` : `${inSeconds((performance.now() - started) / 1000)}\n`);
  }
}

/**
 * @param {string} name
 * @returns {Record<string, unknown> | null} what `remember` was given, or null
 */
export function recall(name) {
  try {
    return JSON.parse(readFileSync(join(cacheDir, `${name}.json`), "utf8"));
  } catch {
    // Absent or cut short: nothing is remembered, and the work is done again.
    return null;
  }
}

/**
 * @param {string} name
 * @param {Record<string, unknown>} value
 */
export function remember(name, value) {
  mkdirSync(cacheDir, { recursive: true });
  writeFileSync(join(cacheDir, `${name}.json`), JSON.stringify(value));
}
