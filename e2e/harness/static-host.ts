/** A host of files alone, as any web host is: it serves the built page from a folder of its own and knows nothing of signaling. */
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const DIST = process.env["TABRAFT_DIST"] || fileURLToPath(new URL("../../dist", import.meta.url));
const FOLDER = "/some/folder/";
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
};

export class StaticHost {
  private constructor(private readonly server: Server) {}

  static async start(): Promise<StaticHost> {
    const server = createServer((request, response) => {
      const path = new URL(request.url ?? "/", "http://host").pathname;
      const file = path.startsWith(FOLDER) ? join(DIST, normalize(`/${path.slice(FOLDER.length) || "index.html"}`)) : null;
      const found = file === null ? Promise.reject(new Error("elsewhere")) : readFile(file);
      found.then(
        (body) => response.writeHead(200, { "Content-Type": TYPES[extname(file ?? "")] ?? "application/octet-stream" }).end(body),
        () => response.writeHead(404).end(),
      );
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new StaticHost(server);
  }

  get url(): string {
    const address = this.server.address();
    if (address === null || typeof address === "string") throw new Error("The host is not listening.");
    return `http://localhost:${address.port}${FOLDER}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
