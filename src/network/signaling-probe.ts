/** Whether there is a signaling server at an address at all. A WebSocket that fails does not say why; a plain request to the same address does. */

/** `absent`: something else answers there, as on a host of files alone. `unknown`: nothing answers, or not now. */
export type ProbeResult = "present" | "absent" | "unknown";

/** Of HTTP: "Upgrade Required", which is what the signaling server says to whoever comes without a WebSocket. */
const UPGRADE_REQUIRED = 426;

/** @param url `ws:` or `wss:` */
export async function probeSignaling(url: string, request: typeof fetch = fetch): Promise<ProbeResult> {
  try {
    const { status } = await request(url.replace(/^ws/, "http"), { cache: "no-store", credentials: "omit", redirect: "manual" });
    if (status === UPGRADE_REQUIRED) return "present";
    // A proxy whose server is down says 502 to 504; too much asked, 429.
    return status === 0 || status === 429 || status >= 500 ? "unknown" : "absent";
  } catch {
    // Offline, or another origin that does not let itself be asked: nothing is known.
    return "unknown";
  }
}
