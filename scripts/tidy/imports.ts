/** The rules on imports: the table, and no cycles. */
import type { Import, SourceFile } from "./source.ts";
import { FREE_ROOMS, IMPORT_TABLE, type Line, TEST_KITS, TEST_PACKAGES, TEST_PARTS, TEST_ROOMS } from "./table.ts";

/** What is wrong, and where: `path:line words`. */
export type Finding = string;

export function isTest(path: string): boolean {
  return /\.test\.tsx?$/.test(path);
}

/** Contract suites and test kits are made of tests, and import what tests do. */
export function isTestLike(path: string): boolean {
  return isTest(path) || TEST_KITS.test(path);
}

export function lies(path: string, rooms: readonly string[]): boolean {
  return rooms.some((room) => path === room || path.startsWith(`${room}/`));
}

function lineFor(path: string): Line | null {
  const fitting = IMPORT_TABLE.filter(({ room }) => lies(path, [room]));
  return fitting.toSorted((a, b) => b.room.length - a.room.length)[0] ?? null;
}

/** The rooms that a room may import, and those that they may, and so on. */
function below(line: Line): readonly string[] {
  const found = new Set<string>();
  const queue = [line];
  for (const { project, types = [], workers = [] } of queue) {
    for (const target of [...project, ...types, ...workers]) {
      if (found.has(target)) continue;
      found.add(target);
      const next = lineFor(target);
      if (next !== null) queue.push(next);
    }
  }
  return [...found];
}

function mayImportFile(path: string, line: Line, { file, typeOnly, worker }: Import): boolean {
  if (file === null) return true;
  const home = line.room.replace(/\/[^/]*\.tsx?$/, "");
  if (worker) return lies(file, [home, ...(line.workers ?? [])]);
  if (isTest(file)) return false;
  if (line.room === home && lies(file, [home])) return true;
  if (/\.css$/.test(file)) return lies(file, [home]);
  if (lies(file, line.project) || (typeOnly && lies(file, line.types ?? []))) return true;
  return isTestLike(path) && (TEST_PARTS.test(file) || lies(file, [...TEST_ROOMS, ...below(line)]));
}

function mayImportPackage(path: string, line: Line, { package: name, names }: Import): boolean {
  if (name === null) return true;
  const allowedNames = line.names?.[name];
  if (allowedNames !== undefined && !isTestLike(path) && !names.every((one) => allowedNames.includes(one))) return false;
  return line.packages.includes(name) || (isTestLike(path) && TEST_PACKAGES.includes(name));
}

export function outsideTable(source: SourceFile): readonly Finding[] {
  const { path, imports } = source;
  if (lies(path, FREE_ROOMS)) return [];
  const line = lineFor(path);
  if (line === null) return [`${path}:1 is in no room of the import table`];
  return imports
    .filter((one) => !mayImportFile(path, line, one) || !mayImportPackage(path, line, one))
    .map((one) => `${path}:${one.line} ${line.room} may not import ${one.specifier} (${one.names.join(", ")})`);
}

export function simplePeerOutsidePeers({ path, imports }: SourceFile): readonly Finding[] {
  return imports
    .filter((one) => one.package === "simple-peer" && path !== "src/page/peers.ts" && !isTest(path) && !path.endsWith(".d.ts"))
    .map((one) => `${path}:${one.line} only src/page/peers.ts imports simple-peer`);
}

/** Between files of the project, the extension is part of the name. */
export function withoutExtension({ path, imports }: SourceFile): readonly Finding[] {
  return imports
    .filter(({ file }) => file !== null && !/\.(tsx?|mjs|cjs|css|json)$/.test(file))
    .map((one) => `${path}:${one.line} ${one.specifier} lacks its extension`);
}

/** Each cycle once, as the files on it. */
export function cycles(sources: readonly SourceFile[]): readonly Finding[] {
  const targets = new Map(
    sources.map(({ path, imports }) => [path, imports.flatMap((one) => (one.file === null || one.worker ? [] : [one.file]))]),
  );
  const done = new Set<string>();
  const found: Finding[] = [];
  const visit = (path: string, trail: readonly string[]) => {
    const at = trail.indexOf(path);
    if (at >= 0) {
      found.push(`${path}:1 imports itself: ${[...trail.slice(at), path].join(" > ")}`);
      return;
    }
    if (done.has(path)) return;
    for (const target of targets.get(path) ?? []) visit(target, [...trail, path]);
    done.add(path);
  };
  for (const path of targets.keys()) visit(path, []);
  return found;
}
