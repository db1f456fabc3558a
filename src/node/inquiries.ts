/** What is told of a node when somebody asks: ranges of its log, its measures, its trace. */
import type { SharedDocument } from "../document/shared-document.ts";
import type { DocumentCommand, DocumentRefusal, DocumentResponse } from "../document/types.ts";
import type { Raft } from "../driver/raft.ts";
import type { NodeId } from "../raft/types.ts";
import { LOG_LINES_MAX, logLine } from "./log-lines.ts";
import type { Observer } from "./observer.ts";
import type { NodeStatus } from "./protocol.ts";
import type { Inquiries } from "./request-desk.ts";

export interface InquiryParts {
  readonly raft: Raft<DocumentCommand, DocumentResponse, DocumentRefusal>;
  readonly document: SharedDocument;
  readonly observer: Observer;
  status(): NodeStatus | null;
  /** Of this node and of those that it knows. */
  ids(): readonly NodeId[];
  nameOf(id: NodeId): string;
}

export function createInquiries({ raft, document, observer, status, ids, nameOf }: InquiryParts): Inquiries {
  return {
    log: (from, count) => {
      const { commitIndex } = raft.metrics();
      const entries = raft.log(Math.trunc(from), Math.min(Math.trunc(count), LOG_LINES_MAX));
      return entries.map((entry) => logLine(entry, commitIndex, document));
    },
    // What is asked for rarely is loaded when it is asked for.
    metrics: async () => {
      const { prometheusText } = await import("./prometheus.ts");
      const now = status();
      return now ? prometheusText(now, observer.measures) : "";
    },
    trace: () => {
      const names = Object.fromEntries(ids().map((id) => [id, nameOf(id)] as const));
      return observer.traceText(names, Date.now() - performance.now());
    },
  };
}
