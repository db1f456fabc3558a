import { ChangeSet, Text } from "@codemirror/state";
import { describe, expect, it } from "vitest";
import { editOf, placed, serialIn } from "./editing.test-kit.ts";
import { COMMAND_SIZE_MAX, COMMAND_UPDATES_MAX, DOCUMENT_LIMITS, KEY_LENGTH_MAX } from "./limits.ts";
import { SharedDocument } from "./shared-document.ts";
import type { ChangesJson, DocumentCommand, MapValue } from "./types.ts";

const ADA = "ada-editor-1";
const BOB = "bob-editor-1";

function insertion(length: number, at: number, text: string): ChangesJson {
  return ChangeSet.of({ from: at, insert: text }, length).toJSON() as ChangesJson;
}

function edit(clientId: string, baseVersion: number, ...updates: ChangesJson[]): DocumentCommand {
  return editOf(clientId, baseVersion, updates);
}

/** As the editor numbers it. */
function numbered(document: SharedDocument, command: DocumentCommand): DocumentCommand {
  return command.kind === "edit" && command.serial === 0
    ? { ...command, serial: serialIn(document, command.clientId, command.baseVersion) }
    : command;
}

/** Through bytes, as a replica gets it. */
function applyTo(document: SharedDocument, command: DocumentCommand) {
  const [response] = document.apply([placed(document.decode(document.encode(numbered(document, command))))]);
  if (response === undefined) throw new Error("no response");
  return response;
}

function documentWith(text: string): SharedDocument {
  const document = new SharedDocument();
  applyTo(document, edit("writer-00", 0, insertion(0, 0, text)));
  return document;
}

describe("an edit", () => {
  it("made on the newest version is accepted as it is", () => {
    const document = new SharedDocument();
    expect(applyTo(document, edit(ADA, 0, insertion(0, 0, "a\nb")))).toEqual({ refusal: null, version: 1, added: 1 });
    expect(document.text).toBe("a\nb");
  });

  it("made on an older version is rebased over what came between", () => {
    const document = documentWith("middle");
    applyTo(document, edit(ADA, 1, insertion(6, 0, "start ")));
    applyTo(document, edit(BOB, 1, insertion(6, 6, " end")));
    expect(document.text).toBe("start middle end");
  });

  it("is rebased over one accepted update after the other, as editors receive them, not over their sum", () => {
    const document = documentWith("a");
    applyTo(document, edit(ADA, 1, [[1]]));
    applyTo(document, edit(ADA, 2, [[0, "R"]]));
    applyTo(document, edit(BOB, 1, insertion(1, 0, "X")));
    expect(document.text).toBe("RX");
  });

  it("whose rebase would cost too much is refused before it is tried", () => {
    const document = documentWith("a");
    for (let i = 1; i <= COMMAND_UPDATES_MAX + 1; i++) applyTo(document, edit(ADA, i, [1]));
    const command = edit(BOB, 1, ...Array.from({ length: COMMAND_UPDATES_MAX }, () => [1]));
    expect(applyTo(document, command).refusal).toBe("baseTooOld");
  });

  it("sent again adds nothing; sent again with one more adds that one", () => {
    const document = new SharedDocument();
    const first = insertion(0, 0, "a");
    applyTo(document, edit(ADA, 0, first));
    expect(applyTo(document, edit(ADA, 0, first))).toEqual({ refusal: null, version: 1, added: 0 });
    expect(applyTo(document, edit(ADA, 0, first, insertion(1, 1, "b")))).toEqual({ refusal: null, version: 2, added: 1 });
    expect(document.text).toBe("ab");
  });

  it("is accepted as a whole or not at all", () => {
    const document = documentWith("abc");
    const response = applyTo(document, edit(ADA, 1, insertion(3, 0, "x"), insertion(3, 0, "y")));
    expect(response).toEqual({ refusal: "badChanges", version: 1, added: 0 });
    expect(document.text).toBe("abc");
  });

  it("keeps lone surrogates unit by unit, through bytes and snapshots", () => {
    const document = documentWith("\ud83d");
    applyTo(document, edit(ADA, 1, insertion(1, 1, "\ude00")));
    expect(document.text).toBe("😀");
    const half = documentWith("x\ud83d");
    const copy = new SharedDocument();
    copy.restore(half.snapshot());
    expect(copy.text).toBe("x\ud83d");
  });

  it("on a base that is dropped, or not reached, is refused", () => {
    const document = new SharedDocument({ ...DOCUMENT_LIMITS, windowUpdatesMax: 2 });
    for (let i = 0; i < 4; i++) applyTo(document, edit(ADA, i, insertion(i, i, "x")));
    expect(applyTo(document, edit(BOB, 1, insertion(1, 0, "y"))).refusal).toBe("baseTooOld");
    expect(applyTo(document, edit(BOB, 5, insertion(5, 0, "y"))).refusal).toBe("baseAhead");
    expect(applyTo(document, edit(BOB, 2, insertion(2, 0, "y"))).refusal).toBeNull();
    expect(document.text).toBe("yxxxx");
  });

  it("that would make the text too long is refused", () => {
    const document = new SharedDocument({ ...DOCUMENT_LIMITS, textLengthMax: 5 });
    applyTo(document, edit(ADA, 0, insertion(0, 0, "12345")));
    expect(applyTo(document, edit(ADA, 1, insertion(5, 0, "6"))).refusal).toBe("documentTooLarge");
    expect(document.text).toBe("12345");
  });
});

describe("hostile changes are refused, alike by validate and by apply, and change nothing", () => {
  const long = "x".repeat(COMMAND_SIZE_MAX);
  const hostile: readonly (readonly [string, readonly unknown[]])[] = [
    ["no updates", []],
    ["a negative length", [[-1, [0, "x"], 4]]],
    ["a fraction", [[2.5, 0.5]]],
    ["minus zero", [[3, [-0, "x"]]]],
    ["a number beyond all integers", [[1e300]]],
    ["nothing at all as a part", [[3, 0]]],
    ["an empty replacement", [[3, [0]]]],
    ["an empty line as an insert", [[2, [1, ""]]]],
    ["a line that is no string", [[3, [0, 7]]]],
    ["a line feed inside a line", [[3, [0, "a\nb"]]]],
    ["a carriage return inside a line", [[3, [0, "a\rb"]]]],
    ["null as a part", [[3, null]]],
    ["an object as a part", [[3, { 0: 1 }]]],
    ["more than may be inserted", [[3, [0, long, "x"]]]],
    ["too many updates", Array.from({ length: COMMAND_UPDATES_MAX + 1 }, () => [3])],
    ["a second update for another length", [[3], [4]]],
  ];
  for (const [title, updates] of hostile) {
    it(title, () => {
      const document = documentWith("abc");
      const before = document.snapshot();
      const command = edit(ADA, 1, ...(updates as ChangesJson[]));
      expect(document.validate(command)).toBe("badChanges");
      expect(document.apply([placed(command)])[0]?.refusal).toBe("badChanges");
      expect(document.snapshot()).toEqual(before);
    });
  }

  it("a length that is right in itself and wrong here: at apply", () => {
    const document = documentWith("abc");
    const command = edit(ADA, 1, [1_000_000_000]);
    expect(document.validate(command)).toBeNull();
    expect(applyTo(document, command).refusal).toBe("badChanges");
  });

  it("a client id that two editors used, with other lengths: no exception, no change", () => {
    const document = documentWith("abc");
    applyTo(document, edit(ADA, 1, insertion(3, 0, "one")));
    applyTo(document, edit(BOB, 2, insertion(6, 0, "two")));
    const before = document.snapshot();
    const response = applyTo(document, edit(ADA, 1, [[3, "x"]], insertion(1, 1, "y")));
    expect(response.refusal).toBe("badChanges");
    expect(document.snapshot()).toEqual(before);
  });
});

describe("bytes that are no command", () => {
  const encode = (text: string) => new Uint8Array([2, ...new TextEncoder().encode(text)]);
  const cases: readonly (readonly [string, Uint8Array])[] = [
    ["none", new Uint8Array()],
    ["another version", new Uint8Array([1, 91, 93])],
    ["no UTF-8", new Uint8Array([2, 34, 255, 34])],
    ["no JSON", encode("[")],
    ["an unknown kind", encode('["erase"]')],
    ["a short client id", encode('["edit","short",0,"",0,0,0,[[]],null]')],
    ["a negative base", encode('["edit","ada-editor-1",0,"",0,0,-1,[[]],null]')],
    ["a base that is no number", encode('["edit","ada-editor-1",0,"",0,0,"0",[[]],null]')],
    ["updates that are no lists", encode('["edit","ada-editor-1",0,"",0,0,0,["x"],null]')],
    ["a key that is no string", encode('["set",7,1]')],
    ["a missing value", encode('["set","k"]')],
    ["a million brackets", encode("[".repeat(1_000_000))],
  ];
  for (const [title, bytes] of cases) {
    it(`${title}: unreadable, and a no-op`, () => {
      const document = new SharedDocument();
      const command = document.decode(bytes);
      expect(command).toEqual({ kind: "unreadable" });
      expect(document.apply([placed(command)])).toEqual([{ refusal: "unreadable", version: 0, added: 0 }]);
    });
  }
});

describe("the map", () => {
  const set = (key: string, value: MapValue): DocumentCommand => ({ kind: "set", key, value });

  it("compares by value, not by the order of keys", () => {
    const document = new SharedDocument();
    applyTo(document, set("k", { b: 1, a: [true, null] }));
    const swap = (expected: MapValue): DocumentCommand => ({ kind: "compareAndSet", key: "k", expected, value: "new" });
    expect(applyTo(document, swap({ b: 1 })).refusal).toBe("notEqual");
    expect(applyTo(document, swap({ a: [true, null], b: 1 })).refusal).toBeNull();
    expect(document.get("k")).toBe("new");
  });

  it("takes null for absent, in both directions", () => {
    const document = new SharedDocument();
    const empty = document.snapshot();
    expect(applyTo(document, { kind: "compareAndSet", key: "k", expected: null, value: 1 }).refusal).toBeNull();
    expect(applyTo(document, set("k", null)).refusal).toBeNull();
    expect(document.get("k")).toBeNull();
    expect(document.snapshot()).toEqual(empty);
  });

  it("refuses keys and values that JSON could not bring back", () => {
    const document = new SharedDocument();
    const deep = JSON.parse("[".repeat(40) + "]".repeat(40)) as MapValue;
    const refusals = [
      set("", 1),
      set("__proto__", 1),
      set("k".repeat(KEY_LENGTH_MAX + 1), 1),
      set("k", Number.POSITIVE_INFINITY),
      set("k", deep),
      set("k", "x".repeat(70_000)),
      set("k", JSON.parse('{"__proto__":1}') as MapValue),
    ].map((command) => [document.validate(command), document.apply([placed(command)])[0]?.refusal]);
    expect(refusals).toEqual([...Array(3).fill(["badKey", "badKey"]), ...Array(4).fill(["badValue", "badValue"])]);
    expect(document.decode(new TextEncoder().encode('\u0002["set","k",1e400]')).kind).toBe("set");
  });

  it("is bounded as a whole", () => {
    const document = new SharedDocument();
    const refusals = Array.from({ length: 20 }, (_, i) => applyTo(document, set(`k${i}`, "x".repeat(60_000))).refusal);
    expect(refusals.filter((refusal) => refusal === null)).toHaveLength(17);
    expect(refusals.at(-1)).toBe("documentTooLarge");
  });
});

describe("what was accepted", () => {
  it("is told once, from the version of the last telling", () => {
    const document = documentWith("ab");
    expect(document.takeAccepted().fromVersion).toBe(0);
    applyTo(document, edit(ADA, 1, insertion(2, 2, "c")));
    applyTo(document, { kind: "set", key: "title", value: "T" });
    expect(document.takeAccepted()).toEqual({
      fromVersion: 1,
      updates: [{ clientId: ADA, changes: [2, [0, "c"]] }],
      map: [["title", "T"]],
    });
    expect(document.takeAccepted()).toEqual({ fromVersion: 2, updates: [], map: [] });
  });

  it("is not listed after a restore: the text was replaced", () => {
    const document = new SharedDocument();
    document.restore(documentWith("abc").snapshot());
    expect(document.takeAccepted().updates).toBeNull();
    expect(document.takeAccepted().updates).toEqual([]);
  });

  it("leads from any kept version to the text", () => {
    const document = documentWith("a");
    for (let i = 1; i < 5; i++) applyTo(document, edit(ADA, i, insertion(i, 0, "b")));
    const updates = document.updatesSince(1) ?? [];
    const text = updates.reduce((doc, { changes }) => ChangeSet.fromJSON(changes).apply(doc), Text.of(["a"]));
    expect(text.toString()).toBe(document.text);
    expect(document.updatesSince(6)).toBeNull();
  });
});

describe("a snapshot", () => {
  it("brings back text, window and map; replicas go on alike", () => {
    const document = documentWith("a\nb");
    applyTo(document, { kind: "set", key: "z", value: 1 });
    applyTo(document, { kind: "set", key: "a", value: { y: 1, x: 2 } });
    const copy = new SharedDocument();
    copy.restore(document.snapshot());
    expect([copy.text, copy.version, copy.map]).toEqual([document.text, document.version, document.map]);
    for (const replica of [document, copy]) applyTo(replica, edit(BOB, 0, insertion(0, 0, "late ")));
    expect(copy.snapshot()).toEqual(document.snapshot());
  });

  it("that is damaged is refused and changes nothing", () => {
    const bytes = documentWith("abc").snapshot();
    const json = new TextDecoder().decode(bytes.subarray(1));
    const damaged = [
      json.slice(1),
      json.replace("[1,", "[0,"),
      json.replace('"abc"', '"ab"'),
      json.replace("[0,", "[-1,"),
      json.replace('[3,"Ada', '[2,"Ada'),
      "[]",
    ];
    const document = documentWith("kept");
    for (const text of damaged) {
      expect(() => document.restore(new Uint8Array([2, ...new TextEncoder().encode(text)])), text).toThrow("no snapshot");
    }
    expect(document.text).toBe("kept");
  });

  it("keeps an update that rebasing made larger than a command may be", () => {
    const document = documentWith("ab");
    const full = "x".repeat(COMMAND_SIZE_MAX - 2);
    applyTo(document, edit(ADA, 1, insertion(2, 1, "|")));
    expect(applyTo(document, edit(BOB, 1, [[2, full]])).refusal).toBeNull();
    expect(() => new SharedDocument().restore(document.snapshot())).not.toThrow();
  });
});
