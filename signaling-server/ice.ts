/**
 * Which STUN and TURN servers connections may use. The TURN server's credentials are made for each node and expire (coturn's REST scheme, its
 * option `use-auth-secret`): the user name is the time of expiry and the node's id, the password its HMAC-SHA-1 under a secret that only the two
 * servers have.
 */
import { createHmac } from "node:crypto";
import type { IceServer } from "./protocol.ts";

export interface IceConfiguration {
  readonly stunUrls: readonly string[];
  readonly turnUrls: readonly string[];
  /** coturn's `static-auth-secret`; `null`: there is no TURN server. */
  readonly turnSecret: string | null;
  /** How long credentials are good for. Seconds. */
  readonly turnLifetimeS: number;
}

export const NO_ICE: IceConfiguration = { stunUrls: [], turnUrls: [], turnSecret: null, turnLifetimeS: 12 * 3600 };

/** @param nowMs since the epoch */
export function iceServersFor(nodeId: string, configuration: IceConfiguration, nowMs: number): IceServer[] {
  const { stunUrls, turnUrls, turnSecret, turnLifetimeS } = configuration;
  const servers: IceServer[] = stunUrls.length > 0 ? [{ urls: [...stunUrls] }] : [];
  if (turnSecret !== null && turnUrls.length > 0) {
    const username = `${Math.floor(nowMs / 1000) + turnLifetimeS}:${nodeId}`;
    const credential = createHmac("sha1", turnSecret).update(username).digest("base64");
    servers.push({ urls: [...turnUrls], username, credential });
  }
  return servers;
}
