import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { DEFAULT_LIMITS } from "./limits.ts";
import { readSettings } from "./settings.ts";

describe("settings", () => {
  test("without any variable: this machine alone, no page, no STUN, no TURN", () => {
    expect(readSettings({})).toEqual({
      port: 8080,
      host: "127.0.0.1",
      dist: null,
      allowedOrigins: [],
      trustedProxies: 0,
      level: "info",
      limits: DEFAULT_LIMITS,
      ice: { stunUrls: [], turnUrls: [], turnSecret: null, turnLifetimeS: 43_200 },
    });
  });

  test("each is taken", () => {
    const found = readSettings({
      PORT: "0",
      HOST: "0.0.0.0",
      ALLOWED_ORIGINS: "https://a.example, http://localhost:5173",
      TRUSTED_PROXIES: "1",
      MAX_ROOMS: "7",
      STUN_URLS: "stun:s.example",
      TURN_URLS: "turn:t.example:3478?transport=tcp,turns:t.example",
      TURN_SECRET: "x",
      TURN_LIFETIME_S: "60",
    });
    expect(found).toMatchObject({ port: 0, host: "0.0.0.0", trustedProxies: 1, limits: { ...DEFAULT_LIMITS, maxRooms: 7 } });
    expect(found.allowedOrigins).toEqual(["https://a.example", "http://localhost:5173"]);
    expect(found.ice).toMatchObject({ turnUrls: ["turn:t.example:3478?transport=tcp", "turns:t.example"], turnLifetimeS: 60 });
  });

  test.each([
    ["PORT", "many", 'PORT must be a number from 0 to 65535, but it is "many".'],
    ["PORT", "65536", "PORT must be"],
    ["MAX_SOCKETS", "0", 'MAX_SOCKETS must be a number from 1 to 1000000, but it is "0".'],
    ["MAX_ROOMS", "1e3", "MAX_ROOMS must be"],
    ["MESSAGES_PER_SECOND", "-5", "MESSAGES_PER_SECOND must be"],
    ["LOG_LEVEL", "loud", "LOG_LEVEL must be one of silent, fatal"],
    ["ALLOWED_ORIGINS", "https://a.example/path", "ALLOWED_ORIGINS must hold origins"],
    ["ALLOWED_ORIGINS", "*", "ALLOWED_ORIGINS must hold origins"],
    ["STUN_URLS", "https://stun.example", "STUN_URLS must hold"],
    ["TURN_URLS", "turn:t.example", "TURN_URLS and TURN_SECRET belong together"],
    ["TURN_SECRET", "x", "TURN_URLS and TURN_SECRET belong together"],
    ["TRUSTED_PROXIES", "yes", "TRUSTED_PROXIES must be"],
  ])("%s=%s is refused in a sentence", (name, value, words) => {
    expect(() => readSettings({ [name]: value })).toThrow(words);
  });

  test("the README lists every variable, with its default", () => {
    const source = readFileSync(new URL("./settings.ts", import.meta.url), "utf8");
    const readme = readFileSync(new URL("./README.md", import.meta.url), "utf8");
    const names = new Set([...source.matchAll(/"([A-Z][A-Z_]{2,})"/g)].map(([, name]) => name));
    expect(names.size).toBeGreaterThan(20);
    const rows = new Map(
      [...readme.matchAll(/^\| `([A-Z_]+)` +\| (\S+) /gm)].map(([, name = "", value = ""]) => [name, value.replaceAll("`", "")]),
    );
    expect([...rows.keys()].sort()).toEqual([...names].sort());
    for (const [variable, limit] of [
      ["MAX_SOCKETS", "maxSockets"],
      ["MESSAGES_BURST", "burst"],
      ["PING_INTERVAL_MS", "pingIntervalMs"],
    ] as const)
      expect(rows.get(variable)).toBe(String(DEFAULT_LIMITS[limit]));
  });
});
