/** Which certificate a session description binds the connection to: what the handshake of the room proves. */

const FINGERPRINT_LINE = /^a=fingerprint:(\S+) +(\S+)\s*$/gim;
const SHA256_HEX = /^(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/;

/** Upper-case hexadecimal with colons; `null` if there is none, or any other beside it: then it is not clear which one binds. */
export function sha256Fingerprint(sdp: string): string | null {
  const found = new Set<string>();
  for (const [, algorithm = "", digits = ""] of sdp.matchAll(FINGERPRINT_LINE)) {
    if (algorithm.toLowerCase() !== "sha-256") return null;
    found.add(digits.toUpperCase());
  }
  const [only] = found;
  return found.size === 1 && only !== undefined && SHA256_HEX.test(only) ? only : null;
}
