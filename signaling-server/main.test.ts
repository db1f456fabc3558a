import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { createSignalingServer } from "./server.ts";
import { TestClient } from "./testing.ts";

const main = fileURLToPath(new URL("./main.ts", import.meta.url));

function run(environment: Record<string, string>): ChildProcess {
  return spawn(process.execPath, ["--import", "tsx", main], {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function outcome(child: ChildProcess): Promise<{ code: number | null; words: string }> {
  let words = "";
  child.stderr?.on("data", (chunk) => {
    words += chunk;
  });
  const [code] = await once(child, "close");
  return { code, words };
}

test("a port in use, or a bad one, gives one sentence and no stack", async () => {
  const server = await createSignalingServer();
  const inUse = await outcome(run({ PORT: String(server.port) }));
  expect(inUse.code).toBe(1);
  expect(inUse.words).toBe(
    `Port ${server.port} is in use: stop the other program, or choose another port with PORT=${server.port + 1}.\n`,
  );
  await server.close();
  expect(await outcome(run({ PORT: "many" }))).toEqual({
    code: 1,
    words: 'PORT must be a number from 0 to 65535, but it is "many".\n',
  });
});

test("SIGTERM ends it in good order", async () => {
  const child = run({ PORT: "0", LOG_LEVEL: "info" });
  if (child.stdout === null) throw new Error("The child's output is a pipe.");
  const [line] = await once(createInterface(child.stdout), "line");
  const { port, address } = JSON.parse(line);
  expect(address).toBe("127.0.0.1");
  const client = await TestClient.joined({ port, address, refused: () => 0, close: async () => undefined }, "a");
  child.kill("SIGTERM");
  expect((await client.hear("stopping")).retryMs).toBeLessThanOrEqual(5000);
  expect(await client.closed).toBe(1012);
  expect((await outcome(child)).code).toBe(0);
});
