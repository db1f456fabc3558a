/** The import table: which room may import what. The most specific line that fits a file holds for it. */

export interface Line {
  /** A folder or a single file. Files of one folder may always import each other. */
  readonly room: string;
  /** Folders and files. */
  readonly project: readonly string[];
  /** Folders and files of which only types may be taken. */
  readonly types?: readonly string[];
  /** Files that may be started as a worker. */
  readonly workers?: readonly string[];
  readonly packages: readonly string[];
  /** Names that alone may be taken from a package. */
  readonly names?: { readonly [packageName: string]: readonly string[] };
}

const NODE = "node:";
const VALIDATION = "valibot";

export const IMPORT_TABLE: readonly Line[] = [
  { room: "src/raft", project: [], packages: [] },
  {
    room: "src/document",
    project: [],
    packages: ["@codemirror/state", "@codemirror/collab"],
    // The rest of that package draws random numbers.
    names: { "@codemirror/collab": ["rebaseUpdates", "Update"] },
  },
  { room: "src/autopilot", project: ["src/raft"], packages: [] },
  { room: "src/driver", project: ["src/raft"], packages: [] },
  { room: "src/storage", project: ["src/raft", "src/driver/interfaces.ts"], packages: ["idb", VALIDATION] },
  {
    room: "src/network",
    project: ["src/raft", "src/driver/interfaces.ts", "signaling-server/protocol.ts"],
    packages: [VALIDATION],
  },
  {
    room: "src/node",
    project: ["src/raft", "src/document", "src/driver", "src/autopilot", "src/storage", "src/network"],
    packages: [],
  },
  {
    room: "src/page",
    project: ["src/node/protocol.ts"],
    types: ["src/document", "src/raft/types.ts"],
    workers: ["src/node"],
    packages: ["@codemirror/collab", "@codemirror/state", "simple-peer", "zustand", VALIDATION],
  },
  { room: "src/page/simple-peer", project: [], packages: ["events"] },
  { room: "src/page/service-worker.ts", project: [], packages: ["workbox-precaching"] },
  // Of a bridge both ends are tested together.
  { room: "src/page/channel-bridge.test.ts", project: ["src/page", "src/network"], packages: [] },
  {
    room: "src/view",
    project: ["src/page"],
    packages: [
      "react",
      "react-dom",
      "@codemirror/collab",
      "@codemirror/commands",
      "@codemirror/lang-markdown",
      "@codemirror/language",
      "@codemirror/search",
      "@codemirror/state",
      "@codemirror/view",
      "@lezer/highlight",
      "@base-ui/react",
      "@tanstack/react-virtual",
      "uplot",
      "uqr",
    ],
  },
  { room: "src/simulator", project: ["src/raft", "src/document", "src/driver", "src/autopilot"], packages: [] },
  { room: "src/simulator/main.ts", project: ["src/simulator", "src/raft"], packages: [NODE] },
  { room: "src/simulator/explore-main.ts", project: ["src/simulator"], packages: [NODE] },
  { room: "src/simulator/membership-main.ts", project: ["src/simulator"], packages: [NODE] },
  { room: "src/simulator/effects-main.ts", project: ["src/simulator"], packages: [NODE] },
  {
    room: "src/index.ts",
    project: ["src/raft", "src/driver", "src/autopilot", "src/storage", "src/network", "src/simulator"],
    packages: [],
  },
  { room: "src/pure.d.ts", project: [], packages: [] },
  { room: "src/main.tsx", project: ["src/page", "src/view"], packages: ["react", "react-dom"] },
  { room: "signaling-server", project: [], packages: ["ws", "prom-client", "pino", VALIDATION, NODE] },
  { room: "signaling-server/protocol.ts", project: [], packages: [VALIDATION] },
  { room: "scripts", project: [], packages: [NODE, "@playwright/test", "vite"] },
  {
    room: "vite.config.ts",
    project: ["package.json", "scripts/precache.mjs", "scripts/simple-peer-parts.mjs"],
    packages: ["vitest", "@vitejs/plugin-react"],
  },
];

/** These stand outside the product and may import anything. */
export const FREE_ROOMS: readonly string[] = ["src/bench", "e2e"];

/** Rooms that compute and nothing else: no clock, no chance, no host. */
export const PURE_ROOMS: readonly string[] = ["src/raft", "src/document", "src/autopilot", "src/driver", "src/simulator"];

/** A pure room's door to the command line. */
export const IMPURE_FILES: readonly string[] = [
  "src/simulator/main.ts",
  "src/simulator/explore-main.ts",
  "src/simulator/membership-main.ts",
  "src/simulator/effects-main.ts",
];

/** What a test may import beside what its room may, and what those rooms may in turn. */
export const TEST_PACKAGES: readonly string[] = ["vitest", "fast-check", "fake-indexeddb", "idb", "ws", NODE];

/** Parts made for tests may be used by every test: implementations in memory, fakes, contract suites. */
export const TEST_PARTS = /(^|\/)(memory|fake|contract|fault)[^/]*\.ts$|-contract\.ts$|\.test-kit\.ts$/;

/** Made of tests, or only for them: contract suites, and what several tests share. */
export const TEST_KITS = /(^|\/|-)contract\.ts$|\.test-kit\.ts$|\/testing\/|(^|\/|-)testing\.ts$/;

/** Real parts rather than imitations: any test may run against the server, and in virtual time. */
export const TEST_ROOMS: readonly string[] = ["signaling-server", "src/simulator"];
