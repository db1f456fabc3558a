/** For every build with simple-peer in it: what it takes from Node, as far as it is used here. See src/page/simple-peer. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const PARTS = { "readable-stream": "stream", buffer: "buffer", debug: "debug", randombytes: "random-bytes" };

/**
 * For a script that was itself bundled, and so stands elsewhere.
 * @param {string} root the project's folder
 */
export const nodePartsIn = (root) =>
  Object.entries(PARTS).map(([name, file]) => ({
    find: new RegExp(`^${name}$`),
    replacement: join(root, `src/page/simple-peer/${file}.cjs`),
  }));

export const nodeParts = nodePartsIn(fileURLToPath(new URL("..", import.meta.url)));
