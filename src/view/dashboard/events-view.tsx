/** What happened, newest first, and why; to be filtered and taken away. */
import { useState } from "react";
import type { SeenEvent } from "../../page/session-store.ts";
import type { NodeEvent } from "../../page/types.ts";
import { useSessionState } from "../context.ts";
import { saveFile } from "../save-file.ts";

export const EVENT_KINDS: { readonly [kind in NodeEvent["kind"]]: string } = {
  election: "Elections",
  configuration: "Membership",
  autopilot: "Autopilot",
  log: "Log",
  fault: "Faults",
  peer: "Connections",
  storage: "Storage",
  signaling: "Signaling",
};

export function EventsView() {
  const events = useSessionState((state) => state.events);
  const [kind, setKind] = useState<NodeEvent["kind"] | "">("");
  const [words, setWords] = useState("");
  const wanted = words.trim().toLowerCase();
  const shown = events
    .filter((event) => (kind === "" || event.kind === kind) && (wanted === "" || event.text.toLowerCase().includes(wanted)))
    .reverse();
  return (
    <>
      <div className="tools">
        <label className="tool">
          <span>Kind</span>
          <select value={kind} onChange={(event) => setKind(event.target.value as NodeEvent["kind"] | "")}>
            <option value="">all</option>
            {Object.entries(EVENT_KINDS).map(([key, title]) => (
              <option key={key} value={key}>
                {title}
              </option>
            ))}
          </select>
        </label>
        <label className="tool">
          <span>Containing</span>
          <input value={words} size={14} onChange={(event) => setWords(event.target.value)} />
        </label>
        <button type="button" className="button button-small" disabled={shown.length === 0} onClick={() => exportEvents(shown)}>
          Export as CSV
        </button>
      </div>
      {shown.length === 0 ? (
        <p className="muted">{events.length === 0 ? "Nothing has happened yet." : "No event is like that."}</p>
      ) : (
        <ol className="events" aria-label="Events, newest first">
          {shown.map((event) => (
            <EventLine key={event.id} event={event} />
          ))}
        </ol>
      )}
    </>
  );
}

const clock = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  fractionalSecondDigits: 3,
  hour12: false,
});

export function EventLine({ event }: { readonly event: NodeEvent }) {
  const at = new Date(event.at);
  return (
    <li className={`event event-${event.kind}`}>
      <time dateTime={at.toISOString()}>{clock.format(at)}</time>
      <span className="event-term">term {event.term}</span>
      <span className="tag">{EVENT_KINDS[event.kind]}</span>
      <span className="event-text">{event.text}</span>
    </li>
  );
}

function exportEvents(newestFirst: readonly SeenEvent[]): void {
  const quote = (text: string) => `"${text.replace(/"/g, '""')}"`;
  const lines = [...newestFirst]
    .reverse()
    .map(({ at, kind, term, text }) => [new Date(at).toISOString(), kind, String(term), quote(text)].join(","));
  saveFile("tabraft-events.csv", "text/csv", ["at,kind,term,text", ...lines, ""].join("\r\n"));
}
