/** The real signaling server with the built page, in this process, so that a test can stop it and start it again. */
import { existsSync } from "node:fs";
import { appendFile, cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createSignalingServer, type SignalingServer, type SignalingServerOptions } from "../../signaling-server/server.ts";

/** `TABRAFT_DIST` names another build than the usual one. */
const DIST = process.env["TABRAFT_DIST"] || fileURLToPath(new URL("../../dist", import.meta.url));

export class TestServer {
  #server: SignalingServer | null = null;
  #port = 0;
  #dist = DIST;

  static async start(): Promise<TestServer> {
    if (!existsSync(`${DIST}/index.html`))
      throw new Error("The page is not built: start the suite by `npm run e2e`, which builds it.");
    const server = new TestServer();
    await server.#listen({});
    return server;
  }

  /** Of the page; the same after a restart. */
  get url(): string {
    return `http://localhost:${this.#port}/`;
  }

  /** How often the server refused something for this reason since its last start. */
  refused(reason: Parameters<SignalingServer["refused"]>[0]): number {
    return this.#server?.refused(reason) ?? 0;
  }

  /** Nothing listens any more: no signaling, no page. */
  async stop(): Promise<void> {
    await this.#server?.close();
    this.#server = null;
  }

  /** Ends every signaling connection and takes no new one; the page is served all the same, so that further tabs can open. */
  async stopSignaling(): Promise<void> {
    await this.stop();
    await this.#listen({ maxSockets: 0 });
  }

  /** From now on a newer build of the page is served, which does the same. Undone by `removeBuild`. */
  async publishBuild(): Promise<void> {
    const dist = await mkdtemp(join(tmpdir(), "tabraft-build-"));
    await cp(DIST, dist, { recursive: true });
    await appendFile(join(dist, "service-worker.js"), "\n// newer\n");
    this.#dist = dist;
    await this.restart();
  }

  async removeBuild(): Promise<void> {
    if (this.#dist === DIST) return;
    await rm(this.#dist, { recursive: true });
    this.#dist = DIST;
  }

  /** Everything is back, on the same port. */
  async restart(): Promise<void> {
    await this.stop();
    await this.#listen({});
  }

  async #listen(limits: NonNullable<SignalingServerOptions["limits"]>): Promise<void> {
    this.#server = await createSignalingServer({ port: this.#port, dist: this.#dist, limits });
    this.#port = this.#server.port;
  }
}
