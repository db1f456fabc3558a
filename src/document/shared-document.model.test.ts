/**
 * Five editors, one log, a network that repeats and reorders, editors that crash and lose their place: the promises of the document, over random
 * runs. `TABRAFT_CASES=100000 npx vitest run src/document/shared-document.model.test.ts` takes so many.
 */
import { collab, getSyncedVersion, receiveUpdates, sendableUpdates } from "@codemirror/collab";
import { ChangeSet, EditorState, type Text } from "@codemirror/state";
import fc from "fast-check";
import { expect, it } from "vitest";
import { editOf, placed } from "./editing.test-kit.ts";
import { Leftover } from "./leftover.ts";
import { DOCUMENT_LIMITS } from "./limits.ts";
import { SharedDocument } from "./shared-document.ts";
import type { ChangesJson, DocumentCommand } from "./types.ts";

const KINDS = ["type", "erase", "undo", "send", "receive", "commit", "repeat", "crash", "compact"] as const;

interface Step {
  readonly kind: (typeof KINDS)[number];
  readonly who: number;
  readonly at: number;
  readonly count: number;
}

const CLIENTS = 5;
const CASES = Number(globalThis.process?.env["TABRAFT_CASES"] ?? 10_000);
const FIRST_MARK = 0x4e00;

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.oneof(
    { weight: 5, arbitrary: fc.constant("type" as const) },
    { weight: 3, arbitrary: fc.constant("send" as const) },
    { weight: 3, arbitrary: fc.constant("commit" as const) },
    { weight: 2, arbitrary: fc.constantFrom("erase" as const, "receive" as const) },
    { weight: 1, arbitrary: fc.constantFrom("undo" as const, "repeat" as const, "crash" as const, "compact" as const) },
  ),
  who: fc.nat(CLIENTS - 1),
  at: fc.nat(1_000),
  count: fc.integer({ min: 1, max: 4 }),
});

/** One run of an editor, as the page has it; what is unconfirmed is in the outbox as it stands here. */
class Editor {
  state: EditorState;
  confirmed = 0;
  /** What undoes each insertion of this editor, kept where it belongs. */
  private undos: ChangeSet[] = [];

  constructor(
    readonly clientId: string,
    document: SharedDocument,
  ) {
    const extensions = collab({ startVersion: document.version, clientID: clientId });
    this.state = EditorState.create({ doc: document.doc, extensions });
    this.base = document.doc;
  }

  /** The text at the version that the unconfirmed updates change. */
  base: Text;

  change(changes: ChangeSet, isInsertion: boolean): void {
    const { doc } = this.state;
    this.state = this.state.update({ changes }).state;
    this.undos = this.undos.map((undo) => undo.map(changes));
    if (isInsertion) this.undos.push(changes.invert(doc));
  }

  takeUndo(): ChangeSet | null {
    return this.undos.pop() ?? null;
  }

  get pending(): readonly ChangesJson[] {
    return sendableUpdates(this.state).map(({ changes }) => changes.toJSON() as ChangesJson);
  }

  get version(): number {
    return getSyncedVersion(this.state);
  }

  receive(clientId: string, changes: ChangeSet): void {
    const before = this.state;
    const transaction = receiveUpdates(this.state, [{ clientID: clientId, changes }]);
    this.state = transaction.state;
    if (clientId === this.clientId) this.confirmed += 1;
    this.base = changes.apply(this.base);
    if (before.doc !== this.state.doc) this.undos = this.undos.map((undo) => undo.map(transaction.changes));
  }
}

class World {
  leader: SharedDocument;
  follower: SharedDocument;
  readonly editors: Editor[];
  /** Sent and not yet in the log. */
  private readonly inFlight: DocumentCommand[] = [];
  private readonly sent: DocumentCommand[] = [];
  readonly typed = new Set<string>();
  readonly erased = new Set<string>();
  /** Shown to the person, since it could not be placed. */
  offered = "";
  /** A text difference cannot tell a word that stayed from one that was taken out and written anew. */
  hasMerged = false;
  private marks = 0;
  private index = 0;
  private ids = 0;

  constructor(private readonly windowUpdatesMax: number) {
    this.leader = this.replica();
    this.follower = this.replica();
    this.editors = Array.from({ length: CLIENTS }, () => this.newEditor());
  }

  replica(): SharedDocument {
    return new SharedDocument({ ...DOCUMENT_LIMITS, windowUpdatesMax: this.windowUpdatesMax });
  }

  run({ kind, who, at, count }: Step): void {
    const editor = this.editor(who);
    switch (kind) {
      case "type":
        return this.type(editor, at, count);
      case "erase":
        return this.erase(editor, at, count);
      case "undo":
        return this.undo(editor);
      case "send":
        return this.send(editor);
      case "receive":
        return this.receive(who, count);
      case "commit":
        return this.commit(this.inFlight.splice(at % Math.max(1, this.inFlight.length), 1));
      case "repeat":
        return this.commit(this.sent.slice(at % Math.max(1, this.sent.length)).slice(0, 1));
      case "crash":
        return this.crash(who);
      case "compact":
        return this.compact(at % 2 === 0);
    }
  }

  /** Everything in flight lands, and every editor sends until it has nothing left. */
  settle(): void {
    this.commit(this.inFlight.splice(0).reverse());
    for (let who = 0; who < CLIENTS; who++) {
      this.receive(who, Number.MAX_SAFE_INTEGER);
      this.send(this.editor(who));
      this.commit(this.inFlight.splice(0));
      this.receive(who, Number.MAX_SAFE_INTEGER);
      if (this.editor(who).pending.length > 0) this.crash(who);
    }
    // What was sent long ago arrives once more.
    this.commit(this.sent);
    for (let who = 0; who < CLIENTS; who++) this.receive(who, Number.MAX_SAFE_INTEGER);
  }

  private newEditor(): Editor {
    this.ids += 1;
    return new Editor(`editor-${String(this.ids).padStart(4, "0")}`, this.leader);
  }

  private editor(who: number): Editor {
    const editor = this.editors[who];
    if (editor === undefined) throw new RangeError(`editor ${who}`);
    return editor;
  }

  private type(editor: Editor, at: number, count: number): void {
    let insert = "";
    for (let i = 0; i < count; i++) insert += String.fromCharCode(FIRST_MARK + this.marks++);
    for (const mark of insert) this.typed.add(mark);
    const { length } = editor.state.doc;
    const spec = { from: at % (length + 1), insert: at % 5 === 0 ? `\n${insert}` : insert };
    editor.change(ChangeSet.of(spec, length, "\n"), true);
  }

  private erase(editor: Editor, at: number, count: number): void {
    const { doc } = editor.state;
    const from = at % (doc.length + 1);
    const to = Math.min(doc.length, from + count);
    for (const mark of doc.sliceString(from, to)) this.erased.add(mark);
    if (from < to) editor.change(ChangeSet.of({ from, to }, doc.length), false);
  }

  private undo(editor: Editor): void {
    const undo = editor.takeUndo();
    if (undo === null || undo.empty) return;
    const { doc } = editor.state;
    undo.iterChanges((from, to) => {
      for (const mark of doc.sliceString(from, to)) this.erased.add(mark);
    });
    editor.change(undo, false);
  }

  private send(editor: Editor): void {
    const updates = editor.pending;
    if (updates.length === 0) return;
    const command = editOf(editor.clientId, editor.version, updates, { serial: editor.confirmed });
    this.inFlight.push(command);
    this.sent.push(command);
  }

  private commit(commands: readonly DocumentCommand[]): void {
    const log = commands.map((command) => placed(this.leader.decode(this.leader.encode(command)), ++this.index));
    expect(this.follower.apply(log)).toEqual(this.leader.apply(log));
  }

  /** An editor that has fallen out of the window begins anew; what it had is brought in without it. */
  private receive(who: number, count: number): void {
    const editor = this.editor(who);
    const updates = this.leader.updatesSince(editor.version);
    if (updates === null) return this.crash(who);
    for (const { clientId, changes } of updates.slice(0, count)) editor.receive(clientId, ChangeSet.fromJSON(changes));
  }

  private crash(who: number): void {
    const { clientId, confirmed, version, base, pending } = this.editor(who);
    this.salvage(
      new Leftover({ clientId, serial: confirmed, baseVersion: version, baseText: base.toString(), updates: pending }),
    );
    this.editors[who] = this.newEditor();
  }

  private salvage(leftover: Leftover): void {
    for (;;) {
      const standing = leftover.bringUp(this.leader);
      if (standing === "done") return;
      if (standing === "ahead") throw new Error("no editor is ahead of the leader");
      if (standing === "ready") {
        const { serial, baseVersion, updates } = leftover.next();
        this.commit([editOf(leftover.clientId, baseVersion, updates, { serial })]);
        continue;
      }
      const { changes, baseVersion, accepted, unplaced } = leftover.merge(this.leader);
      for (const { mine } of unplaced) this.offered += mine;
      this.hasMerged = true;
      if (changes === null) return;
      this.ids += 1;
      const heir = editOf(`editor-${String(this.ids).padStart(4, "0")}`, baseVersion, [changes], {
        replaces: { clientId: leftover.clientId, accepted },
      });
      this.sent.push(heir);
      this.commit([heir]);
    }
  }

  private compact(isLeader: boolean): void {
    const copy = this.replica();
    copy.restore((isLeader ? this.leader : this.follower).snapshot());
    if (isLeader) this.leader = copy;
    else this.follower = copy;
  }
}

const marksOf = (text: string) => [...text].filter((mark) => mark >= "\u4e00");

function check(steps: readonly Step[], windowUpdatesMax: number): void {
  const world = new World(windowUpdatesMax);
  for (const one of steps) world.run(one);
  world.settle();
  const { text } = world.leader;
  for (const { state, pending } of world.editors) expect([state.doc.toString(), pending]).toEqual([text, []]);
  expect(Buffer.compare(world.follower.snapshot(), world.leader.snapshot())).toBe(0);
  const marks = marksOf(text);
  expect(new Set(marks).size).toBe(marks.length);
  const wanted = [...world.typed].filter((mark) => !world.erased.has(mark));
  if (world.hasMerged) expect(wanted.filter((mark) => !text.includes(mark) && !world.offered.includes(mark))).toEqual([]);
  else expect(marks.sort()).toEqual(wanted.sort());
  const runs = world.leader.authors().reduce((sum, { length }) => sum + length, 0);
  expect(runs).toBe(text.length);
}

it(`${CASES} runs: every edit counts exactly once, none is lost, and all replicas and editors agree`, () => {
  const steps = fc.array(step, { minLength: 5, maxLength: 50, size: "max" });
  const window = fc.constantFrom(DOCUMENT_LIMITS.windowUpdatesMax, 12, 3);
  fc.assert(fc.property(steps, window, check), { numRuns: CASES });
}, 600_000);

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
