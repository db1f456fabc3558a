/** `npm start`: set-up and build if needed, then the page and its signaling on one port until Ctrl-C. */
import { buildIfStale } from "./build.mjs";
import { answers, freePort, wantedPort } from "./ports.mjs";
import { isStopping, runTypeScript, SIGNALING_SERVER } from "./process.mjs";
import { setUp } from "./setup.mjs";

/** @returns {Promise<number>} */
export default async function main() {
  const port = wantedPort(8080);
  await freePort(port, "npm start");
  await setUp();
  await buildIfStale();
  const env = { PORT: String(port), DIST: "dist", LOG_LEVEL: process.env["LOG_LEVEL"] ?? "warn" };
  const server = runTypeScript(SIGNALING_SERVER, [], { env, show: true });
  const { HOST: host = "127.0.0.1" } = process.env;
  const asked = host === "0.0.0.0" || host === "127.0.0.1" || host === "::" ? "localhost" : host;
  if (await answers(`http://${asked === "localhost" ? "127.0.0.1" : asked}:${port}/healthz`, server)) {
    process.stdout.write(`\n  tabraft is at http://${asked}:${port}/\n  Ctrl-C stops it; documents stay in the browsers.\n\n`);
  }
  const { code } = await server;
  return isStopping() ? 0 : code;
}
