/** The invite link: whoever has it is in the room. The secret stands behind `#`, which no browser sends to a server. */

const SECRET_BYTES = 16;
const SECRET = /^[A-Za-z0-9_-]{22}$/;

/** 128 random bits, base64url, 22 characters. */
export function makeSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(SECRET_BYTES));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

/** `none`: no document is asked for. `bad`: something is, in no form that a link has. */
export type LinkReading =
  | { readonly kind: "none" }
  | { readonly kind: "bad" }
  | { readonly kind: "room"; readonly secret: string };

/** @param hash as `location.hash` has it, with or without "#". */
export function readLink(hash: string): LinkReading {
  const secret = hash.replace(/^#/, "");
  if (secret === "") return { kind: "none" };
  return SECRET.test(secret) ? { kind: "room", secret } : { kind: "bad" };
}

/** @param page the address of the page; its own fragment and query are left out. */
export function linkTo(secret: string, page: string): string {
  const url = new URL(page);
  url.search = "";
  url.hash = secret;
  return url.href;
}

/**
 * Where the signaling server is: on the host that served the page, unless the page is set up otherwise.
 * @param setting empty; `none`; or the `ws:` or `wss:` address of a server elsewhere
 */
export function signalingUrl(page: string, setting = ""): string | null {
  if (setting === "none") return null;
  if (/^wss?:\/\//.test(setting)) return setting;
  const url = new URL("/signal", page);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}
