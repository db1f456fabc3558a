/** The one place that says how a browser is started: on a real profile directory, with real storage, and nothing in the background. */
import { type BrowserContext, chromium } from "@playwright/test";

/** A later `--disable-features` replaces Playwright's own, so what matters of that list stands here again. */
const DISABLED_FEATURES = [
  // Tabs of different profiles on a machine without multicast DNS would not find each other.
  "WebRtcHideLocalIpsWithMdns",
  "HttpsUpgrades",
  "HttpsFirstBalancedModeAutoEnable",
  "MediaRouter",
  "NetworkTimeServiceQuerying",
  "OptimizationHints",
  "PreconnectToSearch",
  "Translate",
];

const ARGS = [
  `--disable-features=${DISABLED_FEATURES.join(",")}`,
  // A machine without any network still has its loopback.
  "--allow-loopback-in-peer-connection",
  // One process per tab, also on a small machine, so that a tab can be killed alone.
  "--renderer-process-limit=100",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-domain-reliability",
  "--disable-quic",
  "--disable-sync",
  "--no-first-run",
  "--no-pings",
];

/** Starts a browser on the profile in `directory`, which outlives it. */
export async function launchProfile(directory: string, headless: boolean): Promise<BrowserContext> {
  const executablePath = process.env["TABRAFT_CHROMIUM"];
  if (executablePath === undefined || executablePath === "") {
    throw new Error("TABRAFT_CHROMIUM is not set: start the suite by `npm run e2e`, which finds a browser.");
  }
  return await chromium.launchPersistentContext(directory, {
    executablePath,
    headless,
    args: ARGS,
    // Chromium refuses its sandbox to root.
    chromiumSandbox: process.getuid?.() !== 0,
    viewport: { width: 1100, height: 760 },
  });
}
