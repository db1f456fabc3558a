/** How many sockets each address has open, and which address a request comes from. */
import type { IncomingMessage } from "node:http";
import { isIPv6 } from "node:net";

export class AddressCounts {
  readonly #counts = new Map<string, number>();

  constructor(private readonly most: number) {}

  /** Whether one more may be opened. */
  hasRoom(address: string): boolean {
    return (this.#counts.get(address) ?? 0) < this.most;
  }

  add(address: string): void {
    this.#counts.set(address, (this.#counts.get(address) ?? 0) + 1);
  }

  remove(address: string): void {
    const left = (this.#counts.get(address) ?? 0) - 1;
    if (left > 0) this.#counts.set(address, left);
    else this.#counts.delete(address);
  }
}

/**
 * `trustedProxies`: so many proxies of one's own stand before the server, each of which adds to `X-Forwarded-For` whom it heard; what stands
 * before that in the header anybody can make up. An IPv6 address counts as its /64, which is what one customer has.
 */
export function addressOf(request: IncomingMessage, trustedProxies: number): string {
  const direct = request.socket.remoteAddress ?? "unknown";
  const said = [request.headers["x-forwarded-for"] ?? []].flat().join(",");
  const hops = [...said.split(",").flatMap((part) => part.trim() || []), direct];
  const address = hops.at(-1 - trustedProxies) ?? hops[0] ?? direct;
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, "").slice(0, 64);
  return isIPv6(plain) ? networkOf(plain) : plain;
}

/** The first 64 bits. */
function networkOf(address: string): string {
  const [head = "", tail] = address.split("%")[0]?.split("::") ?? [];
  const front = head === "" ? [] : head.split(":");
  const back = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - front.length - back.length)).fill("0");
  const groups = [...front, ...zeros, ...back].slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${groups.join(":")}::/64`;
}
