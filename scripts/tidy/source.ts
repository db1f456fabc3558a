/** Reads the project's own source files, as far as the rules of tidiness need to understand them. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { parseSync } from "vite";

/** Any node of the syntax tree. */
export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

export interface Import {
  readonly specifier: string;
  /** Path from the project's root, if it is one of its files. */
  readonly file: string | null;
  /** Name of the package, `node:` for all of Node's own. */
  readonly package: string | null;
  /** What is taken by name; `*` for a namespace or a re-export of everything. */
  readonly names: readonly string[];
  readonly typeOnly: boolean;
  /** Started as a worker, not imported: `new URL("...", import.meta.url)`. */
  readonly worker: boolean;
  readonly line: number;
}

export interface SourceFile {
  /** From the project's root, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly program: SyntaxNode;
  readonly comments: readonly { readonly start: number; readonly value: string }[];
  readonly imports: readonly Import[];
  lineOf(offset: number): number;
}

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const SOURCE_FOLDERS = ["src", "signaling-server", "e2e", "scripts"];
const GENERATED = new Set([
  "node_modules",
  "dist",
  ".git",
  "test-results",
  "playwright-report",
  "coverage",
  "screenshots",
  ".cache",
]);

/** Every file that a person wrote, as path from the root. */
export function writtenFiles(folder = ""): readonly string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    if (GENERATED.has(entry.name)) return [];
    const path = posix.join(folder, entry.name);
    if (entry.isDirectory()) return writtenFiles(path);
    return entry.isFile() ? [path] : [];
  });
}

export function readText(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

/** All code of the project, tests included. */
export function readSources(): readonly SourceFile[] {
  const isSource = (path: string) =>
    /\.(ts|tsx|mjs|cjs)$/.test(path) && (!path.includes("/") || SOURCE_FOLDERS.some((folder) => path.startsWith(`${folder}/`)));
  return writtenFiles()
    .filter(isSource)
    .map((path) => parseSource(path, readText(path)));
}

/** Throws if the text is not what its name says. */
export function parseSource(path: string, text: string): SourceFile {
  const parsed = parseSync(path, text);
  const [error] = parsed.errors;
  if (error !== undefined) throw new Error(`${path}: ${error.message}`);
  const lineOf = (offset: number) => text.slice(0, offset).split("\n").length;
  const program = parsed.program as unknown as SyntaxNode;
  const imports = [...walk(program)].flatMap((node) => {
    const found = importOf(node);
    return found === null ? [] : [{ ...found, ...resolve(path, found.specifier), line: lineOf(node.start) }];
  });
  return { path, text, program, comments: parsed.comments, imports, lineOf };
}

export function isNode(value: unknown): value is SyntaxNode {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}

/** The node and all below it, parents first. */
export function* walk(node: SyntaxNode): Generator<SyntaxNode> {
  yield node;
  for (const child of childrenOf(node)) yield* walk(child);
}

export function childrenOf(node: SyntaxNode): readonly SyntaxNode[] {
  return Object.values(node)
    .flatMap((value) => (Array.isArray(value) ? value : [value]))
    .filter(isNode);
}

/** The name of an identifier, else `null`. */
export function nameOf(value: unknown): string | null {
  return isNode(value) && value.type.endsWith("Identifier") && typeof value["name"] === "string" ? value["name"] : null;
}

type Found = Pick<Import, "specifier" | "names" | "typeOnly" | "worker">;

function importOf(node: SyntaxNode): Found | null {
  const specifier = literalOf(node["source"]);
  switch (node.type) {
    case "ImportDeclaration":
    case "ExportNamedDeclaration": {
      if (specifier === null) return null;
      const parts = (Array.isArray(node["specifiers"]) ? node["specifiers"] : []).filter(isNode);
      const kind = node["importKind"] ?? node["exportKind"];
      const typeOnly =
        kind === "type" || (parts.length > 0 && parts.every((part) => (part["importKind"] ?? part["exportKind"]) === "type"));
      return { specifier, names: parts.map(importedName), typeOnly, worker: false };
    }
    case "ExportAllDeclaration":
      return specifier === null ? null : { specifier, names: ["*"], typeOnly: node["exportKind"] === "type", worker: false };
    case "ImportExpression":
      return specifier === null ? null : { specifier, names: ["*"], typeOnly: false, worker: false };
    case "TSImportType":
      return specifier === null ? null : { specifier, names: ["*"], typeOnly: true, worker: false };
    case "NewExpression":
      return workerOf(node);
    default:
      return null;
  }
}

function importedName(part: SyntaxNode): string {
  if (part.type === "ImportDefaultSpecifier") return "default";
  if (part.type === "ImportNamespaceSpecifier") return "*";
  return nameOf(part["imported"] ?? part["local"]) ?? literalOf(part["imported"] ?? part["local"]) ?? "*";
}

function workerOf(node: SyntaxNode): Found | null {
  const [address, base] = Array.isArray(node["arguments"]) ? node["arguments"] : [];
  const specifier = literalOf(address);
  const isOfModule = isNode(base) && base.type === "MemberExpression" && nameOf(base["property"]) === "url";
  if (nameOf(node["callee"]) !== "URL" || specifier === null || !isOfModule || !/\.tsx?$/.test(specifier)) return null;
  return { specifier, names: [], typeOnly: false, worker: true };
}

function literalOf(value: unknown): string | null {
  return isNode(value) && value.type === "Literal" && typeof value["value"] === "string" ? value["value"] : null;
}

function resolve(from: string, specifier: string): Pick<Import, "file" | "package"> {
  if (/^\.\.?\//.test(specifier)) return { file: posix.join(posix.dirname(from), specifier.replace(/\?.*$/, "")), package: null };
  if (specifier.startsWith("node:")) return { file: null, package: "node:" };
  const [first = "", second = ""] = specifier.split("/");
  return { file: null, package: first.startsWith("@") ? `${first}/${second}` : first };
}
