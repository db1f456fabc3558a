/** How the page, the library (`--mode library`) and the units are built and run. */
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import manifest from "./package.json" with { type: "json" };
import { precacheManifest } from "./scripts/precache.mjs";
import { nodeParts } from "./scripts/simple-peer-parts.mjs";

// One page, one chunk: it is loaded once and then cached.
const page = {
  outDir: "dist",
  target: "es2023",
  sourcemap: true,
  chunkSizeWarningLimit: 1500,
  rolldownOptions: {
    input: { index: "index.html", "service-worker": "src/page/service-worker.ts" },
    // A service worker answers for the folder that it stands in.
    output: {
      entryFileNames: ({ name }: { readonly name: string }) =>
        name === "service-worker" ? "service-worker.js" : "assets/[name]-[hash].js",
    },
  },
};

const library = {
  outDir: "dist/lib",
  target: "es2023",
  sourcemap: true,
  copyPublicDir: false,
  lib: { entry: "src/index.ts", formats: ["es" as const], fileName: "tabraft" },
  // Whoever uses the library installs what it stands on.
  rolldownOptions: { external: Object.keys(manifest.dependencies).map((name) => new RegExp(`^${name}(/|$)`)) },
};

/** For Node: the benches. */
const script = { target: "node20", sourcemap: true };

export default defineConfig(({ mode, isSsrBuild }) => ({
  // The page may lie in any folder of any host.
  base: "./",
  plugins: [react(), precacheManifest()],
  worker: { format: "es" as const },
  resolve: isSsrBuild || mode === "test" ? {} : { alias: nodeParts },
  build: isSsrBuild ? script : mode === "library" ? library : page,
  // The worker is an entry of its own: what it imports must be ready before it is first loaded.
  optimizeDeps: { entries: ["index.html", "src/node/worker.ts"], include: ["simple-peer"] },
  server: {
    // The whole path: /signaling-server holds a module that the worker imports.
    proxy: { "^/signal$": { target: `ws://127.0.0.1:${process.env["TABRAFT_SIGNALING_PORT"] ?? "8080"}`, ws: true } },
  },
  test: {
    include: ["src/**/*.test.ts", "src/**/*.test.tsx", "signaling-server/**/*.test.ts", "scripts/**/*.test.ts"],
    environment: "node" as const,
    // A guard against hanging for ever; nothing waits by the clock.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
}));
