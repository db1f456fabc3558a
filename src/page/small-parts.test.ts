import { describe, expect, it } from "vitest";
import { sha256Fingerprint } from "./fingerprint.ts";
import { linkTo, makeSecret, readLink, signalingUrl } from "./room-link.ts";
import { cleanName, nameFrom } from "./tab-name.ts";

describe("the link", () => {
  it("holds 128 random bits behind the hash", () => {
    const secrets = Array.from({ length: 50 }, makeSecret);
    for (const secret of secrets) expect(readLink(`#${secret}`)).toEqual({ kind: "room", secret });
    expect(new Set(secrets).size).toBe(50);
  });

  it("is told from none and from a broken one", () => {
    expect(readLink("")).toEqual({ kind: "none" });
    expect(readLink("#")).toEqual({ kind: "none" });
    for (const bad of ["#short", `#${"a".repeat(23)}`, `#${"a".repeat(21)}!`, `#${"a".repeat(21)}%20`]) {
      expect(readLink(bad)).toEqual({ kind: "bad" });
    }
  });

  it("leaves out what else stood in the address", () => {
    expect(linkTo("secret", "https://example.org/doc?x=1#old")).toBe("https://example.org/doc#secret");
  });

  it("goes with signaling on the same host, as safe as the page", () => {
    expect(signalingUrl("http://localhost:8080/#s")).toBe("ws://localhost:8080/signal");
    expect(signalingUrl("https://example.org/a/b")).toBe("wss://example.org/signal");
  });
});

describe("a fingerprint", () => {
  const digits = Array.from({ length: 32 }, (_, i) => (i + 160).toString(16)).join(":");
  const line = `a=fingerprint:sha-256 ${digits}\r\n`;

  it("is read in upper case, from one line or from equal ones", () => {
    expect(sha256Fingerprint(`v=0\r\n${line}`)).toBe(digits.toUpperCase());
    expect(sha256Fingerprint(`v=0\r\n${line}m=application\r\n${line}`)).toBe(digits.toUpperCase());
  });

  it("is none if it is missing, short, of another kind, or one of two", () => {
    expect(sha256Fingerprint("v=0\r\n")).toBeNull();
    expect(sha256Fingerprint("a=fingerprint:sha-256 AB:CD\r\n")).toBeNull();
    expect(sha256Fingerprint(`${line}a=fingerprint:sha-1 ${digits.slice(0, 59)}\r\n`)).toBeNull();
    expect(sha256Fingerprint(`${line}a=fingerprint:sha-256 ${digits.replace("a0", "ff")}\r\n`)).toBeNull();
  });
});

describe("a name", () => {
  it("exists for every number", () => {
    for (const random of [0, 1, 29, 30, 0xffffffff]) expect(nameFrom(random)).not.toBe("");
  });

  it("is trimmed, on one line, and never empty", () => {
    expect(cleanName("  Ada \n Lovelace ")).toBe("Ada Lovelace");
    expect(cleanName(" \t ")).toBeNull();
    expect(cleanName("x".repeat(60))).toHaveLength(40);
  });
});
