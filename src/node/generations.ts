/**
 * Lost quorum: a person continues without the others, and later the two histories meet. The node that gives way keeps a copy of its text,
 * gives its identity up and comes back as a new one; its changes are then offered to the document that went on.
 */
import type { SharedDocument } from "../document/shared-document.ts";
import type { DocumentCommand, DocumentRefusal, DocumentResponse } from "../document/types.ts";
import type { Raft } from "../driver/raft.ts";
import type { PeerStatus } from "../network/digest.ts";
import type { Generation } from "../raft/types.ts";
import { Copies, type Copy } from "../storage/copies.ts";
import { workerClock } from "./clock.ts";
import { textAt } from "./fork-text.ts";
import { freshMs, Meeting, sharedThrough } from "./meeting.ts";
import type { CopyComparison, CopyLine, FromNode, GenerationRequest, NodeResults } from "./protocol.ts";
import { randomHex128 } from "./random-seed.ts";

export interface GenerationsOptions {
  readonly topic: string;
  readonly raft: Raft<DocumentCommand, DocumentResponse, DocumentRefusal>;
  readonly document: SharedDocument;
  readonly post: (message: FromNode) => void;
  peers(): readonly PeerStatus[];
  hasQuorum(): boolean;
  name(): string;
  /** This node and the free ones of its history on this device never run again. */
  giveUp(): Promise<void>;
  tell(text: string): void;
}

export class Generations {
  readonly #options: GenerationsOptions;
  readonly #meeting = new Meeting();
  #copies: Promise<Copies> | null = null;
  #yieldsTo: Generation | null = null;

  constructor(options: GenerationsOptions) {
    this.#options = options;
  }

  /** Twice a second. */
  turn(): void {
    const { raft, peers, hasQuorum, post, tell } = this.#options;
    const generation = raft.metricsOrNull()?.generation ?? null;
    if (generation === null || this.#yieldsTo !== null) return;
    const others = peers().flatMap(({ connected, lastContactMs, digest }) =>
      connected && (lastContactMs ?? freshMs) < freshMs && digest?.generation
        ? [{ generation: digest.generation, hasQuorum: digest.quorum }]
        : [],
    );
    const winner = this.#meeting.look(workerClock.now(), { generation, hasQuorum: hasQuorum() }, others);
    if (winner === null) return;
    this.#yieldsTo = winner;
    tell(`The document went on elsewhere, as generation ${winner.number}: this tab joins it, and keeps a copy of its own text.`);
    post({ kind: "superseded", by: { number: winner.number, id: winner.id } });
  }

  /** The peers, without those of another history: they are no candidates, since one of the two gives way first. */
  kin(): readonly PeerStatus[] {
    const { raft, peers } = this.#options;
    const own = raft.metricsOrNull()?.generation?.id;
    return peers().filter(({ digest }) => !digest?.generation || digest.generation.id === own);
  }

  /** Tells the page what is kept of this room. */
  async tellCopies(): Promise<void> {
    const copies = await (await this.#open()).of(this.#options.topic);
    const lines: CopyLine[] = copies.map(({ id, at, base, isMerged }) => ({ id, at, isMerged, canMerge: base !== null }));
    this.#options.post({ kind: "copies", copies: lines });
  }

  async handle(request: GenerationRequest): Promise<NodeResults[GenerationRequest["kind"]]> {
    switch (request.kind) {
      case "continueWithoutOthers":
        return this.#continue();
      case "yield":
        return this.#yield(request.text);
      case "compareCopy":
        return this.#compare(await this.#copy(request.copyId));
      case "mergeCopy":
        return this.#merge(await this.#copy(request.copyId));
      case "dropCopy":
        await (await this.#open()).drop(request.copyId);
        await this.tellCopies();
        return null;
    }
  }

  async #compare(copy: Copy): Promise<CopyComparison> {
    const { compare } = await import("./compare-texts.ts");
    return compare(this.#options.document.text, copy.text);
  }

  async #continue(): Promise<{ readonly number: number }> {
    const { raft, tell } = this.#options;
    await raft.continueWithoutOthers(randomHex128());
    const number = raft.metrics().generation?.number ?? 0;
    tell(`Somebody decided to go on without the others: this is generation ${number} of the document now.`);
    return { number };
  }

  /** `text`: as the page shows it, with what is not committed. A copy only if something was changed here since the histories parted. */
  async #yield(text: string): Promise<null> {
    const { raft, topic, giveUp } = this.#options;
    const own = raft.metrics().generation;
    if (this.#yieldsTo === null || own === null) throw new Error("nobody asks this node to give way");
    const shared = sharedThrough(own, this.#yieldsTo);
    const base = shared === null || raft.core === null ? null : textAt(raft.core, shared);
    if (base !== text) {
      const copy = { id: randomHex128(), topic, text, base, at: workerClock.wallTime(), isMerged: false };
      await (await this.#open()).put(copy);
    }
    await giveUp();
    return null;
  }

  /** As ordinary edits: what both sides changed stays as the document has it, and is told. */
  async #merge(copy: Copy): Promise<NodeResults["mergeCopy"]> {
    const { raft, document, name } = this.#options;
    if (copy.base === null) throw new Error("where the two texts parted is not known any more; copy by hand what you need");
    const { mergeThreeWay } = await import("../document/merge.ts");
    const { changes, conflicts } = mergeThreeWay(copy.base, copy.text, document.text);
    if (!changes.empty) {
      const baseVersion = document.version;
      const updates = [changes.toJSON()];
      const author = {
        clientId: randomHex128(),
        serial: 0,
        author: name(),
        color: 0,
        at: workerClock.wallTime(),
        replaces: null,
      };
      const { response } = await raft.propose({ kind: "edit", ...author, baseVersion, updates }, { idempotent: true });
      if (response?.refusal) throw new Error(`the document refused the changes: ${response.refusal}`);
    }
    await (await this.#open()).put({ ...copy, isMerged: true });
    await this.tellCopies();
    return { conflicts: conflicts.map(({ mine, theirs }) => ({ mine, theirs })) };
  }

  async #copy(id: string): Promise<Copy> {
    const found = (await (await this.#open()).of(this.#options.topic)).find((copy) => copy.id === id);
    if (found === undefined) throw new Error("this copy is not there any more");
    return found;
  }

  #open(): Promise<Copies> {
    this.#copies ??= Copies.open();
    return this.#copies;
  }
}

export function firstGeneration(): Generation {
  return { number: 1, id: randomHex128(), parentId: null, forkIndex: 0 };
}
