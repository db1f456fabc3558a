/** Runs the signaling server as configured by the environment, until SIGTERM or SIGINT. See README.md beside this file. */
import { pino } from "pino";
import { createSignalingServer } from "./server.ts";
import { BadSetting, readSettings, type Settings } from "./settings.ts";

/** A mistake of the person who started it: told in one sentence, without a stack. */
function fail(sentence: string): never {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}

function explain(error: unknown, host: string, port: number): string {
  const code = error instanceof Error && "code" in error ? error.code : null;
  if (code === "EADDRINUSE")
    return `Port ${port} is in use: stop the other program, or choose another port with PORT=${port + 1}.`;
  if (code === "EACCES") return `Port ${port} may not be used without more rights: choose one above 1023 with PORT.`;
  if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND") return `HOST "${host}" is not an address of this machine.`;
  return `The server could not start: ${error instanceof Error ? error.message : String(error)}`;
}

function settingsOrExit(): Settings {
  try {
    return readSettings(process.env);
  } catch (error) {
    if (error instanceof BadSetting) fail(error.message);
    throw error;
  }
}

const { level, ...settings } = settingsOrExit();
const log = pino({ level });
const server = await createSignalingServer({ ...settings, log }).catch((error: unknown) =>
  fail(explain(error, settings.host, settings.port)),
);

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
