/** Loaded before everything else into each process of a check: says at its end how much processor time it took. */
import { appendFileSync } from "node:fs";
import { isMainThread } from "node:worker_threads";

const file = process.env["TABRAFT_CPU_FILE"];
if (file && isMainThread) {
  process.on("exit", () => {
    const { user, system } = process.cpuUsage();
    appendFileSync(file, `${(user + system) / 1e6}\n`);
  });
}
