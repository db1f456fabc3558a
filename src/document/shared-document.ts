/**
 * The replicated state machine: a text that many edit at once, and a small map. The log is the authority of CodeMirror's
 * collaborative editing: an edit carries the version that it was made on, and every replica rebases it, here, over what the log
 * accepted since. So nobody has to arrive first, a repeated edit changes nothing, and no undecided text exists anywhere.
 *
 * Laws: `apply` is a pure function of state and commands and never throws; an edit list is accepted as a whole or not at all;
 * replicas that applied the same commands have byte-identical snapshots.
 */
import { Text } from "@codemirror/state";
import { AuthorRuns } from "./authors.ts";
import { areChangesSound, readChanges } from "./changes.ts";
import { decodeCommand, encodeCommand, isEditHeaderSound, STATE_MACHINE_VERSION, UnsupportedVersion } from "./command-codec.ts";
import { EditorSessions } from "./editor-sessions.ts";
import { StepHistory, toHistoryStep } from "./history.ts";
import { DOCUMENT_LIMITS, type DocumentLimits } from "./limits.ts";
import { rebase } from "./rebase.ts";
import { decodeResponse, encodeResponse } from "./response-codec.ts";
import { readSnapshot, writeSnapshot } from "./snapshot.ts";
import type {
  AcceptedUpdate,
  AuthorRun,
  DocumentCommand,
  DocumentRefusal,
  DocumentResponse,
  EditCommand,
  HistoryStep,
  MapValue,
  PlacedCommand,
} from "./types.ts";
import { UpdateWindow, type WindowUpdate } from "./update-window.ts";
import { ValueMap } from "./value-map.ts";

/** What the document knows of an editor that wants to go on. */
export interface EditorStanding {
  /** How many of its updates are in the document; `null`: it is not known any more. */
  readonly accepted: number | null;
  /** Another editor has taken over. */
  readonly replacedBy: string | null;
}

/** What happened since it was last asked. */
export interface AcceptedChanges {
  /** The version that `updates` start from. */
  readonly fromVersion: number;
  /** `null`: the text was replaced, or more was accepted than is kept. Read `text` and `version` instead. */
  readonly updates: readonly AcceptedUpdate[] | null;
  /** Keys that were written, with their value now. */
  readonly map: readonly (readonly [key: string, value: MapValue])[];
}

export class SharedDocument {
  private content = Text.empty;
  private window: UpdateWindow;
  private values = new ValueMap();
  private authorRuns = new AuthorRuns([], 0);
  private history = new StepHistory([], false);
  private sessions: EditorSessions;
  /** The version of the state machine that the log has come to. */
  private level = STATE_MACHINE_VERSION;
  private takenVersion = 0;
  private replaced = false;

  /**
   * Other limits are for tests: replicas of one log must share theirs.
   * @param supported the latest version of the state machine that this code is
   */
  constructor(
    private readonly limits: DocumentLimits = DOCUMENT_LIMITS,
    private readonly supported = STATE_MACHINE_VERSION,
  ) {
    this.window = new UpdateWindow(limits, 0);
    this.sessions = new EditorSessions([], limits.sessionsMax, false);
  }

  /** With "\n" between lines. */
  get text(): string {
    return this.content.toString();
  }

  /** The same, as it is kept: never altered. */
  get doc(): Text {
    return this.content;
  }

  /** In UTF-16 units. */
  get length(): number {
    return this.content.length;
  }

  /** How many updates led to this text. */
  get version(): number {
    return this.window.version;
  }

  get map(): { readonly [key: string]: MapValue } {
    return this.values.toObject();
  }

  /** `null` stands for a key that is not there. */
  get(key: string): MapValue {
    return this.values.get(key);
  }

  encode(command: DocumentCommand): Uint8Array {
    return encodeCommand(command);
  }

  /** Total; bytes that are no command become `unreadable`. */
  decode(bytes: Uint8Array): DocumentCommand {
    return decodeCommand(bytes);
  }

  encodeResponse(response: DocumentResponse): Uint8Array {
    return encodeResponse(response);
  }

  /** Total; bytes that are no response become a refusal as `unreadable`. */
  decodeResponse(bytes: Uint8Array): DocumentResponse {
    return decodeResponse(bytes);
  }

  /** What can be judged without knowing where in the log the command will stand. */
  validate(command: DocumentCommand): DocumentRefusal | null {
    switch (command.kind) {
      case "edit":
        if (!isEditHeaderSound(command)) return "unreadable";
        return areChangesSound(command.updates, null) ? null : "badChanges";
      case "set":
        return this.values.refusalOf(command.key, command.value, null);
      case "compareAndSet":
        return this.values.refusalOf(command.key, command.value, command.expected);
      case "upgrade":
        return command.to > this.supported ? "unreadable" : null;
      case "unreadable":
        return "unreadable";
    }
  }

  /** @throws UnsupportedVersion where the log goes over to what this code is not: rather stop than become another document */
  apply(commands: readonly PlacedCommand[]): readonly DocumentResponse[] {
    return commands.map((placed) => {
      const before = this.version;
      const refusal = this.applyOne(placed);
      return { refusal, version: this.version, added: this.version - before };
    });
  }

  /** The updates that lead from `version` to the text as it is; `null` if they are not kept any more. */
  updatesSince(version: number): readonly AcceptedUpdate[] | null {
    return this.window.acceptedSince(version);
  }

  /** The same, for whoever moves changes over them. */
  windowSince(version: number): readonly WindowUpdate[] | null {
    return this.window.since(version);
  }

  /** The oldest version that an edit may still be based on. */
  get firstKeptVersion(): number {
    return this.window.firstVersion;
  }

  /** Whose the parts of the text are, from its start to its end. */
  authors(): readonly AuthorRun[] {
    return this.authorRuns.runs();
  }

  /** Oldest first; the newest leads to the text as it is. */
  steps(): readonly HistoryStep[] {
    return this.history.steps().map(toHistoryStep);
  }

  editor(clientId: string): EditorStanding {
    const session = this.sessions.get(clientId);
    if (session !== null) return session;
    return { accepted: this.sessions.hasForgotten ? null : 0, replacedBy: null };
  }

  /** What was accepted since the last call; for the one who tells the editors. */
  takeAccepted(): AcceptedChanges {
    const fromVersion = this.takenVersion;
    const updates = this.replaced ? null : this.window.acceptedSince(fromVersion);
    this.takenVersion = this.version;
    this.replaced = false;
    return { fromVersion, updates, map: this.values.takeWritten() };
  }

  snapshot(): Uint8Array {
    const { firstVersion, version } = this.window;
    return writeSnapshot({
      level: this.level,
      version,
      text: this.text,
      window: this.window.acceptedSince(firstVersion) ?? [],
      map: this.values.entries(),
      sessions: this.sessions,
      authors: this.authors(),
      steps: this.steps(),
      isStepOpen: this.history.hasOpenStep,
    });
  }

  /**
   * @throws UnsupportedVersion if a later program wrote it
   * @throws Error if the bytes are no snapshot; nothing was changed then
   */
  restore(bytes: Uint8Array): void {
    const restored = readSnapshot(bytes, this.limits, this.supported);
    if (restored === null)
      throw new Error(`these ${bytes.length} bytes are no snapshot of a document that this version can read`);
    this.level = restored.level;
    this.content = restored.content;
    this.window = restored.window;
    this.values = restored.values;
    this.sessions = restored.sessions;
    this.authorRuns = restored.authors;
    this.history = restored.history;
    this.replaced = true;
  }

  private applyOne(placed: PlacedCommand): DocumentRefusal | null {
    const { command } = placed;
    switch (command.kind) {
      case "edit":
        return isEditHeaderSound(command) ? this.applyEdit(command, placed) : "unreadable";
      case "set":
        return this.values.set(command.key, command.value);
      case "compareAndSet":
        return this.values.compareAndSet(command.key, command.expected, command.value);
      case "upgrade":
        return this.upgrade(command.to);
      case "unreadable":
        return "unreadable";
    }
  }

  private upgrade(to: number): null {
    if (to > this.supported) throw new UnsupportedVersion(to, this.supported);
    this.level = Math.max(this.level, to);
    return null;
  }

  private applyEdit(command: EditCommand, placed: PlacedCommand): DocumentRefusal | null {
    const { clientId, serial, baseVersion, updates } = command;
    const session = this.sessions.get(clientId);
    if (session !== null && session.replacedBy !== null) return "replaced";
    if (session !== null && serial > session.accepted) return "serialGap";
    if (baseVersion > this.version) return "baseAhead";
    // All of it is there already, whatever the window has forgotten.
    if (session !== null && serial + updates.length <= session.accepted && updates.length > 0) return null;
    const refusal = this.refuseReplacing(command);
    if (refusal !== null) return refusal;
    const over = this.window.since(baseVersion);
    if (over === null) return "baseTooOld";
    const changes = readChanges(updates, over[0]?.changes.length ?? this.content.length);
    if (changes === null) return "badChanges";
    const rebased = rebase(
      changes.map((set) => ({ clientID: clientId, changes: set })),
      over,
    );
    if (rebased === "tooFar") return "baseTooOld";
    if (rebased === "contradiction") return "badChanges";
    if (session !== null && session.accepted - serial !== updates.length - rebased.length) return "badChanges";
    return this.accept(rebased, command, placed);
  }

  private refuseReplacing({ clientId, replaces }: EditCommand): DocumentRefusal | null {
    if (replaces === null) return null;
    const old = this.sessions.get(replaces.clientId);
    if (old?.replacedBy === clientId) return null;
    if (old !== null && old.replacedBy !== null) return "replaced";
    if (old !== null && old.accepted !== replaces.accepted) return "replacesOther";
    return old === null && replaces.accepted > 0 && !this.sessions.hasForgotten ? "replacesOther" : null;
  }

  /** All of them, or none. */
  private accept(updates: readonly WindowUpdate[], command: EditCommand, placed: PlacedCommand): DocumentRefusal | null {
    const texts: Text[] = [this.content];
    let content = this.content;
    for (const { changes } of updates) {
      if (changes.length !== content.length) return "badChanges";
      if (changes.newLength > this.limits.textLengthMax) return "documentTooLarge";
      content = changes.apply(content);
      texts.push(content);
    }
    const { author, color, at } = command;
    const authorship = { author, color, at, index: placed.index, term: placed.term };
    const mark = updates.length > 0 ? this.authorRuns.begin(authorship) : 0;
    updates.forEach((update, i) => {
      this.window.push(update);
      this.authorRuns.apply(update.changes, mark);
      this.history.add(this.version, update.changes.invert(texts[i] ?? this.content), authorship);
    });
    this.content = content;
    this.authorRuns.turn(this.version);
    this.sessions.accept(command.clientId, command.serial + command.updates.length);
    if (command.replaces !== null) this.sessions.replace(command.replaces.clientId, command.clientId);
    return null;
  }
}
