/** Which port to use, and whether it is free: asked before the slow work, so that the answer comes at once. */
import { createServer } from "node:net";
import { Failure } from "./process.mjs";

/**
 * The port that PORT names.
 * @param {number} usual
 */
export function wantedPort(usual) {
  const text = process.env["PORT"] ?? "";
  if (text === "") return usual;
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535)
    throw new Failure(`PORT must be a number from 1 to 65535, and it is "${text}".`);
  return port;
}

/**
 * Resolves if something could listen there now; 0 asks for any free port. Returns the port.
 * @param {number} port
 * @param {string} command what to type, for the sentence
 * @returns {Promise<number>}
 */
export function freePort(port, command) {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error) => {
      const code = "code" in error ? error.code : null;
      const other = port < 1024 ? 8080 : port === 65_535 ? port - 1 : port + 1;
      const trouble =
        code === "EADDRINUSE" ? "is in use" : code === "EACCES" ? "needs more rights" : `cannot be used (${error.message})`;
      reject(new Failure(`Port ${port} ${trouble}. Try PORT=${other} ${command}.`));
    });
    server.listen(port, process.env["HOST"] ?? "127.0.0.1", () => {
      const address = server.address();
      const bound = address !== null && typeof address === "object" ? address.port : port;
      server.close(() => resolve(bound));
    });
  });
}

/**
 * Resolves true once the address answers, false if `ended` comes first.
 * @param {string} url
 * @param {Promise<unknown>} ended
 */
export async function answers(url, ended) {
  let over = false;
  void ended.then(() => {
    over = true;
  });
  while (!over) {
    try {
      if ((await fetch(url)).ok) return true;
    } catch {
      // Not listening yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}
