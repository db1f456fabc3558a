/** Every transcript says what it said when a person last read it. `UPDATE=1` records anew what is said now. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { runTranscript } from "./testing/transcript.ts";

const folder = new URL("./testdata/", import.meta.url);
const files = readdirSync(folder).filter((file) => file.endsWith(".txt"));

test("there are transcripts", () => {
  expect(files.length).toBeGreaterThanOrEqual(60);
});

test.each(files)("%s", (file) => {
  const path = new URL(file, folder);
  const [commands = "", recorded = ""] = readFileSync(path, "utf8").split("\n---\n");
  const [scenario = ""] = commands.split("\n");
  expect(scenario, "begins by saying the scenario").toMatch(/^# ./);
  const output = `${runTranscript(commands)}\n`;
  if (process.env["UPDATE"]) writeFileSync(path, `${commands.trimEnd()}\n---\n${output}`);
  else expect(output).toBe(recorded);
});
