/** `npm run dev`: the page by Vite with hot reload (PORT, default 5173), and a signaling server behind it. */
import { freePort, wantedPort } from "./ports.mjs";
import { isStopping, runTool, runTypeScript, SIGNALING_SERVER } from "./process.mjs";
import { setUp } from "./setup.mjs";

/** @returns {Promise<number>} */
export default async function main() {
  const port = await freePort(wantedPort(5173), "npm run dev");
  await setUp();
  const signalingPort = String(await freePort(0, "npm run dev"));
  const signaling = runTypeScript(SIGNALING_SERVER, [], {
    env: { PORT: signalingPort, HOST: "127.0.0.1", LOG_LEVEL: process.env["LOG_LEVEL"] ?? "warn" },
    show: true,
  });
  const vite = runTool("vite", "vite", ["--port", String(port), "--strictPort"], {
    env: { TABRAFT_SIGNALING_PORT: signalingPort },
    show: true,
    input: true,
  });
  const { code } = await Promise.race([signaling, vite]);
  // Either is of no use without the other.
  if (!isStopping()) process.kill(process.pid, "SIGTERM");
  await Promise.all([signaling, vite]);
  return isStopping() ? 0 : code;
}
