import { describe, expect, test } from "vitest";
import { createRandom, nextBelow } from "../raft/mod.ts";
import { VersionRecorder } from "./workload-versions.ts";

/** Editors of one document that counts its versions; answers are lost, or, if `twice`, an edit is carried out once more by mistake. */
function record(seed: number, twice: boolean): VersionRecorder {
  const random = createRandom(seed);
  const below = (bound: number): number => nextBelow(random, bound);
  const recorder = new VersionRecorder();
  let version = 0;
  for (let at = 0; at < 300; at++) {
    const updates = below(3);
    const id = recorder.invoke(`c${below(4)}`, updates);
    const luck = twice ? 9 : below(10);
    if (luck === 0) recorder.failed(id, true);
    if (luck === 0) continue;
    version += twice && at === 250 ? updates + 1 : luck === 1 ? 0 : updates;
    if (luck < 3) recorder.failed(id, false);
    // Asked again: the attempt that made the versions was not heard of.
    else if (luck === 3) recorder.returned(id, { version, added: 0, content: null }, true);
    else recorder.returned(id, { version, added: updates, content: updates === 0 ? `text ${version}` : null }, false);
  }
  return recorder;
}

describe("a recorded history of versions", () => {
  test("of a sound document is accepted, with lost answers and repeated edits in it", () => {
    for (let seed = 1; seed <= 20; seed++) expect(record(seed, false).fault()).toBeNull();
  });

  test("of an edit that was carried out twice is refused", () => {
    const recorder = new VersionRecorder();
    recorder.returned(recorder.invoke("a", 1), { version: 1, added: 1, content: null }, false);
    recorder.returned(recorder.invoke("b", 0), { version: 2, added: 0, content: null }, false);
    expect(recorder.fault()?.reason).toContain("no author");
    for (let seed = 1; seed <= 20; seed++) expect(record(seed, true).fault()?.reason).toContain("no author");
  });

  test("a repeated edit without versions of its own may be the author of earlier ones, once", () => {
    const recorder = new VersionRecorder();
    recorder.returned(recorder.invoke("a", 1), { version: 1, added: 0, content: null }, true);
    expect(recorder.fault()).toBeNull();
    recorder.returned(recorder.invoke("b", 0), { version: 2, added: 0, content: null }, false);
    expect(recorder.fault()).not.toBeNull();
  });

  test("readers of one version see one text", () => {
    const recorder = new VersionRecorder();
    recorder.returned(recorder.invoke("a", 0), { version: 0, added: 0, content: "a" }, false);
    recorder.returned(recorder.invoke("b", 0), { version: 0, added: 0, content: "b" }, false);
    expect(recorder.fault()?.reason).toBe("version 0 has two contents");
  });

  test("an edit that failed for sure has made nothing", () => {
    const recorder = new VersionRecorder();
    recorder.failed(recorder.invoke("a", 1), true);
    recorder.returned(recorder.invoke("b", 0), { version: 1, added: 0, content: null }, false);
    expect(recorder.fault()?.reason).toContain("no author");
    expect(() => recorder.failed(0, true)).toThrow("not open");
  });
});
