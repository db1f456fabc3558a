/** `npm run build`: the page into dist/ and the library into dist/lib/. `buildIfStale` does so only when a source has changed. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { Failure, recall, remember, root, runTool, withProgress } from "./process.mjs";
import { setUp } from "./setup.mjs";

/** Everything that the built page depends on. */
const INPUTS = [
  "index.html",
  "vite.config.ts",
  "tsconfig.base.json",
  "tsconfig.library.json",
  "package-lock.json",
  "public",
  "src",
  "signaling-server",
];
const PAGE = join(root, "dist", "index.html");
const ASSETS = join(root, "dist", "assets");
const LIBRARY_SOURCE = join(root, "src", "index.ts");
const LIBRARY = join(root, "dist", "lib", "tabraft.js");

/** One hash over the paths and contents of all inputs but the tests. */
function fingerprint() {
  const hash = createHash("sha256");
  const files = INPUTS.flatMap((input) => {
    const path = join(root, input);
    if (!existsSync(path)) return [];
    const inside = readdirSync(root, { withFileTypes: true })
      .find((entry) => entry.name === input)
      ?.isDirectory();
    if (!inside) return [path];
    return readdirSync(path, { withFileTypes: true, recursive: true })
      .filter((entry) => entry.isFile() && !/\.test\.tsx?$/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name));
  });
  for (const file of files.sort()) hash.update(`${file}\0`).update(readFileSync(file)).update("\0");
  return hash.digest("hex");
}

/** Beside each script and style sheet its compressed forms, made once with the most effort, for the server to send. */
function compress() {
  for (const name of readdirSync(ASSETS).filter((file) => /\.(js|css)$/.test(file))) {
    const content = readFileSync(join(ASSETS, name));
    const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: content.length };
    writeFileSync(join(ASSETS, `${name}.br`), brotliCompressSync(content, { params }));
    writeFileSync(join(ASSETS, `${name}.gz`), gzipSync(content, { level: 9 }));
  }
}

/**
 * Builds everything. On failure the result holds the failing output.
 * @returns {Promise<import("./process.mjs").Ended>}
 */
export async function build() {
  const stamp = fingerprint();
  const page = await runTool("vite", "vite", ["build", "--logLevel", "warn"]);
  if (page.code !== 0) return page;
  compress();
  const parts = [page];
  if (existsSync(LIBRARY_SOURCE)) {
    rmSync(join(root, "dist", "lib"), { recursive: true, force: true });
    parts.push(await runTool("vite", "vite", ["build", "--mode", "library", "--logLevel", "warn"]));
    parts.push(await runTool("typescript", "tsc", ["-p", "tsconfig.library.json"]));
  }
  const failed = parts.find((part) => part.code !== 0);
  if (failed === undefined) remember("build", { stamp });
  const seconds = parts.reduce((sum, part) => sum + part.seconds, 0);
  return { code: failed?.code ?? 0, output: parts.map((part) => part.output).join(""), seconds };
}

/** Whether dist/ is what the sources make. */
export function isFresh() {
  if (!existsSync(PAGE) || (existsSync(LIBRARY_SOURCE) && !existsSync(LIBRARY))) return false;
  return recall("build")?.["stamp"] === fingerprint();
}

/** Builds unless dist/ is fresh. */
export async function buildIfStale() {
  if (isFresh()) return;
  const { code, output } = await withProgress("Building the page", build);
  if (code !== 0) throw new Failure(`The page could not be built:\n${output.trim()}`);
}

/** @returns {Promise<number>} */
export default async function main() {
  await setUp();
  const { code, output } = await withProgress("Building", build);
  if (output.trim() !== "") process.stdout.write(`${output.trim()}\n`);
  return code;
}
