/** Carries out what the page asks, and answers; each answer is preceded by a status that includes it. */
import type { SharedDocument } from "../document/shared-document.ts";
import type { DocumentCommand, DocumentRefusal, DocumentResponse } from "../document/types.ts";
import type { Proposed, ProposeOptions, Raft } from "../driver/raft.ts";
import type { NodeFaults } from "./faults.ts";
import type {
  FromNode,
  GenerationRequest,
  LogLine,
  MembershipAction,
  NodeFailure,
  NodeRequest,
  NodeResults,
} from "./protocol.ts";

const readTimeoutMs = 10_000;

/** What is told of the node itself. */
export interface Inquiries {
  log(from: number, count: number): readonly LogLine[];
  metrics(): Promise<string>;
  trace(): Promise<string>;
}

export class RequestDesk {
  readonly #raft: Raft<DocumentCommand, DocumentResponse, DocumentRefusal>;
  readonly #document: SharedDocument;
  readonly #faults: NodeFaults;
  readonly #inquiries: Inquiries;
  readonly #post: (message: FromNode) => void;
  readonly #postStatus: () => void;
  readonly #generations: (request: GenerationRequest) => Promise<NodeResults[GenerationRequest["kind"]]>;
  readonly #membership: (action: MembershipAction) => Promise<unknown>;

  constructor(
    raft: Raft<DocumentCommand, DocumentResponse, DocumentRefusal>,
    document: SharedDocument,
    faults: NodeFaults,
    inquiries: Inquiries,
    post: (message: FromNode) => void,
    postStatus: () => void,
    generations: (request: GenerationRequest) => Promise<NodeResults[GenerationRequest["kind"]]>,
    membership: (action: MembershipAction) => Promise<unknown>,
  ) {
    this.#raft = raft;
    this.#document = document;
    this.#faults = faults;
    this.#inquiries = inquiries;
    this.#post = post;
    this.#postStatus = postStatus;
    this.#generations = generations;
    this.#membership = membership;
  }

  handle(id: number, request: NodeRequest): void {
    switch (request.kind) {
      case "edit":
        // The document drops what it has accepted already, so an edit whose outcome is unknown is simply sent again, without a session.
        return this.#propose(id, request, { idempotent: true }, ({ index, term, response }) => ({ index, term, response }));
      case "set":
        return this.#propose(id, request, {}, ({ index, term }) => ({ index, term }));
      case "compareAndSet":
        return this.#compareAndSet(id, request);
      case "get":
        return this.#read(id, () => this.#document.get(request.key));
      case "read":
        return this.#read(id, () => ({ text: this.#document.text, version: this.#document.version, map: this.#document.map }));
      case "membership":
        return void this.#membership(request.action).then(
          () => this.#answer(id, null),
          (error: Error) => this.#refuse(id, failureOf(error)),
        );
      case "continueWithoutOthers":
      case "yield":
      case "compareCopy":
      case "mergeCopy":
      case "dropCopy":
        return void this.#generations(request).then(
          (value) => this.#answer(id, value),
          (error: Error) => this.#refuse(id, failureOf(error)),
        );
      case "log":
        return this.#answer(id, this.#inquiries.log(request.from, request.count));
      case "metrics":
        return this.#later(id, this.#inquiries.metrics());
      case "trace":
        return this.#later(id, this.#inquiries.trace());
      case "fault":
        this.#faults.apply(request.fault);
        return this.#answer(id, null);
    }
  }

  #propose(
    id: number,
    command: DocumentCommand,
    options: ProposeOptions,
    resultOf: (applied: Proposed<DocumentResponse> & { response: DocumentResponse }) => NodeResults["edit" | "set"],
  ): void {
    this.#raft.proposeThen(command, options, (outcome) => {
      if (outcome instanceof Error) return this.#refuse(id, failureOf(outcome));
      const { response } = outcome;
      if (response === null) return this.#refuse(id, unknownResponse);
      if (response.refusal !== null) return this.#refuse(id, rejected(response.refusal));
      this.#answer(id, resultOf({ ...outcome, response }));
    });
  }

  /** "Not equal" is an answer, not a failure. */
  #compareAndSet(id: number, command: Extract<NodeRequest, { kind: "compareAndSet" }>): void {
    this.#raft.proposeThen(command, {}, (outcome) => {
      if (outcome instanceof Error) return this.#refuse(id, failureOf(outcome));
      const { index, term, response } = outcome;
      if (response === null) return this.#refuse(id, unknownResponse);
      if (response.refusal !== null && response.refusal !== "notEqual") return this.#refuse(id, rejected(response.refusal));
      this.#answer(id, { index, term, swapped: response.refusal === null });
    });
  }

  #read(id: number, resultOf: () => NodeResults["get" | "read"]): void {
    this.#raft.readThen({ timeoutMs: readTimeoutMs }, (outcome) => {
      if (outcome instanceof Error) this.#refuse(id, failureOf(outcome));
      else this.#answer(id, resultOf());
    });
  }

  #answer(id: number, value: NodeResults[keyof NodeResults]): void {
    this.#postStatus();
    this.#post({ kind: "answered", id, value });
  }

  #later(id: number, text: Promise<string>): void {
    text.then(
      (value) => this.#answer(id, value),
      (error: Error) => this.#refuse(id, failureOf(error)),
    );
  }

  #refuse(id: number, failure: NodeFailure): void {
    this.#post({ kind: "refused", id, failure });
  }
}

/** Applied, but its response is gone, as after a snapshot that came meanwhile: the caller must look for itself. */
const unknownResponse: NodeFailure = {
  name: "Timeout",
  message: "the command was committed, but its response is no longer known here",
  code: null,
  mayHaveApplied: true,
};

function rejected(refusal: DocumentRefusal): NodeFailure {
  return {
    name: "CommandRejected",
    message: `the document refused the command: ${refusal}`,
    code: refusal,
    mayHaveApplied: false,
  };
}

/** What the page is told of an error. */
export function failureOf(error: Error): NodeFailure {
  const code = "error" in error && typeof error.error === "string" ? error.error : null;
  const mayHaveApplied = "mayHaveApplied" in error && error.mayHaveApplied === true;
  return { name: error.name, message: error.message, code, mayHaveApplied };
}
