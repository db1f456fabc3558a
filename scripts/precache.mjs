/** For the build: tells the service worker which files the page consists of, each with a mark of its content. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Not for pages: maps are for people with developer tools, and the script does not keep itself. */
const LEFT_OUT = /\.map$|^service-worker\.js$/;
const PLACE = "self.__PRECACHE";

/** @param {string | Uint8Array} content */
function markOf(content) {
  return createHash("sha256").update(content).digest("hex").slice(0, 16);
}

/**
 * A plug-in of the build. What stands in assets/ is named after its content and needs no mark.
 * @returns {import("vite").Plugin}
 */
export function precacheManifest() {
  let publicDir = "";
  return {
    name: "precache-manifest",
    apply: "build",
    configResolved(config) {
      publicDir = config.publicDir;
    },
    generateBundle: {
      order: "post",
      handler(_, bundle) {
        const script = bundle["service-worker.js"];
        if (script === undefined || script.type !== "chunk") return;
        const built = Object.values(bundle).map((file) => [file.fileName, file.type === "chunk" ? file.code : file.source]);
        const copied = existsSync(publicDir)
          ? readdirSync(publicDir).map((name) => [name, readFileSync(join(publicDir, name))])
          : [];
        const entries = [...built, ...copied]
          .filter(([name]) => !LEFT_OUT.test(String(name)))
          .map(([name, content]) => ({
            url: String(name),
            revision: String(name).startsWith("assets/") ? null : markOf(/** @type {string | Uint8Array} */ (content)),
          }))
          .sort((a, b) => (a.url < b.url ? -1 : 1));
        if (!script.code.includes(PLACE)) throw new Error(`The service worker has no ${PLACE}.`);
        script.code = script.code.replace(PLACE, () => JSON.stringify(entries));
      },
    },
  };
}
