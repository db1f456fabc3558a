/** Editors over one real document: what is typed arrives once, whatever the way there does. */
import type { EditorState, Transaction } from "@codemirror/state";
import { describe, expect, it } from "vitest";
import { editOf, placed, serialIn } from "../document/editing.test-kit.ts";
import { SharedDocument } from "../document/shared-document.ts";
import type { DocumentRefusal } from "../document/types.ts";
import type { NodeResults } from "../node/protocol.ts";
import { CollabEditor, type EditorHost, type EditRequest, INSERT_LENGTH_MAX, type KeptChanges } from "./collab-editor.ts";
import { NodeError } from "./node-client.ts";

type Answer = { resolve(result: NodeResults["edit"]): void; reject(error: Error): void };
type Sent = EditRequest & Answer;

/** Answers come on later microtasks; a few turns settle all of them. */
async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

class Host implements EditorHost {
  state: EditorState;
  constructor(private readonly editor: CollabEditor) {
    this.state = editor.mount([]);
    editor.attach(this);
  }
  dispatch(transactions: readonly Transaction[]): void {
    for (const transaction of transactions) this.state = transaction.state;
  }
  setState(state: EditorState): void {
    this.state = state;
  }
  type(from: number, insert: string, to = from): void {
    const transaction = this.state.update({ changes: { from, to, insert } });
    this.state = transaction.state;
    if (transaction.docChanged) this.editor.edited();
  }
  get text(): string {
    return this.state.doc.toString();
  }
}

class Desk {
  readonly document = new SharedDocument();
  readonly sent: Sent[] = [];
  readonly timers: (() => void)[] = [];
  readonly editors: CollabEditor[] = [];
  readonly kept: KeptChanges[] = [];
  readonly stranded: string[] = [];
  readonly forgotten: string[] = [];
  refusedInserts = 0;
  private ids = 0;

  editor(): { editor: CollabEditor; host: Host } {
    const editor = new CollabEditor(
      {
        send: (edit) => new Promise((resolve, reject) => this.sent.push({ ...edit, resolve, reject })),
        newClientId: () => `client-${String(this.ids++).padStart(4, "0")}`,
        later: (_ms, fire) => {
          this.timers.push(fire);
          return () => this.timers.splice(this.timers.indexOf(fire), 1);
        },
        onChange: () => {},
        begin: () => {},
        keep: (kept) => this.kept.push(kept),
        strand: (clientId) => this.stranded.push(clientId),
        forget: (clientId) => this.forgotten.push(clientId),
        document: () => ({ version: this.document.version, text: this.document.text }),
        onInsertRefused: () => {
          this.refusedInserts += 1;
        },
      },
      this.document.version,
      this.document.text,
    );
    this.editors.push(editor);
    return { editor, host: new Host(editor) };
  }

  next(): Sent {
    const sent = this.sent.shift();
    if (sent === undefined) throw new Error("nothing was sent");
    return sent;
  }

  apply({ clientId, baseVersion, updates, serial }: Omit<EditRequest, "serial"> & Partial<EditRequest>): NodeResults["edit"] {
    const numbered = { serial: serial ?? serialIn(this.document, clientId, baseVersion) };
    const [response] = this.document.apply([placed(editOf(clientId, baseVersion, updates, numbered))]);
    if (response === undefined) throw new Error("no response");
    return { index: this.document.version, term: 1, response };
  }

  broadcast(): void {
    const { fromVersion, updates } = this.document.takeAccepted();
    for (const editor of this.editors) editor.receive(fromVersion, updates ?? []);
  }

  async accept(sent = this.next()): Promise<void> {
    const result = this.apply(sent);
    this.broadcast();
    sent.resolve(result);
    await settle();
  }

  async settleAll(): Promise<void> {
    while (this.sent.length > 0) await this.accept();
  }
}

function refusal(name: string, code: DocumentRefusal | null, mayHaveApplied: boolean): NodeError {
  return new NodeError({ name, code, mayHaveApplied, message: name });
}

describe("an editor", () => {
  it("shows what is typed at once, and counts it until it is accepted", async () => {
    const desk = new Desk();
    const { editor, host } = desk.editor();
    host.type(0, "hello");
    expect([host.text, editor.unconfirmed, desk.document.text]).toEqual(["hello", 1, ""]);
    await desk.accept();
    expect([editor.unconfirmed, desk.document.text]).toEqual([0, "hello"]);
  });

  it("has one request under way, and sends the rest after its answer", async () => {
    const desk = new Desk();
    const { host } = desk.editor();
    host.type(0, "a");
    host.type(1, "b");
    host.type(2, "c");
    expect(desk.sent).toHaveLength(1);
    await desk.accept();
    expect(desk.sent.map(({ updates }) => updates.length)).toEqual([2]);
    await desk.accept();
    expect(desk.document.text).toBe("abc");
  });

  it("waits for its own updates after an answer that came before them, instead of sending them again", async () => {
    const desk = new Desk();
    const { host } = desk.editor();
    host.type(0, "a");
    const sent = desk.next();
    sent.resolve(desk.apply(sent));
    await settle();
    expect(desk.sent).toHaveLength(0);
    host.type(1, "b");
    expect(desk.sent).toHaveLength(0);
    desk.broadcast();
    expect(desk.sent.map(({ baseVersion }) => baseVersion)).toEqual([1]);
  });

  it("sends the same list again after a failure, and the document takes it once", async () => {
    const desk = new Desk();
    const { editor, host } = desk.editor();
    host.type(0, "once");
    const lost = desk.next();
    desk.apply(lost);
    lost.reject(refusal("Timeout", null, true));
    await settle();
    for (const fire of desk.timers.splice(0)) fire();
    const again = desk.next();
    expect([again.clientId, again.updates]).toEqual([lost.clientId, lost.updates]);
    await desk.accept(again);
    expect([desk.document.text, host.text, editor.unconfirmed]).toEqual(["once", "once", 0]);
  });

  it("tries at once when a leader appears", async () => {
    const desk = new Desk();
    const { editor, host } = desk.editor();
    host.type(0, "x");
    desk.next().reject(refusal("NoQuorum", null, false));
    await settle();
    expect(desk.sent).toHaveLength(0);
    editor.nudge();
    expect([desk.sent.length, desk.timers.length]).toEqual([1, 0]);
  });

  it("does not knock on a node that has ended", async () => {
    const desk = new Desk();
    const { editor, host } = desk.editor();
    host.type(0, "x");
    desk.next().reject(refusal("Stopped", null, true));
    await settle();
    expect([desk.timers.length, desk.sent.length, editor.unconfirmed]).toEqual([0, 1, 1]);
  });

  it("agrees with the document about updates that come in together, as if they had come one by one", async () => {
    const desk = new Desk();
    desk.apply({ clientId: "somebody-1", baseVersion: 0, updates: [[[0, "a"]]] });
    desk.broadcast();
    const { host } = desk.editor();
    host.type(0, "X");
    // Deletes, then inserts at the same place: the sum of both would hide where the other insertion stood.
    desk.apply({ clientId: "somebody-1", baseVersion: 1, updates: [[[1]], [[0, "R"]]] });
    desk.broadcast();
    expect(host.text).toBe("RX");
    await desk.settleAll();
    expect([desk.document.text, host.text]).toEqual(["RX", "RX"]);
  });

  it("never uses a client id again: not for another run, not for another editor", async () => {
    const desk = new Desk();
    const { editor, host } = desk.editor();
    host.type(0, "a");
    const first = desk.sent[0]?.clientId;
    await desk.settleAll();
    editor.replace(7, "other");
    host.type(0, "b");
    const second = desk.sent[0]?.clientId;
    desk.editor().host.type(0, "c");
    expect(new Set([first, second, desk.sent[1]?.clientId]).size).toBe(3);
  });

  it("goes on after the view was taken away and came back", async () => {
    const desk = new Desk();
    const { editor, host } = desk.editor();
    host.type(0, "kept");
    editor.detach();
    const again = new Host(editor);
    expect([again.text, editor.unconfirmed]).toEqual(["kept", 1]);
    await desk.settleAll();
    expect(editor.unconfirmed).toBe(0);
  });
});

describe("the outbox", () => {
  it("is given each change as it is made, and all of them anew once another's has moved them", async () => {
    const desk = new Desk();
    const { host } = desk.editor();
    host.type(0, "a");
    host.type(1, "b");
    desk.apply({ clientId: "somebody-1", baseVersion: 0, updates: [[[0, "x"]]] });
    desk.broadcast();
    host.type(3, "c");
    expect(desk.kept.map(({ serial, baseVersion, updates, afresh }) => ({ serial, baseVersion, updates, afresh }))).toEqual([
      { serial: 0, baseVersion: 0, updates: [[[0, "a"]]], afresh: true },
      { serial: 1, baseVersion: 0, updates: [[1, [0, "b"]]], afresh: false },
      {
        serial: 0,
        baseVersion: 1,
        updates: [
          [1, [0, "a"]],
          [2, [0, "b"]],
          [3, [0, "c"]],
        ],
        afresh: true,
      },
    ]);
    await desk.settleAll();
    host.type(0, "d");
    expect(desk.kept.at(-1)).toMatchObject({ serial: 3, updates: [[[0, "d"], 4]], afresh: true });
  });
});

describe("edits that cannot be placed", () => {
  it("are kept with their text, and nothing more is sent until the person has seen them", async () => {
    const desk = new Desk();
    const { editor, host } = desk.editor();
    host.type(0, "mine");
    desk.next().reject(refusal("CommandRejected", "documentTooLarge", false));
    await settle();
    expect(editor.trouble).toEqual({ kind: "documentTooLarge", text: "mine", unconfirmed: 1 });
    host.type(4, "!");
    expect(desk.sent).toHaveLength(0);
    editor.dismissTrouble(desk.document.version, desk.document.text);
    expect([host.text, editor.unconfirmed, editor.trouble]).toEqual(["", 0, null]);
    host.type(0, "new");
    await desk.settleAll();
    expect(desk.document.text).toBe("new");
  });

  it("on a base that is too old are left to the outbox, unless the editor has moved on meanwhile", async () => {
    const desk = new Desk();
    const { editor, host } = desk.editor();
    host.type(0, "mine");
    const sent = desk.next();
    desk.apply({ clientId: "somebody-1", baseVersion: 0, updates: [[[0, "theirs "]]] });
    desk.broadcast();
    sent.reject(refusal("CommandRejected", "baseTooOld", false));
    await settle();
    expect(editor.trouble).toBeNull();
    for (const fire of desk.timers.splice(0)) fire();
    const { clientId } = desk.sent[0] ?? { clientId: "" };
    desk.next().reject(refusal("CommandRejected", "baseTooOld", false));
    await settle();
    expect([editor.trouble, host.text, desk.stranded]).toEqual([null, "theirs ", [clientId]]);
  });

  it("are left to the outbox when the document is replaced under them", async () => {
    const desk = new Desk();
    const { editor, host } = desk.editor();
    host.type(0, "mine");
    const late = desk.next();
    editor.replace(40, "theirs");
    expect([host.text, editor.unconfirmed, desk.stranded]).toEqual(["theirs", 0, [late.clientId]]);
    late.reject(refusal("Timeout", null, true));
    await settle();
    host.type(0, "x");
    expect(desk.sent.map(({ baseVersion }) => baseVersion)).toEqual([40]);
  });

  it("are not made at all if they are too large to be sent", () => {
    const desk = new Desk();
    const { editor, host } = desk.editor();
    host.type(0, "x".repeat(INSERT_LENGTH_MAX + 1));
    expect([host.text, editor.unconfirmed, desk.refusedInserts]).toEqual(["", 0, 1]);
  });
});
