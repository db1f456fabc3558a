/** The log as lines of a table: what each entry is, without its content. */
import type { SharedDocument } from "../document/shared-document.ts";
import { FrameReader } from "../driver/framing.ts";
import type { Entry, LogIndex } from "../raft/types.ts";
import type { LogLine } from "./protocol.ts";

const reader = new FrameReader();

/** Lines of one answer: what the worker decodes without a pause that anybody could notice. */
export const LOG_LINES_MAX = 500;

export function logLine(entry: Entry, commitIndex: LogIndex, document: Pick<SharedDocument, "decode">): LogLine {
  const { index, term } = entry;
  const at = { index, term, committed: index <= commitIndex };
  if (entry.kind === "blank") return { ...at, kind: "blank", author: null, bytes: 0 };
  if (entry.kind === "configuration") {
    const bytes = JSON.stringify(entry.configuration).length;
    return { ...at, kind: "configuration", author: null, bytes };
  }
  const bytes = entry.command.byteLength;
  const kind = reader.read(entry.command);
  if (kind === "register") return { ...at, kind: "session", author: null, bytes };
  if (kind === "unknown") return { ...at, kind: "unreadable", author: null, bytes };
  const command = document.decode(entry.command.subarray(reader.bodyAt));
  const author = "author" in command && typeof command.author === "string" ? command.author : null;
  return { ...at, kind: command.kind, author, bytes };
}
