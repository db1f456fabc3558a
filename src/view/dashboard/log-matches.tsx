/** Entries of one kind or author, found backward from the end of the log; more are looked for when they are asked for. */
import { useCallback, useEffect, useRef, useState } from "react";
import type { LogReader } from "../../page/log-reader.ts";
import type { LogLine, NodeStatus } from "../../page/types.ts";
import { count } from "../words.ts";
import { LogHead, LogRow } from "./log-rows.tsx";

const BATCH = 100;

interface MatchesProps {
  readonly reader: LogReader;
  readonly status: NodeStatus;
  readonly filter: { readonly kind: string; readonly author: string };
}

export function LogMatches({ reader, status, filter }: MatchesProps) {
  const [found, setFound] = useState<readonly LogLine[]>([]);
  const [reached, setReached] = useState(status.lastLogIndex + 1);
  const [searching, setSearching] = useState(false);
  const running = useRef<{ aborted: boolean } | null>(null);
  const author = filter.author.trim().toLowerCase();
  const matches = useCallback(
    (line: LogLine) =>
      (filter.kind === "" || line.kind === filter.kind) && (author === "" || (line.author ?? "").toLowerCase().includes(author)),
    [filter.kind, author],
  );
  const first = status.firstLogIndex;
  const search = useCallback(
    (before: number) => {
      const signal = { aborted: false };
      running.current = signal;
      setSearching(true);
      reader.search(matches, { first, before }, BATCH, signal).then(
        (result) => {
          if (signal.aborted) return;
          setFound((known) => [...known, ...result.found]);
          setReached(result.reached);
          setSearching(false);
        },
        () => setSearching(false),
      );
    },
    [reader, matches, first],
  );
  // Once, from the end of the log as it was when the filter was set.
  const start = useRef(status.lastLogIndex + 1);
  useEffect(() => {
    search(start.current);
    return () => {
      if (running.current) running.current.aborted = true;
    };
  }, [search]);
  const whole = reached <= first;
  return (
    <>
      <p className="muted" role="status">
        {searching ? "Looking …" : `${count(found.length, "entry", "entries")} found, from ${reached} to ${start.current - 1}.`}
      </p>
      {found.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
        <section className="log" tabIndex={0} aria-label="Entries that match">
          <table aria-label="Matches" className="log-table log-matches">
            <LogHead />
            <tbody>
              {found.map((line) => (
                <LogRow key={line.index} index={line.index} top={0} line={line} status={status} />
              ))}
            </tbody>
          </table>
        </section>
      )}
      {!whole && !searching && (
        <button type="button" className="button button-small" onClick={() => search(reached)}>
          Look further back
        </button>
      )}
    </>
  );
}
