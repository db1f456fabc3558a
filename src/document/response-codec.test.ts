import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeResponse, encodeResponse } from "./response-codec.ts";
import { SharedDocument } from "./shared-document.ts";
import type { DocumentRefusal } from "./types.ts";

const refusals: readonly (DocumentRefusal | null)[] = [
  null,
  "unreadable",
  "badChanges",
  "baseAhead",
  "baseTooOld",
  "serialGap",
  "replaced",
  "replacesOther",
  "documentTooLarge",
  "badKey",
  "badValue",
  "notEqual",
];

test("a response is read back as it was written", () => {
  const document = new SharedDocument();
  for (const refusal of refusals) {
    for (const [version, added] of [
      [0, 0],
      [7, 2],
      [Number.MAX_SAFE_INTEGER, 1],
    ] as const) {
      const response = { refusal, version, added };
      expect(document.decodeResponse(document.encodeResponse(response))).toEqual(response);
    }
  }
});

test("it is compact", () => {
  expect(new TextDecoder().decode(encodeResponse({ refusal: null, version: 12, added: 1 }))).toBe("\u0002[null,12,1]");
});

test.each([
  "",
  "[",
  "null",
  "[]",
  "[null,1]",
  "[null,1,1,1]",
  '["toString",1,1]',
  "[7,1,1]",
  "[null,-1,0]",
  "[null,1.5,0]",
  '[null,"1",0]',
  "[null,1,2]",
  "[null,1e300,0]",
])("%j is no response", (json) => {
  const bytes = new TextEncoder().encode(`\u0002${json}`);
  expect(decodeResponse(bytes)).toEqual({ refusal: "unreadable", version: 0, added: 0 });
});

test("any bytes are answered, never thrown at; those of another version are no response", () => {
  const sound = encodeResponse({ refusal: null, version: 1, added: 1 });
  expect(decodeResponse(Uint8Array.of(1, ...sound.subarray(1))).refusal).toBe("unreadable");
  fc.assert(fc.property(fc.uint8Array(), (bytes) => void expect(decodeResponse(bytes).refusal).toBe("unreadable")));
});
