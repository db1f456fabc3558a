/**
 * A tab that replays a trace: the real page without its views. The editor is the one that the page binds to CodeMirror's view; here its
 * host is a state alone.
 */
import { sendableUpdates } from "@codemirror/collab";
import type { ChangeSet, EditorState, Transaction, TransactionSpec } from "@codemirror/state";
import type { CollabEditor, EditorHost } from "../../page/collab-editor.ts";
import { Session } from "../../page/session.ts";
import { expose } from "./expose.ts";
import { changesOf, TraceBridge } from "./trace-bridge.ts";
import type { ConcurrentEdit, TraceEdit } from "./trace-file.ts";

/** Of one replay, in this tab. */
export interface ReplayFigure {
  /** From the first edit to the last acknowledgement. */
  readonly milliseconds: number;
  /** From each edit to its acknowledgement: committed, applied, and back in the editor. */
  readonly acknowledgedMs: readonly number[];
}

/** Which edits a tab makes, when, and as what. */
interface Script {
  /** The next edit on the text as it is here; `null`: not before something else has come in; `undefined`: there is none any more. */
  next(state: EditorState): TransactionSpec | null | undefined;
  /** What another tab wrote has come in. */
  receive(changes: ChangeSet): void;
}

/** One person's trace. Patches of one edit build on one another. */
function alone(edits: readonly TraceEdit[]): Script {
  let at = 0;
  return {
    next: (state) => {
      const edit = edits[at++];
      return edit === undefined ? undefined : { changes: changesOf(edit, state.doc.length) };
    },
    receive: () => {
      throw new Error("another tab wrote in the middle of the replay");
    },
  };
}

/**
 * One of two people: each edit is made once all is here that it was made after. Edits that change nothing here, as when the other has
 * deleted the same, are no updates; the two tabs tell each other which.
 */
function together(edits: readonly ConcurrentEdit[], agent: number, wake: () => void): Script {
  const bridge = new TraceBridge(edits, agent);
  const mine = edits.flatMap((edit, index) => (edit.agent === agent ? [index] : []));
  const channel = new BroadcastChannel("trace");
  const cameIn: ChangeSet[] = [];
  const announced: boolean[] = [];
  const pair = (): void => {
    while (announced.length > 0) {
      const [isVoid] = announced;
      const changes = isVoid === true ? null : cameIn.shift();
      if (changes === undefined) return;
      announced.shift();
      bridge.receive(changes);
    }
  };
  channel.addEventListener("message", ({ data }: MessageEvent<boolean>) => {
    announced.push(data);
    pair();
    wake();
  });
  let at = 0;
  return {
    next: () => {
      for (let edit = mine[at]; edit !== undefined; edit = mine[at]) {
        // What has come in and is not announced yet has no place yet.
        if (!bridge.isDue(edit) || cameIn.length > 0) return null;
        const changes = bridge.place(edit);
        at += 1;
        channel.postMessage(changes.empty);
        if (!changes.empty) return { changes };
      }
      return undefined;
    },
    receive: (changes) => {
      cameIn.push(changes);
      pair();
    },
  };
}

class Replay implements EditorHost {
  private readonly begun: number[] = [];
  private readonly acknowledgedMs: number[] = [];
  private isEnded = false;
  private wanted = false;
  private readonly ended: Promise<void>;
  private end: () => void = () => undefined;

  constructor(
    public state: EditorState,
    private readonly script: Script,
    private readonly inFlightMax: number,
    private readonly editor: CollabEditor,
  ) {
    this.ended = new Promise((resolve) => {
      this.end = resolve;
    });
  }

  dispatch(transactions: readonly Transaction[]): void {
    this.state = transactions.at(-1)?.state ?? this.state;
    for (const { startState, state, changes } of transactions) {
      const isOwn = sendableUpdates(state).length < sendableUpdates(startState).length;
      if (!isOwn) this.script.receive(changes);
    }
    this.acknowledge();
    this.want();
  }

  setState(): void {
    throw new Error("the document was replaced in the middle of the replay");
  }

  async run(): Promise<ReplayFigure> {
    const started = performance.now();
    this.feed();
    await this.ended;
    return { milliseconds: performance.now() - started, acknowledgedMs: this.acknowledgedMs };
  }

  /** Edits are made outside of the editor's own work. */
  want(): void {
    if (this.wanted) return;
    this.wanted = true;
    queueMicrotask(() => {
      this.wanted = false;
      this.feed();
    });
  }

  private acknowledge(): void {
    const now = performance.now();
    const acknowledged = this.begun.length - this.editor.unconfirmed;
    while (this.acknowledgedMs.length < acknowledged) {
      this.acknowledgedMs.push(now - (this.begun[this.acknowledgedMs.length] ?? now));
    }
    if (this.isEnded && this.editor.unconfirmed === 0) this.end();
  }

  private feed(): void {
    let room = this.inFlightMax - this.editor.unconfirmed;
    for (; room > 0 && !this.isEnded; room -= 1) {
      const begun = performance.now();
      const spec = this.script.next(this.state);
      if (spec === null) return;
      if (spec === undefined) {
        this.isEnded = true;
        this.acknowledge();
        return;
      }
      this.begun.push(begun);
      this.state = this.state.update(spec).state;
      this.editor.edited();
    }
  }
}

const session = new Session();
session.start();

function room() {
  const { room: open } = session;
  if (open === null) throw new Error("no document is open");
  return open;
}

async function untilOpen(): Promise<string> {
  return await new Promise((resolve) => {
    const look = () => {
      const { screen, link } = session.store.getState();
      if (screen.kind !== "document" || link === null) return;
      stop();
      resolve(link);
    };
    const stop = session.store.subscribe(look);
    look();
  });
}

async function replay(script: (wake: () => void) => Script, inFlightMax: number): Promise<ReplayFigure> {
  const { editor } = room();
  const made: Replay = new Replay(
    editor.mount([]),
    script(() => made.want()),
    inFlightMax,
    editor,
  );
  editor.attach(made);
  return await made.run();
}

expose({
  /** Resolves with the secret part of the link. */
  newDocument: async (): Promise<string> => {
    session.newDocument();
    return new URL(await untilOpen()).hash;
  },
  replay: async (path: string, inFlightMax: number): Promise<ReplayFigure> => {
    const edits = (await (await fetch(`/${path}`)).json()) as readonly TraceEdit[];
    return await replay(() => alone(edits), inFlightMax);
  },
  replayTogether: async (path: string, agent: number, inFlightMax: number): Promise<ReplayFigure> => {
    const edits = (await (await fetch(`/${path}`)).json()) as readonly ConcurrentEdit[];
    return await replay((wake) => together(edits, agent, wake), inFlightMax);
  },
});
