/**
 * Finds the Chromium for the tests: the one that CHROMIUM_PATH names, else Playwright's own, else its download, else an installed
 * one, else Debian's package. What was found is remembered, so that a download that cannot be reached is tried once.
 */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { Failure, recall, remember, run, runTool, withProgress } from "./process.mjs";

const INSTALLED_NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const INSTALLED_PATHS = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];
/** A download that stands still this long is given up. */
const SILENCE_MS = 60_000;
const isRoot = process.getuid?.() === 0;

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    // Absent or not ours to run: the same for this purpose.
    return false;
  }
}

/**
 * Whether it starts at all: a downloaded Chromium may lack the system's libraries.
 * @param {string} path
 */
async function starts(path) {
  return isExecutable(path) && (await run(path, ["--version"], { quietMs: 20_000 })).code === 0;
}

async function ownPath() {
  const { chromium } = await import("@playwright/test");
  return chromium.executablePath();
}

async function downloaded() {
  const path = await ownPath();
  const download = await runTool("@playwright/test", "playwright", ["install", "chromium", "--no-shell"], {
    env: { PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT: "5000" },
    quietMs: SILENCE_MS,
  });
  if (download.code !== 0) return null;
  if (await starts(path)) return path;
  if (isRoot) await runTool("@playwright/test", "playwright", ["install-deps", "chromium"], { quietMs: 5 * SILENCE_MS });
  return (await starts(path)) ? path : null;
}

async function installed() {
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  const candidates = [...INSTALLED_NAMES.flatMap((name) => folders.map((folder) => join(folder, name))), ...INSTALLED_PATHS];
  for (const path of candidates) if (await starts(path)) return path;
  return null;
}

async function fromPackage() {
  if (!isRoot || !(await hasApt())) return null;
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  await run("apt-get", ["update", "-q"], { env, quietMs: 5 * SILENCE_MS });
  await run("apt-get", ["install", "-q", "-y", "--no-install-recommends", "chromium"], { env, quietMs: 5 * SILENCE_MS });
  return installed();
}

async function hasApt() {
  return (await run("apt-get", ["--version"])).code === 0;
}

async function find() {
  const own = await ownPath();
  if (await starts(own)) return own;
  return (await downloaded()) ?? (await installed()) ?? (await fromPackage());
}

/**
 * The path of a Chromium that starts. Needs the packages.
 * @returns {Promise<string>}
 */
export async function browserPath() {
  const wish = process.env["CHROMIUM_PATH"];
  if (wish !== undefined && wish !== "") {
    if (await starts(wish)) return wish;
    throw new Failure(`CHROMIUM_PATH is ${wish}, and no Chromium starts there.`);
  }
  const own = await ownPath();
  const known = recall("browser");
  if (known?.["own"] === own && typeof known["path"] === "string" && isExecutable(known["path"])) return known["path"];
  const path = await withProgress("Looking for a browser", find);
  if (path === null) {
    throw new Failure(
      "The tests need a Chromium, and none could be downloaded or found: install one (Debian: `apt-get install chromium`), or set CHROMIUM_PATH to its path.",
    );
  }
  // Beside the path, Playwright's own: a new Playwright asks again.
  remember("browser", { own, path });
  return path;
}
