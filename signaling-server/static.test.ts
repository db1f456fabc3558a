import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createSignalingServer, type SignalingServer } from "./server.ts";

let folder: string;
let server: SignalingServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tabraft-static-"));
  const dist = join(folder, "dist");
  await mkdir(join(dist, "assets"), { recursive: true });
  await writeFile(join(folder, "secret.txt"), "not yours");
  await writeFile(join(dist, "index.html"), "<!doctype html><html><head><title>t</title></head></html>");
  await writeFile(join(dist, "assets", "node-B1x_.js"), "export {}");
  await writeFile(join(dist, "assets", "node-B1x_.js.br"), "brotli");
  await writeFile(join(dist, "assets", "node-B1x_.js.gz"), "gzip");
  await writeFile(join(dist, ".hidden"), "not yours");
  await symlink(join(folder, "secret.txt"), join(dist, "link.txt"));
  server = await createSignalingServer({ dist });
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

/** By hand, since fetch would tidy the path. */
function get(
  path: string,
  method = "GET",
  encodings = "",
): Promise<{ status: number | undefined; headers: NodeJS.Dict<string | string[]>; body: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        port: server.port,
        host: "127.0.0.1",
        path,
        method,
        agent: false,
        headers: encodings ? { "accept-encoding": encodings } : {},
      },
      (response) => {
        let body = "";
        response.on("data", (chunk) => {
          body += chunk;
        });
        response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, body }));
      },
    );
    asked.on("error", reject);
    asked.end();
  });
}

test("the page, its type and its policy", async () => {
  const page = await get("/");
  expect(page.status).toBe(200);
  expect(page.headers["content-type"]).toBe("text/html; charset=utf-8");
  const policy = String(page.headers["content-security-policy"]);
  expect(policy).toContain("script-src 'self';");
  expect(policy).not.toMatch(/unsafe|\*/);
  expect(policy).toContain(`connect-src 'self' ws://127.0.0.1:${server.port} wss://127.0.0.1:${server.port};`);
  const nonce = /'nonce-([^']+)'/.exec(policy)?.[1];
  expect(page.body).toContain(`<head><meta property="csp-nonce" nonce="${nonce}">`);
  expect(page.headers["referrer-policy"]).toBe("no-referrer");
  expect(page.headers["x-content-type-options"]).toBe("nosniff");
  expect(page.headers["cross-origin-opener-policy"]).toBe("same-origin");
  const again = await get("/?x=1");
  expect(again.body).not.toContain(nonce);
});

test("a script, cached for good since its name follows its content", async () => {
  const script = await get("/assets/node-B1x_.js");
  expect(script).toMatchObject({ status: 200, body: "export {}" });
  expect(script.headers["content-type"]).toBe("text/javascript; charset=utf-8");
  expect(script.headers["cache-control"]).toContain("immutable");
  expect(await get("/assets/node-B1x_.js", "HEAD")).toMatchObject({ status: 200, body: "" });
});

test.each([
  ["gzip, deflate, br, zstd", "br", "brotli"],
  ["gzip, br;q=0", "gzip", "gzip"],
  ["gzip;q=0.0, BR", "br", "brotli"],
  ["deflate", undefined, "export {}"],
])("a script compressed as the browser likes it: %s", async (accepted, encoding, body) => {
  const script = await get("/assets/node-B1x_.js", "GET", accepted);
  expect(script).toMatchObject({ status: 200, body });
  expect(script.headers["content-encoding"]).toBe(encoding);
  expect(script.headers["content-type"]).toBe("text/javascript; charset=utf-8");
  expect(script.headers["content-length"]).toBe(String(body.length));
  expect(script.headers["vary"]).toBe("Accept-Encoding");
});

test.each([
  "/../secret.txt",
  "/assets/../../secret.txt",
  "/%2e%2e/secret.txt",
  "/..%2fsecret.txt",
  "/..%5csecret.txt",
  "/assets/..\\..\\secret.txt",
  "//etc/passwd",
  "/link.txt",
  "/.hidden",
  "/assets",
  "/assets/",
  "/%00",
  "/%ff",
  "/%",
  "/nothing.js",
  `/${"a".repeat(5000)}`,
  "secret.txt",
])("nothing outside the folder, nothing hidden: %s", async (path) => {
  const answer = await get(path);
  expect([400, 404]).toContain(answer.status);
  expect(answer.body).not.toContain("not yours");
});
