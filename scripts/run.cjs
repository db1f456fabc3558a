/**
 * The door of every command: `node scripts/run.cjs NAME ARGUMENTS` runs scripts/NAME.mjs. Written in old JavaScript, without
 * imports, so that a Node that is too old for the rest still gets a sentence.
 */
const engines = require("../package.json").engines.node;
const needed = engines
  .replace(/[^\d.]/g, "")
  .split(".")
  .map(Number);
const running = process.versions.node.split(".").map(Number);
const name = process.argv[2];

/** @param {string} message */
function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

/** @param {Error} error */
function tell(error) {
  fail(error.name === "Failure" ? error.message : String(error.stack));
}

/** @returns {boolean} whether the major, or the same major's minor, is below what is needed */
function isTooOld() {
  const [major = 0, minor = 0] = running;
  const [neededMajor = 0, neededMinor = 0] = needed;
  return major < neededMajor || (major === neededMajor && minor < neededMinor);
}

if (isTooOld())
  fail(`Node ${needed.join(".")} or newer is needed, and this is ${process.versions.node}. It is at https://nodejs.org.`);
if (!/^[a-z0-9]+$/.test(name || "")) fail("Use: node scripts/run.cjs NAME [ARGUMENTS]");

import(`./${name}.mjs`)
  .then((command) => command.default(process.argv.slice(3)))
  .then((code) => {
    process.exitCode = code;
  })
  .catch(tell);
