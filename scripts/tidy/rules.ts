/** The rules on what stands in a file. Each takes a file and returns what is wrong with it. */
import { type Finding, isTest, isTestLike, lies } from "./imports.ts";
import { childrenOf, nameOf, type SourceFile, type SyntaxNode, walk } from "./source.ts";
import { IMPURE_FILES, PURE_ROOMS } from "./table.ts";

export const MAX_FUNCTION_LINES = 70;
export const MAX_FILE_LINES = 400;
/** Outside the product: a list, or many tests of one part, may be longer. */
export const MAX_OUTER_FILE_LINES = 500;

/** Clocks, chance, hosts and what differs from place to place. */
const BANNED_IN_PURE_ROOMS = new Set(
  `Date performance crypto setTimeout setInterval setImmediate clearTimeout clearInterval queueMicrotask requestAnimationFrame
  fetch localStorage sessionStorage indexedDB navigator globalThis process console require Buffer Intl Temporal WeakRef
  FinalizationRegistry structuredClone`.split(/\s+/),
);
const BANNED_MEMBERS = /^(localeCompare|toLocale\w+)$/;
const UNSETTLED_TESTS = /^(only|skip|skipIf|runIf|todo|fixme|fails|fail)$/;

function finding({ path, lineOf }: SourceFile, node: { readonly start: number }, words: string): Finding {
  return `${path}:${lineOf(node.start)} ${words}`;
}

/** Names that stand for a value or a type, and not for a member or a key. */
function* freeNames(node: SyntaxNode): Generator<SyntaxNode> {
  if (node.type === "Identifier") yield node;
  const isPlain = node["computed"] !== true;
  for (const child of childrenOf(node)) {
    if (isPlain && node.type === "MemberExpression" && child === node["property"]) continue;
    if (isPlain && "key" in node && child === node["key"] && node["shorthand"] !== true) continue;
    yield* freeNames(child);
  }
}

export function impurities(source: SourceFile): readonly Finding[] {
  if (!lies(source.path, PURE_ROOMS) || IMPURE_FILES.includes(source.path) || isTestLike(source.path)) return [];
  const names = [...freeNames(source.program)].filter((node) => BANNED_IN_PURE_ROOMS.has(nameOf(node) ?? ""));
  const others = [...walk(source.program)].flatMap((node) => {
    const member = node.type === "MemberExpression" ? (nameOf(node["property"]) ?? "") : "";
    if (BANNED_MEMBERS.test(member)) return [{ node, name: member }];
    if (member === "random" && nameOf(node["object"]) === "Math") return [{ node, name: "Math.random" }];
    if (node.type === "AwaitExpression" || node["async"] === true || node["await"] === true) return [{ node, name: "await" }];
    return [];
  });
  return [...names.map((node) => ({ node, name: nameOf(node) })), ...others].map(({ node, name }) =>
    finding(source, node, `${name} in a pure room`),
  );
}

function isSuite(node: SyntaxNode): boolean {
  const { callee } = node;
  const name =
    nameOf(callee) ?? (typeof callee === "object" && callee !== null && "property" in callee ? nameOf(callee.property) : null);
  return node.type === "CallExpression" && name === "describe";
}

export function longFunctions(source: SourceFile): readonly Finding[] {
  const suites = new Set([...walk(source.program)].filter(isSuite).flatMap(childrenOf));
  return [...walk(source.program)].flatMap((node) => {
    if (!/^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type) || suites.has(node)) return [];
    const lines = source.lineOf(node.end) - source.lineOf(node.start) + 1;
    return lines > MAX_FUNCTION_LINES ? [finding(source, node, `a function of ${lines} lines`)] : [];
  });
}

export function longFile({ path, text }: SourceFile): readonly Finding[] {
  const lines = text.trimEnd().split("\n").length;
  const most = isTestLike(path) || lies(path, ["scripts"]) ? MAX_OUTER_FILE_LINES : MAX_FILE_LINES;
  return lines > most ? [`${path}:1 a file of ${lines} lines`] : [];
}

export function anys(source: SourceFile): readonly Finding[] {
  const types = [...walk(source.program)].filter((node) => node.type === "TSAnyKeyword");
  const documented = source.comments.filter(({ value }) => /@\w+ \{[^}]*\bany\b[^}]*\}/.test(value));
  return [...types, ...documented].map((node) => finding(source, node, "any"));
}

/** A test that does not run, or that keeps others from running. */
export function unsettledTests(source: SourceFile): readonly Finding[] {
  if (!isTest(source.path) && !/\.spec\.ts$/.test(source.path)) return [];
  return [...walk(source.program)].flatMap((node) => {
    const member = node.type === "MemberExpression" ? (nameOf(node["property"]) ?? "") : "";
    const [first] = node.type === "MemberExpression" ? [...freeNames(node)] : [];
    const isOfTest = ["test", "it", "describe", "suite"].includes(nameOf(first) ?? "");
    return isOfTest && UNSETTLED_TESTS.test(member) ? [finding(source, node, `a test with .${member}`)] : [];
  });
}

export function waitsByTheClock(source: SourceFile): readonly Finding[] {
  return [...walk(source.program)]
    .filter((node) => node.type === "MemberExpression" && nameOf(node["property"]) === "waitForTimeout")
    .map((node) => finding(source, node, "waits by the clock: wait for a condition"));
}

/** Tests are exempt: their titles say it. */
export function unopened({ path, text, comments, program }: SourceFile): readonly Finding[] {
  if (isTest(path)) return [];
  const [first] = comments;
  const before = text.slice(0, first?.start ?? text.length).replace(/^#!.*\n/, "");
  const body = Array.isArray(program["body"]) ? program["body"] : [];
  if (body.length === 0 && first === undefined) return [];
  return before.trim() === "" && first !== undefined ? [] : [`${path}:1 does not open with a comment that says what it is for`];
}

/** Switched-off checks, and notes of work that is not done. */
export function looseEnds(source: SourceFile): readonly Finding[] {
  return source.comments
    .filter(({ value }) => /@ts-(ignore|nocheck|expect-error)|\b(TODO|FIXME|XXX|HACK)\b/.test(value))
    .map((comment) => finding(source, comment, "a loose end"));
}

export function oddNames(source: SourceFile): readonly Finding[] {
  return [...walk(source.program)].flatMap((node) => {
    const name = nameOf(node);
    return name !== null && !/^[\w$-]+$/.test(name) ? [finding(source, node, "a name with letters beyond ASCII")] : [];
  });
}

/** For every text of the project, code or not: characters that cannot be seen or that turn the line around. */
export function invisibleCharacters(path: string, text: string): readonly Finding[] {
  return text.split("\n").flatMap((line, at) => {
    const hidden = /[\u00a0\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff]/u.exec(line)?.[0];
    return hidden === undefined ? [] : [`${path}:${at + 1} holds U+${hidden.codePointAt(0)?.toString(16).padStart(4, "0")}`];
  });
}

/** A path that exists on one machine alone. */
export function machinePaths(path: string, text: string): readonly Finding[] {
  const places = /(?<![\w.~-])(\/(home|Users|root|tmp|mnt|work|workspace|private|var\/folders)\/\w|[A-Z]:\\Users\\)/;
  return text.split("\n").flatMap((line, at) => (places.test(line) ? [`${path}:${at + 1} names a path of one machine`] : []));
}

interface Locked {
  readonly resolved?: string;
  readonly optionalDependencies?: { readonly [name: string]: string };
}

function lockedPackages(text: string): readonly [string, Locked][] {
  return Object.entries((JSON.parse(text) as { readonly packages: { readonly [path: string]: Locked } }).packages);
}

/** The lock file names versions and hashes; where they come from is the installer's registry. */
export function lockedAddresses(path: string, text: string): readonly Finding[] {
  return lockedPackages(text).flatMap(([name, { resolved }]) =>
    resolved === undefined ? [] : [`${path}:1 ${name} has an address`],
  );
}

/** What is meant for other machines must stand in the lock file too, or `npm ci` refuses it everywhere. */
export function lockedGaps(path: string, text: string): readonly Finding[] {
  const packages = lockedPackages(text);
  const present = new Set(packages.map(([place]) => place.replace(/^.*node_modules\//, "")));
  const wanted = packages.flatMap(([, { optionalDependencies }]) => Object.keys(optionalDependencies ?? {}));
  return wanted.filter((name) => !present.has(name)).map((name) => `${path}:1 lacks ${name}`);
}
