/** For every build with simple-peer in it: what it takes from Node, as far as it is used here. See src/page/simple-peer. */
import { fileURLToPath } from "node:url";

const PARTS = { "readable-stream": "stream", buffer: "buffer", debug: "debug", randombytes: "random-bytes" };

export const nodeParts = Object.entries(PARTS).map(([name, file]) => ({
  find: new RegExp(`^${name}$`),
  replacement: fileURLToPath(new URL(`../src/page/simple-peer/${file}.cjs`, import.meta.url)),
}));
