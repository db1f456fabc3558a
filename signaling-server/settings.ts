/** The server's settings, from environment variables. Each is checked; what is wrong is told in one sentence that says what is allowed. */
import { type IceConfiguration, NO_ICE } from "./ice.ts";
import { DEFAULT_LIMITS, type Limits } from "./limits.ts";

export interface Settings {
  readonly port: number;
  readonly host: string;
  readonly dist: string | null;
  readonly allowedOrigins: readonly string[];
  readonly trustedProxies: number;
  readonly level: string;
  readonly limits: Limits;
  readonly ice: IceConfiguration;
}

/** The environment says something that is not allowed. */
export class BadSetting extends Error {
  override readonly name = "BadSetting";
}

const LEVELS = ["silent", "fatal", "error", "warn", "info", "debug", "trace"];

/** By variable: which limit it sets, from and to. */
const LIMIT_VARIABLES: readonly (readonly [variable: string, limit: keyof Limits, least: number, most: number])[] = [
  ["MAX_SOCKETS", "maxSockets", 1, 1_000_000],
  ["MAX_SOCKETS_PER_ADDRESS", "maxSocketsPerAddress", 1, 1_000_000],
  ["MAX_ROOMS", "maxRooms", 1, 1_000_000],
  ["MAX_MEMBERS_PER_ROOM", "maxMembersPerRoom", 2, 1024],
  ["MESSAGES_BURST", "burst", 10, 100_000],
  ["MESSAGES_PER_SECOND", "messagesPerSecond", 1, 10_000],
  ["MAX_BUFFERED_BYTES", "maxBufferedBytes", 65_536, 1_073_741_824],
  ["JOIN_TIMEOUT_MS", "joinTimeoutMs", 100, 600_000],
  ["PING_INTERVAL_MS", "pingIntervalMs", 1000, 600_000],
  ["RECONNECT_SPREAD_MS", "reconnectSpreadMs", 0, 60_000],
  ["CLOSE_TIMEOUT_MS", "closeTimeoutMs", 0, 60_000],
];

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws BadSetting */
export function readSettings(environment: Environment): Settings {
  const text = (name: string): string | null => environment[name]?.trim() || null;
  const whole = (name: string, otherwise: number, least: number, most: number): number => {
    const given = text(name);
    if (given === null) return otherwise;
    const value = Number(given);
    if (!/^\d+$/.test(given) || value < least || value > most)
      throw new BadSetting(`${name} must be a number from ${least} to ${most}, but it is "${given}".`);
    return value;
  };
  const list = (name: string): string[] => (text(name) ?? "").split(",").flatMap((part) => part.trim() || []);
  const level = text("LOG_LEVEL") ?? "info";
  if (!LEVELS.includes(level)) throw new BadSetting(`LOG_LEVEL must be one of ${LEVELS.join(", ")}, but it is "${level}".`);
  const limits = LIMIT_VARIABLES.map(([name, limit, least, most]) => [limit, whole(name, DEFAULT_LIMITS[limit], least, most)]);
  return {
    port: whole("PORT", 8080, 0, 65_535),
    host: text("HOST") ?? "127.0.0.1",
    dist: text("DIST"),
    allowedOrigins: list("ALLOWED_ORIGINS").map(checkOrigin),
    trustedProxies: whole("TRUSTED_PROXIES", 0, 0, 10),
    level,
    limits: { ...DEFAULT_LIMITS, ...Object.fromEntries(limits) },
    ice: readIce(text, list, whole),
  };
}

function checkOrigin(origin: string): string {
  let found: string | null = null;
  try {
    found = new URL(origin).origin;
  } catch {
    // Told below, together with an address that has a path.
  }
  if (found !== origin || !/^https?:/.test(origin))
    throw new BadSetting(`ALLOWED_ORIGINS must hold origins such as https://notes.example, but it holds "${origin}".`);
  return origin;
}

function readIce(
  text: (name: string) => string | null,
  list: (name: string) => string[],
  whole: (name: string, otherwise: number, least: number, most: number) => number,
): IceConfiguration {
  const urls = (name: string, scheme: "stun" | "turn"): string[] => {
    const found = list(name);
    const bad = found.find((url) => !new RegExp(`^${scheme}s?:[^\\s/]{1,512}$`).test(url));
    if (bad !== undefined || found.length > 16)
      throw new BadSetting(
        `${name} must hold at most 16 addresses such as ${scheme}:${scheme}.example:3478, but it holds "${bad ?? found}".`,
      );
    return found;
  };
  const ice = {
    stunUrls: urls("STUN_URLS", "stun"),
    turnUrls: urls("TURN_URLS", "turn"),
    turnSecret: text("TURN_SECRET"),
    turnLifetimeS: whole("TURN_LIFETIME_S", NO_ICE.turnLifetimeS, 60, 604_800),
  };
  if (ice.turnUrls.length > 0 !== (ice.turnSecret !== null))
    throw new BadSetting("TURN_URLS and TURN_SECRET belong together: set both or neither.");
  return ice;
}
