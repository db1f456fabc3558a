/**
 * The replicated state machine: a text that many edit at once, and a small map. The log is the authority of CodeMirror's
 * collaborative editing: an edit carries the version that it was made on, and every replica rebases it, here, over what the log
 * accepted since. So nobody has to arrive first, a repeated edit changes nothing, and no undecided text exists anywhere.
 *
 * Laws: `apply` is a pure function of state and commands and never throws; an edit list is accepted as a whole or not at all;
 * replicas that applied the same commands have byte-identical snapshots.
 */
import { Text } from "@codemirror/state";
import { areChangesSound, readChanges } from "./changes.ts";
import { decodeCommand, encodeCommand, isEditHeaderSound } from "./command-codec.ts";
import { DOCUMENT_LIMITS, type DocumentLimits } from "./limits.ts";
import { rebase } from "./rebase.ts";
import { decodeResponse, encodeResponse } from "./response-codec.ts";
import { readSnapshot, writeSnapshot } from "./snapshot.ts";
import type { AcceptedUpdate, DocumentCommand, DocumentRefusal, DocumentResponse, MapValue } from "./types.ts";
import { UpdateWindow } from "./update-window.ts";
import { ValueMap } from "./value-map.ts";

type EditCommand = Extract<DocumentCommand, { kind: "edit" }>;

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
  private takenVersion = 0;
  private replaced = false;

  /** Other limits are for tests: replicas of one log must share theirs. */
  constructor(private readonly limits: DocumentLimits = DOCUMENT_LIMITS) {
    this.window = new UpdateWindow(limits, 0);
  }

  /** With "\n" between lines. */
  get text(): string {
    return this.content.toString();
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
      case "unreadable":
        return "unreadable";
    }
  }

  apply(commands: readonly { readonly command: DocumentCommand }[]): readonly DocumentResponse[] {
    return commands.map(({ command }) => {
      const before = this.version;
      const refusal = this.applyOne(command);
      return { refusal, version: this.version, added: this.version - before };
    });
  }

  /** The updates that lead from `version` to the text as it is; `null` if they are not kept any more. */
  updatesSince(version: number): readonly AcceptedUpdate[] | null {
    return this.window.acceptedSince(version);
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
    const window = this.window.acceptedSince(firstVersion) ?? [];
    return writeSnapshot({ version, text: this.text, window, map: this.values.entries() });
  }

  /** @throws Error if the bytes are no snapshot of this version; nothing was changed then */
  restore(bytes: Uint8Array): void {
    const restored = readSnapshot(bytes, this.limits);
    if (restored === null)
      throw new Error(`these ${bytes.length} bytes are no snapshot of a document that this version can read`);
    this.content = restored.content;
    this.window = restored.window;
    this.values = restored.values;
    this.replaced = true;
  }

  private applyOne(command: DocumentCommand): DocumentRefusal | null {
    switch (command.kind) {
      case "edit":
        return isEditHeaderSound(command) ? this.applyEdit(command) : "unreadable";
      case "set":
        return this.values.set(command.key, command.value);
      case "compareAndSet":
        return this.values.compareAndSet(command.key, command.expected, command.value);
      case "unreadable":
        return "unreadable";
    }
  }

  private applyEdit(command: EditCommand): DocumentRefusal | null {
    if (command.baseVersion > this.version) return "baseAhead";
    const over = this.window.since(command.baseVersion);
    if (over === null) return "baseTooOld";
    const changes = readChanges(command.updates, over[0]?.changes.length ?? this.content.length);
    if (changes === null) return "badChanges";
    const submitted = changes.map((set) => ({ clientID: command.clientId, changes: set }));
    const rebased = rebase(submitted, over);
    if (rebased === "tooFar") return "baseTooOld";
    if (rebased === "contradiction") return "badChanges";
    let content = this.content;
    for (const update of rebased) {
      if (update.changes.length !== content.length) return "badChanges";
      if (update.changes.newLength > this.limits.textLengthMax) return "documentTooLarge";
      content = update.changes.apply(content);
    }
    this.content = content;
    for (const update of rebased) this.window.push(update);
    return null;
  }
}
