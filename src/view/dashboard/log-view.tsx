/** The log of this node, entry by entry, and how far the others are: virtual, so that a long one costs no more than a short one. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { type FormEvent, useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { LogReader } from "../../page/log-reader.ts";
import type { NodeStatus } from "../../page/types.ts";
import { useSession } from "../context.ts";
import { type NodeLine, nodeLines } from "../node-lines.ts";
import { count } from "../words.ts";
import { LogMatches } from "./log-matches.tsx";
import { ENTRY_KINDS, LogHead, LogRow } from "./log-rows.tsx";

const ROW_HEIGHT = 28;
/** Rows from the end at which the table counts as following it. */
const NEAR_END_PX = 2 * ROW_HEIGHT;

export function LogView({ status }: { readonly status: NodeStatus }) {
  const session = useSession();
  const reader = useMemo(
    () =>
      new LogReader((from, lines) => {
        const { room } = session;
        if (room === null) return Promise.reject(new Error("no document is open"));
        return room.request<"log">({ kind: "log", from, count: lines });
      }),
    [session],
  );
  reader.follow(status);
  const [filter, setFilter] = useState({ kind: "", author: "" });
  const [follow, setFollow] = useState(true);
  const [jump, setJump] = useState<number | null>(null);
  const filtering = filter.kind !== "" || filter.author !== "";
  return (
    <>
      <Replicas status={status} />
      <LogTools
        status={status}
        filter={filter}
        onFilter={setFilter}
        follow={follow}
        onFollow={setFollow}
        onJump={(index) => {
          setFollow(false);
          setFilter({ kind: "", author: "" });
          setJump(index);
        }}
      />
      {filtering ? (
        <LogMatches key={`${filter.kind} ${filter.author}`} reader={reader} status={status} filter={filter} />
      ) : (
        <LogTable
          reader={reader}
          status={status}
          follow={follow}
          onFollow={setFollow}
          jump={jump}
          onJumped={() => setJump(null)}
        />
      )}
    </>
  );
}

/** Where each node's log ends, and how much of it is known to be the leader's. */
function Replicas({ status }: { readonly status: NodeStatus }) {
  const ends = new Map(status.peers.map(({ id, lastLogIndex, matchIndex }) => [id, { lastLogIndex, matchIndex }]));
  const lines = nodeLines(status);
  return (
    <section aria-labelledby="replicas-heading">
      <h2 id="replicas-heading">
        How far each log reaches
        <span className="muted">
          entries {status.firstLogIndex} to {status.lastLogIndex} kept here
        </span>
      </h2>
      <div className="scroll-x">
        <table className="table">
          <thead>
            <tr>
              <th scope="col">Node</th>
              <th scope="col">Last</th>
              <th scope="col">Match</th>
              <th scope="col">Commit</th>
              <th scope="col">Against this log</th>
            </tr>
          </thead>
          <tbody>
            {lines.map((node) => {
              const last = node.isSelf ? status.lastLogIndex : (ends.get(node.id)?.lastLogIndex ?? null);
              const match = node.isSelf ? null : (ends.get(node.id)?.matchIndex ?? null);
              return (
                <tr key={node.id}>
                  <th scope="row">
                    <NodeDot node={node} /> {node.name}
                  </th>
                  <td>{last ?? "–"}</td>
                  <td>{match ?? "–"}</td>
                  <td>{node.commitIndex ?? "–"}</td>
                  <td>{againstWords(status, node, last)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function againstWords(status: NodeStatus, node: NodeLine, last: number | null): string {
  if (node.isSelf) {
    const tail = status.lastLogIndex - status.commitIndex;
    return tail === 0 ? "all committed" : `${count(tail, "entry", "entries")} not committed`;
  }
  if (last === null || !node.connected) return "not heard";
  const distance = last - status.lastLogIndex;
  if (distance === 0) return "as long";
  return distance > 0 ? `${distance} longer` : `${-distance} shorter`;
}

export function NodeDot({ node }: { readonly node: NodeLine }) {
  return <span className={`dot node-color-${node.color}`} aria-hidden="true" />;
}

interface ToolsProps {
  readonly status: NodeStatus;
  readonly filter: { readonly kind: string; readonly author: string };
  readonly onFilter: (filter: { kind: string; author: string }) => void;
  readonly follow: boolean;
  readonly onFollow: (follow: boolean) => void;
  readonly onJump: (index: number) => void;
}

function LogTools({ status, filter, onFilter, follow, onFollow, onJump }: ToolsProps) {
  const [wanted, setWanted] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const index = Number.parseInt(wanted, 10);
    if (!Number.isNaN(index)) onJump(Math.min(status.lastLogIndex, Math.max(status.firstLogIndex, index)));
  };
  return (
    <form className="tools" onSubmit={submit}>
      <label className="tool">
        <span>Index</span>
        <input inputMode="numeric" value={wanted} size={8} onChange={(event) => setWanted(event.target.value)} />
      </label>
      <button type="submit" className="button button-small">
        Go to
      </button>
      <label className="tool">
        <span>Kind</span>
        <select value={filter.kind} onChange={(event) => onFilter({ ...filter, kind: event.target.value })}>
          <option value="">all</option>
          {Object.entries(ENTRY_KINDS).map(([kind, words]) => (
            <option key={kind} value={kind}>
              {words}
            </option>
          ))}
        </select>
      </label>
      <label className="tool">
        <span>Author</span>
        <input value={filter.author} size={10} onChange={(event) => onFilter({ ...filter, author: event.target.value })} />
      </label>
      <label className="tool tool-check">
        <input type="checkbox" checked={follow} onChange={(event) => onFollow(event.target.checked)} />
        <span>Follow the tail</span>
      </label>
    </form>
  );
}

interface TableProps {
  readonly reader: LogReader;
  readonly status: NodeStatus;
  readonly follow: boolean;
  readonly onFollow: (follow: boolean) => void;
  readonly jump: number | null;
  readonly onJumped: () => void;
}

function LogTable({ reader, status, follow, onFollow, jump, onJumped }: TableProps) {
  useSyncExternalStore(reader.subscribe, reader.getVersion);
  const scroller = useRef<HTMLDivElement>(null);
  const rows = Math.max(0, status.lastLogIndex - status.firstLogIndex + 1);
  const virtual = useVirtualizer({
    count: rows,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 8,
    // A log that is compacted at its beginning must not move what somebody reads.
    getItemKey: (at) => status.firstLogIndex + at,
  });
  useEffect(() => {
    if (follow && rows > 0) virtual.scrollToIndex(rows - 1, { align: "end" });
  }, [follow, rows, virtual]);
  useEffect(() => {
    if (jump === null) return;
    virtual.scrollToIndex(jump - status.firstLogIndex, { align: "center" });
    onJumped();
  }, [jump, onJumped, status.firstLogIndex, virtual]);
  const onScroll = () => {
    const element = scroller.current;
    if (element === null || !follow) return;
    const fromEnd = element.scrollHeight - element.scrollTop - element.clientHeight;
    if (virtual.scrollDirection === "backward" && fromEnd > NEAR_END_PX) onFollow(false);
  };
  if (rows === 0) return <p className="muted">The log has no entries yet.</p>;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
    <section className="log" ref={scroller} onScroll={onScroll} tabIndex={0} aria-label="Entries of the log">
      <table aria-label="Log" aria-rowcount={status.lastLogIndex} className="log-table">
        <LogHead />
        <tbody className="log-rows" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => {
            const index = status.firstLogIndex + item.index;
            return <LogRow key={item.key} index={index} top={item.start} line={reader.line(index)} status={status} />;
          })}
        </tbody>
      </table>
    </section>
  );
}
