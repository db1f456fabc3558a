import { expect, test } from "vitest";
import { fromBase64Url, toBase64Url } from "./base64url.ts";
import { deriveRoomKeys, makeSecret, parseSecret } from "./room-keys.ts";

test("a secret is 22 characters, never twice the same, and is read back from a link", () => {
  const secrets = Array.from({ length: 100 }, makeSecret);
  expect(new Set(secrets).size).toBe(100);
  for (const secret of secrets) {
    expect(secret).toMatch(/^[A-Za-z0-9_-]{22}$/);
    expect(parseSecret(`#${secret}`)).toBe(secret);
  }
});

test.each([
  "",
  "#",
  "short",
  "A".repeat(21),
  "A".repeat(23),
  "A".repeat(24),
  `${"A".repeat(21)}B`,
  "A".repeat(21).concat("="),
  "ä".repeat(22),
])("no secret: %j", async (text) => {
  expect(parseSecret(text)).toBeNull();
  await expect(deriveRoomKeys(text)).rejects.toThrow();
});

test("the topic is the same for the same secret, another for another, and not the secret", async () => {
  const one = await deriveRoomKeys("A".repeat(22));
  const again = await deriveRoomKeys("A".repeat(22));
  const other = await deriveRoomKeys(`${"A".repeat(21)}Q`);
  expect(again.topic).toBe(one.topic);
  expect(other.topic).not.toBe(one.topic);
  expect(one.topic).toMatch(/^[A-Za-z0-9_-]{22}$/);
  expect(one.sealKey.extractable || one.authKey.extractable).toBe(false);
});

test("base64url has one text for each value", () => {
  for (let length = 0; length < 70; length += 1) {
    const bytes = crypto.getRandomValues(new Uint8Array(length));
    const text = toBase64Url(bytes);
    expect(text).toBe(Buffer.from(bytes).toString("base64url"));
    expect(fromBase64Url(text)).toEqual(bytes);
  }
  for (const text of ["A", "AB", "AAA=", "+A", "A A"]) expect(fromBase64Url(text)).toBeNull();
});
