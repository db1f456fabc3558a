/** Runs the signaling server as configured by the environment, until SIGTERM or SIGINT. See README.md beside this file. */
import { pino } from "pino";
import { createSignalingServer } from "./server.ts";

/** A mistake of the person who started it: told in one sentence, without a stack. */
function fail(sentence: string): never {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}

function readPort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) fail(`PORT must be a number from 0 to 65535, but it is "${text}".`);
  return port;
}

function readLevel(text: string): string {
  const levels = ["silent", "fatal", "error", "warn", "info", "debug", "trace"];
  if (!levels.includes(text)) fail(`LOG_LEVEL must be one of ${levels.join(", ")}, but it is "${text}".`);
  return text;
}

function explain(error: unknown, host: string, port: number): string {
  const code = error instanceof Error && "code" in error ? error.code : null;
  if (code === "EADDRINUSE")
    return `Port ${port} is in use: stop the other program, or choose another port with PORT=${port + 1}.`;
  if (code === "EACCES") return `Port ${port} may not be used without more rights: choose one above 1023 with PORT.`;
  if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND") return `HOST "${host}" is not an address of this machine.`;
  return `The server could not start: ${error instanceof Error ? error.message : String(error)}`;
}

const port = readPort(process.env["PORT"] ?? "8080");
const host = process.env["HOST"] ?? "127.0.0.1";
const log = pino({ level: readLevel(process.env["LOG_LEVEL"] ?? "info") });
const origins = process.env["ALLOWED_ORIGINS"] ?? "";

const server = await createSignalingServer({
  port,
  host,
  dist: process.env["DIST"] ?? null,
  allowedOrigins: origins.split(",").flatMap((origin) => origin.trim() || []),
  log,
}).catch((error: unknown) => fail(explain(error, host, port)));

log.info({ address: server.address, port: server.port }, "listening");

let stopping = false;
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.on(signal, () => {
    // The second request is from somebody who will not wait.
    if (stopping) process.exit(1);
    stopping = true;
    void server.close().then(() => {
      log.info("stopped");
      process.exit(0);
    });
  });
}
