/** Several editors, one log, a network that repeats and reorders: the promises of the document, over random runs. */
import { collab, getSyncedVersion, receiveUpdates, sendableUpdates } from "@codemirror/collab";
import { ChangeSet, EditorState } from "@codemirror/state";
import fc from "fast-check";
import { expect, it } from "vitest";
import { editOf, placed } from "./editing.test-kit.ts";
import { DOCUMENT_LIMITS } from "./limits.ts";
import { SharedDocument } from "./shared-document.ts";
import type { ChangesJson, DocumentCommand } from "./types.ts";

type Step =
  | { readonly kind: "type" | "erase"; readonly who: number; readonly at: number; readonly count: number }
  | { readonly kind: "send" | "receive"; readonly who: number; readonly at: number; readonly count: number }
  | { readonly kind: "commit" | "repeat" | "snapshot"; readonly who: number; readonly at: number; readonly count: number };

const CLIENTS = 4;

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom("type", "type", "erase", "send", "send", "receive", "commit", "commit", "repeat", "snapshot"),
  who: fc.nat(CLIENTS - 1),
  at: fc.nat(1_000),
  count: fc.integer({ min: 1, max: 4 }),
});

class World {
  readonly leader: SharedDocument;
  follower: SharedDocument;
  readonly editors: EditorState[];
  /** Sent and not yet in the log. */
  private readonly inFlight: DocumentCommand[] = [];
  private readonly sent: DocumentCommand[] = [];
  readonly typed = new Set<string>();
  readonly erased = new Set<string>();
  private nextMark = 0x4e00;
  private index = 0;
  private readonly confirmed: number[] = [];

  constructor(private readonly windowUpdatesMax: number) {
    this.leader = this.replica();
    this.follower = this.replica();
    this.editors = Array.from({ length: CLIENTS }, (_, i) =>
      EditorState.create({ extensions: collab({ clientID: `editor-0${i}` }) }),
    );
  }

  replica(): SharedDocument {
    return new SharedDocument({ ...DOCUMENT_LIMITS, windowUpdatesMax: this.windowUpdatesMax });
  }

  run({ kind, who, at, count }: Step): void {
    switch (kind) {
      case "type":
        this.type(who, at, count);
        break;
      case "erase":
        this.erase(who, at, count);
        break;
      case "send":
        this.send(who);
        break;
      case "receive":
        this.receive(who, count);
        break;
      case "commit":
        this.commit(this.inFlight.splice(at % Math.max(1, this.inFlight.length), 1));
        break;
      case "repeat":
        this.commit(this.sent.slice(at % Math.max(1, this.sent.length)).slice(0, 1));
        break;
      case "snapshot": {
        const bytes = this.follower.snapshot();
        this.follower = this.replica();
        this.follower.restore(bytes);
      }
    }
  }

  /** Everything in flight lands, and every editor sends until it has nothing left. */
  settle(): void {
    this.commit(this.inFlight.splice(0).reverse());
    for (let who = 0; who < CLIENTS; who++) {
      this.receive(who, Number.MAX_SAFE_INTEGER);
      this.send(who);
      this.commit(this.inFlight.splice(0));
    }
    for (let who = 0; who < CLIENTS; who++) this.receive(who, Number.MAX_SAFE_INTEGER);
  }

  private editor(who: number): EditorState {
    const state = this.editors[who];
    if (state === undefined) throw new RangeError(`editor ${who}`);
    return state;
  }

  private type(who: number, at: number, count: number): void {
    const state = this.editor(who);
    let insert = "";
    for (let i = 0; i < count; i++) insert += String.fromCharCode(this.nextMark++);
    for (const mark of insert) this.typed.add(mark);
    const from = at % (state.doc.length + 1);
    this.editors[who] = state.update({ changes: { from, insert: at % 5 === 0 ? `\n${insert}` : insert } }).state;
  }

  private erase(who: number, at: number, count: number): void {
    const state = this.editor(who);
    const from = at % (state.doc.length + 1);
    const to = Math.min(state.doc.length, from + count);
    for (const mark of state.sliceDoc(from, to)) this.erased.add(mark);
    this.editors[who] = state.update({ changes: { from, to } }).state;
  }

  private send(who: number): void {
    const state = this.editor(who);
    const updates = sendableUpdates(state).map((update) => update.changes.toJSON() as ChangesJson);
    if (updates.length === 0) return;
    const baseVersion = getSyncedVersion(state);
    const command = editOf(`editor-0${who}`, baseVersion, updates, { serial: this.confirmed[who] ?? 0 });
    this.inFlight.push(command);
    this.sent.push(command);
  }

  private commit(commands: readonly DocumentCommand[]): void {
    const log = commands.map((command) => placed(this.leader.decode(this.leader.encode(command)), ++this.index));
    expect(this.follower.apply(log)).toEqual(this.leader.apply(log));
  }

  private receive(who: number, count: number): void {
    const state = this.editor(who);
    const updates = this.leader.updatesSince(getSyncedVersion(state))?.slice(0, count) ?? [];
    this.editors[who] = updates.reduce((editor, { clientId, changes }) => {
      if (clientId === `editor-0${who}`) this.confirmed[who] = (this.confirmed[who] ?? 0) + 1;
      const update = { clientID: clientId, changes: ChangeSet.fromJSON(changes) };
      return receiveUpdates(editor, [update]).state;
    }, state);
  }
}

it("every edit counts exactly once, and all replicas and editors agree", () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 10, maxLength: 120, size: "max" }), (steps) => {
      const world = new World(DOCUMENT_LIMITS.windowUpdatesMax);
      for (const one of steps) world.run(one);
      world.settle();
      const { text } = world.leader;
      for (const state of world.editors) expect(state.doc.toString()).toBe(text);
      expect(world.follower.snapshot()).toEqual(world.leader.snapshot());
      const marks = [...text].filter((mark) => mark !== "\n");
      expect(marks.sort()).toEqual([...world.typed].filter((mark) => !world.erased.has(mark)).sort());
    }),
    { numRuns: 120 },
  );
});

it("with a window of few updates, replicas still agree byte by byte", () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 120, size: "max" }), (steps) => {
      const world = new World(3);
      for (const one of steps) world.run(one);
      expect(world.follower.snapshot()).toEqual(world.leader.snapshot());
    }),
    { numRuns: 60 },
  );
});

it("no command that bytes can spell makes apply throw or replicas differ", () => {
  const part = fc.oneof(
    fc.nat(12),
    fc.integer(),
    fc.tuple(fc.nat(6)),
    fc.tuple(fc.nat(6), fc.string({ maxLength: 3 })),
    fc.anything(),
  );
  const updates = fc.array(fc.array(part, { maxLength: 4 }), { maxLength: 4 });
  const command = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.tuple(fc.constant("edit"), fc.constantFrom("editor-00", "editor-01"), fc.constant(""), fc.nat(9), updates),
    },
    fc.tuple(fc.constant("set"), fc.string({ maxLength: 3 }), fc.jsonValue()),
    fc.jsonValue(),
  );
  fc.assert(
    fc.property(fc.array(command, { maxLength: 40 }), (commands) => {
      const [one, two] = [new SharedDocument(), new SharedDocument()];
      for (const json of commands) {
        const bytes = new Uint8Array([2, ...new TextEncoder().encode(JSON.stringify(json))]);
        const log = [placed(one.decode(bytes))];
        expect(two.apply(log)).toEqual(one.apply(log));
      }
      expect(two.snapshot()).toEqual(one.snapshot());
      expect(() => new SharedDocument().restore(one.snapshot())).not.toThrow();
    }),
    { numRuns: 150 },
  );
});
