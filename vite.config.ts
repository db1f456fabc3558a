import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [react()],
  worker: { format: "es" },
  build: { outDir: "dist", target: "es2023", sourcemap: true },
  optimizeDeps: { include: ["simple-peer/simplepeer.min.js"] },
  test: {
    include: ["src/**/*.test.ts", "src/**/*.test.tsx", "signaling-server/**/*.test.ts", "scripts/**/*.test.ts"],
    environment: "node",
  },
});
