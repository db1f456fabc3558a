/** Holds the project to its rules of tidiness. Beside each rule stands what breaks it, so that the rule is known to be able to fail. */
import { describe, expect, test } from "vitest";
import { cycles, type Finding, outsideTable, simplePeerOutsidePeers, withoutExtension } from "./imports.ts";
import {
  anys,
  impurities,
  invisibleCharacters,
  lockedAddresses,
  lockedGaps,
  longFile,
  longFunctions,
  looseEnds,
  MAX_FILE_LINES,
  MAX_FUNCTION_LINES,
  machinePaths,
  oddNames,
  unopened,
  unsettledTests,
  waitsByTheClock,
} from "./rules.ts";
import { parseSource, readSources, readText, type SourceFile, writtenFiles } from "./source.ts";

/** What may break a rule for now, and why. A line that is not needed any more fails as well. */
const RATCHET: readonly { readonly path: string; readonly words: string; readonly reason: string }[] = [];

const sources = readSources();
const texts = writtenFiles().filter((path) => /\.(tsx?|mjs|cjs|json|css|html|md|svg|yml|sh)$|\.ci\/run$/.test(path));

function isAllowed(finding: Finding): boolean {
  return RATCHET.some(({ path, words }) => finding.startsWith(`${path}:`) && finding.includes(words));
}

function expectNone(findings: readonly Finding[]): void {
  expect(findings.filter((finding) => !isAllowed(finding))).toEqual([]);
}

interface Sample {
  readonly path: string;
  readonly text: string;
}
const at = (path: string, text: string): Sample => ({ path, text });
const lines = (count: number) => "  f();\n".repeat(count);

const named = (samples: readonly Sample[]) =>
  samples.map((one) => ({ ...one, title: `${one.path}: ${one.text.slice(0, 80).trim()}` }));

interface Rule {
  readonly title: string;
  readonly find: (source: SourceFile) => readonly Finding[];
  readonly bad: readonly Sample[];
  readonly good: readonly Sample[];
}

const RULES: readonly Rule[] = [
  {
    title: "each room imports what the table lets it",
    find: outsideTable,
    bad: [
      at("src/raft/a.ts", 'import { x } from "../driver/b.ts";'),
      at("src/raft/a.ts", 'import type { x } from "../driver/b.ts";'),
      at("src/raft/a.ts", 'export * from "idb";'),
      at("src/raft/a.ts", 'const x = import("node:fs");'),
      at("src/raft/a.ts", 'let x: import("../view/b.ts").B;'),
      at("src/raft/a.ts", 'import { x } from "./a.test.ts";'),
      at("src/raft/a.test.ts", 'import { x } from "../page/store.ts";'),
      at("src/raft/a.test.ts", 'import { x } from "react";'),
      at("src/document/a.ts", 'import { collab } from "@codemirror/collab";'),
      at("src/document/a.ts", 'import * as all from "@codemirror/collab";'),
      at("src/storage/a.ts", 'import { Raft } from "../driver/raft.ts";'),
      at("src/page/a.ts", 'import { apply } from "../document/apply.ts";'),
      at("src/page/a.ts", 'new Worker(new URL("../driver/worker.ts", import.meta.url));'),
      at("src/view/a.tsx", 'import { x } from "../node/protocol.ts";'),
      at("signaling-server/protocol.ts", 'import { x } from "./server.ts";'),
      at("src/elsewhere/a.ts", ""),
    ],
    good: [
      at("src/raft/a.ts", 'import { x } from "./b.ts";'),
      at("src/raft/a.test.ts", 'import { test } from "vitest"; import { x } from "../network/memory-network.ts";'),
      at("src/document/a.ts", 'import { rebaseUpdates, type Update } from "@codemirror/collab";'),
      at("src/storage/a.ts", 'import { StorageFailed } from "../driver/interfaces.ts";'),
      at("src/page/a.ts", 'import type { ChangesJson } from "../document/types.ts";'),
      at("src/page/a.ts", 'new Worker(new URL("../node/worker.ts", import.meta.url));'),
      at("src/view/a.tsx", 'import "./a.css"; import { x } from "../page/store.ts";'),
      at("e2e/a.spec.ts", 'import { x } from "../src/node/protocol.ts";'),
    ],
  },
  {
    title: "simple-peer is imported in one file",
    find: simplePeerOutsidePeers,
    bad: [at("src/page/other.ts", 'import Peer from "simple-peer/simplepeer.min.js";')],
    good: [at("src/page/peers.ts", 'import Peer from "simple-peer/simplepeer.min.js";')],
  },
  {
    title: "imports between files carry the extension",
    find: withoutExtension,
    bad: [at("src/raft/a.ts", 'import { x } from "./b";')],
    good: [at("src/raft/a.ts", 'import { x } from "./b.ts"; import y from "z";')],
  },
  {
    title: "pure rooms have no clock, no chance, no host and no await",
    find: impurities,
    bad: [
      at("src/raft/a.ts", "const x = Date.now();"),
      at("src/raft/a.ts", "function f(at: Date) {}"),
      at("src/driver/a.ts", "const x = Math.random();"),
      at("src/driver/a.ts", "const x = { performance };"),
      at("src/driver/a.ts", "async function f() {}"),
      at("src/document/a.ts", "const f = (t: string[]) => t.sort((a, b) => a.localeCompare(b));"),
      at("src/simulator/a.ts", "setTimeout(() => {}, 1);"),
      at("src/autopilot/a.ts", "const x = crypto.randomUUID();"),
    ],
    good: [
      at("src/raft/a.ts", "// Date\nconst x = { process: 1, Date: 2 }; f(x.process, 'Date', Math.max(1, 2));"),
      at("src/raft/a.test.ts", "const x = Date.now();"),
      at("src/storage/a.ts", "const x = Date.now();"),
      at("src/simulator/main.ts", "const x = process.argv;"),
    ],
  },
  {
    title: "a function fits on a screen",
    find: longFunctions,
    bad: [
      at("src/raft/a.ts", `function f() {\n${lines(MAX_FUNCTION_LINES)}}`),
      at("src/raft/a.ts", `class A {\n  f() {\n${lines(MAX_FUNCTION_LINES)}}}`),
      at("src/raft/a.test.ts", `test("a", () => {\n${lines(MAX_FUNCTION_LINES)}});`),
    ],
    good: [
      at("src/raft/a.ts", `function f() {\n${lines(MAX_FUNCTION_LINES - 2)}}`),
      at("src/raft/a.test.ts", `describe("a", () => {\n${lines(MAX_FUNCTION_LINES)}});`),
    ],
  },
  {
    title: "a file can be read in one go",
    find: longFile,
    bad: [at("src/raft/a.ts", lines(MAX_FILE_LINES + 1))],
    good: [at("src/raft/a.ts", lines(MAX_FILE_LINES))],
  },
  {
    title: "nothing is any",
    find: anys,
    bad: [at("src/raft/a.ts", "let x: any;"), at("src/raft/a.ts", "f(x as any);"), at("scripts/a.mjs", "/** @param {any} x */")],
    good: [at("src/raft/a.ts", "/** Takes any number. */\nlet any: unknown;")],
  },
  {
    title: "every test runs",
    find: unsettledTests,
    bad: [
      at("src/raft/a.test.ts", 'test.skip("a", () => {});'),
      at("src/raft/a.test.ts", 'describe.only("a", () => {});'),
      at("src/raft/a.test.ts", 'it.skipIf(true)("a", () => {});'),
      at("e2e/a.spec.ts", 'test.describe.only("a", () => {});'),
      at("e2e/a.spec.ts", "test.fixme();"),
    ],
    good: [at("src/raft/a.test.ts", 'test.each([1])("a", () => {}); list.skip(1);')],
  },
  {
    title: "nothing waits by the clock",
    find: waitsByTheClock,
    bad: [at("e2e/a.spec.ts", "await page.waitForTimeout(1);")],
    good: [at("e2e/a.spec.ts", "await page.waitForFunction(f);")],
  },
  {
    title: "each file opens with what it is for",
    find: unopened,
    bad: [at("src/raft/a.ts", "const x = 1; // one"), at("src/raft/a.ts", "const x = 1;")],
    good: [
      at("src/raft/a.test.ts", "const x = 1;"),
      at("src/raft/a.ts", "/** One. */\nconst x = 1;"),
      at("src/raft/a.ts", "#!/usr/bin/env node\n// One.\nconst x = 1;"),
    ],
  },
  {
    title: "no loose ends",
    find: looseEnds,
    bad: [at("src/raft/a.ts", `// ${"TO"}DO: finish`), at("src/raft/a.ts", `// ${"@ts"}-ignore`)],
    good: [at("src/raft/a.ts", "// To do this, look there.")],
  },
  {
    title: "names are ASCII",
    find: oddNames,
    bad: [at("src/raft/a.ts", "const v\u043ete = 1;")],
    good: [at("src/raft/a.ts", 'const vote = "\u00e9";')],
  },
];

describe.each(RULES)("$title", ({ find, bad, good }) => {
  test("everywhere", () => expectNone(sources.flatMap(find)));
  test.each(named(bad))("and not with: $title", ({ path, text }) => expect(find(parseSource(path, text))).not.toEqual([]));
  test.each(named(good))("but with: $title", ({ path, text }) => expect(find(parseSource(path, text))).toEqual([]));
});

describe("no file imports itself in the end", () => {
  test("everywhere", () => expectNone(cycles(sources)));
  test("and not with a ring of three", () => {
    const ring = [
      parseSource("src/raft/a.ts", 'import "./b.ts";'),
      parseSource("src/raft/b.ts", 'import type { C } from "./c.ts"; import "./d.ts";'),
      parseSource("src/raft/c.ts", 'export * from "./a.ts";'),
      parseSource("src/raft/d.ts", ""),
    ];
    expect(cycles(ring)).toEqual([
      "src/raft/a.ts:1 imports itself: src/raft/a.ts > src/raft/b.ts > src/raft/c.ts > src/raft/a.ts",
    ]);
    expect(cycles(ring.slice(0, 2))).toEqual([]);
  });
});

describe("texts", () => {
  test("hold no invisible characters", () => {
    expectNone(texts.flatMap((path) => invisibleCharacters(path, readText(path))));
    expect(invisibleCharacters("a.md", "one\ntw\u200bo")).toEqual(["a.md:2 holds U+200b"]);
    expect(invisibleCharacters("a.md", "caf\u00e9")).toEqual([]);
  });
  test("name no path of one machine", () => {
    expectNone(texts.flatMap((path) => machinePaths(path, readText(path))));
    expect(machinePaths("a.md", ["see ", "home", "me", "x"].join("/"))).not.toEqual([]);
    expect(machinePaths("a.md", "see src/work/me and https://a.example/home/me")).toEqual([]);
  });
  test("of the lock file hold no addresses", () => {
    expectNone(lockedAddresses("package-lock.json", readText("package-lock.json")));
    expect(lockedAddresses("package-lock.json", '{"packages":{"a":{"resolved":"https://a.example/a.tgz"}}}')).not.toEqual([]);
  });
  test("of the lock file leave no machine out", () => {
    expectNone(lockedGaps("package-lock.json", readText("package-lock.json")));
    const other = '"optionalDependencies":{"@a/other":"1.0.0"}';
    expect(lockedGaps("package-lock.json", `{"packages":{"node_modules/a":{${other}}}}`)).not.toEqual([]);
    expect(lockedGaps("package-lock.json", `{"packages":{"node_modules/a":{${other}},"node_modules/@a/other":{}}}`)).toEqual([]);
  });
});

test("each exception is still needed", () => {
  const found = [...RULES.flatMap(({ find }) => sources.flatMap(find)), ...cycles(sources)];
  const idle = RATCHET.filter(({ path, words }) => !found.some((one) => one.startsWith(`${path}:`) && one.includes(words)));
  expect(idle).toEqual([]);
});
