/** Set-up of the packages: nothing to do, or one `npm ci`. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Failure, root, run, withProgress } from "./process.mjs";

/** @typedef {{ version?: string, optional?: boolean, devOptional?: boolean, link?: boolean }} Locked */

/**
 * @param {string} path
 * @returns {Record<string, Locked>}
 */
function lockedPackages(path) {
  return JSON.parse(readFileSync(path, "utf8")).packages;
}

/** Whether what npm wrote down after its last complete installation is what package-lock.json asks for. */
function isInstalled() {
  const wanted = lockedPackages(join(root, "package-lock.json"));
  /** @type {Record<string, Locked>} */
  let present;
  try {
    present = lockedPackages(join(root, "node_modules", ".package-lock.json"));
  } catch {
    // No node_modules, or an installation that was cut off.
    return false;
  }
  // An optional package that is absent is one for another machine.
  const complete = Object.entries(wanted).every(([path, { version, optional, devOptional }]) =>
    path in present ? present[path]?.version === version : path === "" || optional || devOptional,
  );
  return complete && Object.keys(present).every((path) => path in wanted);
}

/** @param {string} output */
function whyNot(output) {
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT/.test(output)) {
    return "The npm registry cannot be reached: look at the network connection, and at `npm config get registry`, then try again.";
  }
  if (/ENOSPC/.test(output)) return "There is no space left on the disk for the packages.";
  if (/EACCES|EPERM|EROFS/.test(output)) return `The folder ${root} cannot be written to, so the packages cannot be installed.`;
  const lines = output.split("\n").filter((line) => /^npm error \S/.test(line) && !/^npm error (code|A complete log)/.test(line));
  return `The packages could not be installed; \`npm ci\` said:\n${lines.slice(0, 8).join("\n") || output.trim()}`;
}

/** Installs the packages if they are missing or not those of package-lock.json. */
export async function setUp() {
  if (isInstalled()) return;
  const npm = process.env["npm_execpath"];
  const args = [
    "ci",
    "--include=dev",
    "--no-progress",
    "--loglevel=error",
    "--fetch-retry-mintimeout=1000",
    "--fetch-retry-maxtimeout=5000",
  ];
  const isScript = npm !== undefined && /npm-cli\.c?js$/.test(npm);
  const install = () =>
    isScript ? run(process.execPath, [npm, ...args]) : run(process.platform === "win32" ? "npm.cmd" : "npm", args);
  const { code, output } = await withProgress("Installing packages", install);
  if (code !== 0) throw new Failure(whyNot(output));
}
