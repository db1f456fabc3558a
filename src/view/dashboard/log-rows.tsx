/** The rows of a log: one for each entry. */
import type { LogLine, NodeStatus } from "../../page/types.ts";
import { bytesWords } from "../words.ts";

export const ENTRY_KINDS: { readonly [kind: string]: string } = {
  edit: "edit",
  set: "set a value",
  compareAndSet: "compare and set",
  blank: "blank (term begins)",
  configuration: "configuration",
  session: "session",
  unreadable: "unreadable",
};

export function LogHead() {
  return (
    <thead className="log-head">
      <tr className="log-row">
        {["Index", "Term", "Kind", "Author", "Size", "State"].map((title) => (
          <th key={title} scope="col">
            {title}
          </th>
        ))}
      </tr>
    </thead>
  );
}

interface RowProps {
  readonly index: number;
  /** Pixels. */
  readonly top: number;
  readonly line: LogLine | null;
  readonly status: NodeStatus;
}

export function LogRow({ index, top, line, status }: RowProps) {
  const committed = index <= status.commitIndex;
  const atSnapshot = index === status.snapshotIndex;
  const className = ["log-row", committed ? "" : "log-open", atSnapshot ? "log-snapshot" : ""].filter(Boolean).join(" ");
  return (
    <tr aria-rowindex={index} className={className} style={{ transform: `translateY(${top}px)` }}>
      <td>{index}</td>
      <td>{line?.term ?? "…"}</td>
      <td>{line === null ? "…" : (ENTRY_KINDS[line.kind] ?? line.kind)}</td>
      <td>{line?.author ?? "–"}</td>
      <td>{line === null ? "…" : bytesWords(line.bytes)}</td>
      <td>
        {committed ? "committed" : "not committed"}
        {atSnapshot && ", snapshot ends here"}
      </td>
    </tr>
  );
}
