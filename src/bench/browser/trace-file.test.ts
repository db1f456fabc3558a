/** Traces are read as they are, or refused with what is wrong. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readConcurrentTrace, readSequentialTrace } from "./trace-file.ts";

let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "tabraft-trace-"));
});
afterAll(() => rm(directory, { recursive: true }));

async function write(content: unknown, gzip = false): Promise<string> {
  const path = join(directory, "trace.json");
  const text = Buffer.from(JSON.stringify(content));
  await writeFile(path, gzip ? gzipSync(text) : text);
  return path;
}

function replay(start: string, edits: Awaited<ReturnType<typeof readSequentialTrace>>["edits"]): string {
  let text = start;
  for (const { patches } of edits)
    for (const [at, deleted, inserted] of patches) text = text.slice(0, at) + inserted + text.slice(at + deleted);
  return text;
}

describe("editing traces", () => {
  const plain = { startContent: "ab", endContent: "axc", txns: [{ patches: [[1, 1, "x"]] }, { patches: [[2, 0, "c"]] }] };

  test.each([false, true])("are read, gzipped: %s", async (gzip) => {
    const { startContent, endContent, edits } = await readSequentialTrace(await write(plain, gzip));
    expect(edits).toHaveLength(2);
    expect(replay(startContent, edits)).toBe(endContent);
  });

  test("count code points, and are replayed in UTF-16 units", async () => {
    const txns = [{ patches: [[1, 0, "🙂"]] }, { patches: [[2, 1, "!"]] }, { patches: [[1, 1, ""]] }];
    const { startContent, endContent, edits } = await readSequentialTrace(
      await write({ startContent: "ab", endContent: "a!", txns }),
    );
    expect(replay(startContent, edits)).toBe(endContent);
    expect(edits[1]?.patches).toEqual([[3, 1, "!"]]);
  });

  test("that are none are refused with the place", async () => {
    await expect(readSequentialTrace(await write({ ...plain, txns: [{ patches: [[-1, 0, ""]] }] }))).rejects.toThrow(
      /no editing trace: at txns\.0\.patches\.0\.0/,
    );
    const early = { endContent: "", numAgents: 2, txns: [{ parents: [0], agent: 0, patches: [] }] };
    await expect(readConcurrentTrace(await write(early))).rejects.toThrow(/edit 0 has an agent or a parent that is not there/);
    await expect(readConcurrentTrace(await write({ ...early, numAgents: 3 }))).rejects.toThrow(/of 3 people/);
  });
});
