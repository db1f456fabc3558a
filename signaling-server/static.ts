/** Serves the built page from one folder, with the headers that keep it from doing anything it was not written to do. */
import { randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, realpath, stat } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname, join, sep } from "node:path";

const MIME_TYPES: ReadonlyMap<string, string> = new Map([
  [".html", "text/html; charset=utf-8"],
  [".js", "text/javascript; charset=utf-8"],
  [".mjs", "text/javascript; charset=utf-8"],
  [".css", "text/css; charset=utf-8"],
  [".json", "application/json; charset=utf-8"],
  [".map", "application/json; charset=utf-8"],
  [".webmanifest", "application/manifest+json; charset=utf-8"],
  [".svg", "image/svg+xml; charset=utf-8"],
  [".png", "image/png"],
  [".ico", "image/x-icon"],
  [".webp", "image/webp"],
  [".woff2", "font/woff2"],
  [".wasm", "application/wasm"],
  [".txt", "text/plain; charset=utf-8"],
]);

/** Best first. */
const COMPRESSED_FORMS = [
  ["br", ".br"],
  ["gzip", ".gz"],
] as const;

/** Answers one GET or HEAD request from the folder `dist`. Never reads a file outside it. */
export async function serveStatic(dist: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const nonce = randomBytes(16).toString("base64");
  setSecurityHeaders(response, nonce, request.headers.host);
  const path = safePath(request.url ?? "/");
  const file = path === null ? null : await fileInside(dist, path);
  if (path === null || file === null) {
    const missingPage = path === "/index.html";
    respondText(response, 404, missingPage ? "The page is not built yet: run npm run build." : "Not found.");
    return;
  }
  response.setHeader("Content-Type", MIME_TYPES.get(extname(file.path).toLowerCase()) ?? "application/octet-stream");
  // Vite names everything in assets/ after its content.
  response.setHeader("Cache-Control", path.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache");
  if (extname(file.path) === ".html") {
    const html = withStyleNonce(await readFile(file.path, "utf8"), nonce);
    response.setHeader("Content-Length", Buffer.byteLength(html));
    response.end(request.method === "HEAD" ? undefined : html);
    return;
  }
  const sent = path.startsWith("/assets/") ? await compressedForm(dist, path, request, response) : null;
  response.setHeader("Content-Length", (sent ?? file).size);
  if (request.method === "HEAD") {
    response.end();
    return;
  }
  const stream = createReadStream((sent ?? file).path);
  stream.on("error", () => response.destroy());
  response.on("close", () => stream.destroy());
  stream.pipe(response);
}

/** What the build has compressed beside the file, in the best form that the browser takes; `null`: the file as it is. */
async function compressedForm(
  dist: string,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<{ readonly path: string; readonly size: number } | null> {
  response.setHeader("Vary", "Accept-Encoding");
  const accepted = acceptedEncodings(request.headers["accept-encoding"]);
  for (const [encoding, extension] of COMPRESSED_FORMS) {
    const file = accepted.has(encoding) ? await fileInside(dist, path + extension) : null;
    if (file === null) continue;
    response.setHeader("Content-Encoding", encoding);
    return file;
  }
  return null;
}

/** Those that are named and not refused by `q=0`. */
function acceptedEncodings(header: string | string[] | undefined): ReadonlySet<string> {
  const named = String(header ?? "")
    .toLowerCase()
    .split(",")
    .map((part) => part.trim().split(/\s*;\s*/));
  return new Set(named.filter(([, weight]) => !/^q=0(\.0*)?$/.test(weight ?? "")).map(([encoding = ""]) => encoding));
}

export function respondText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store" });
  response.end(`${text}\n`);
}

/**
 * The page may run its own scripts and workers and talk to its own host. CodeMirror writes its themes into a style element, which
 * the nonce admits: the page finds it in `<meta property="csp-nonce">` and passes it on as `EditorView.cspNonce`.
 */
function setSecurityHeaders(response: ServerResponse, nonce: string, host: string | undefined): void {
  const ownHost = host !== undefined && /^[A-Za-z0-9.:[\]-]{1,255}$/.test(host) ? ` ws://${host} wss://${host}` : "";
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "worker-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "font-src 'self'",
    "manifest-src 'self'",
    `connect-src 'self'${ownHost}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  response.setHeader("Content-Security-Policy", policy.join("; "));
  response.setHeader("Referrer-Policy", "no-referrer");
  response.setHeader("X-Content-Type-Options", "nosniff");
  response.setHeader("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()");
  response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
  response.setHeader("Cross-Origin-Resource-Policy", "same-origin");
}

function withStyleNonce(html: string, nonce: string): string {
  return html.replace(/<head[^>]*>/i, (head) => `${head}<meta property="csp-nonce" nonce="${nonce}">`);
}

/** The path of the URL, decoded; `null` if it has a segment that no built file has: empty, hidden, `..`, or with odd characters. */
function safePath(url: string): string | null {
  let path: string;
  try {
    path = decodeURIComponent(url.split(/[?#]/, 1)[0] ?? "");
  } catch {
    return null;
  }
  if (path === "/") return "/index.html";
  const segments = path.split("/");
  if (segments.shift() !== "") return null;
  return segments.every((segment) => /^[A-Za-z0-9_][A-Za-z0-9_.@~+-]*$/.test(segment)) ? path : null;
}

async function fileInside(dist: string, path: string): Promise<{ readonly path: string; readonly size: number } | null> {
  try {
    const root = await realpath(dist);
    const file = await realpath(join(root, path));
    if (!file.startsWith(root + sep)) return null;
    const found = await stat(file);
    return found.isFile() ? { path: file, size: found.size } : null;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : null;
  return code === "ENOENT" || code === "ENOTDIR" || code === "ENAMETOOLONG" || code === "ELOOP";
}
