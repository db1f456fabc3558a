/** In place of the text while this tab has the link and nobody who has the document. */
import { useSessionState } from "./context.ts";
import { connectedPeers } from "./words.ts";

export function Joining() {
  const status = useSessionState((state) => state.status);
  const found = status !== null && connectedPeers(status) > 0;
  return (
    <section className="centered joining" aria-label="Joining">
      <span className="pulse" aria-hidden="true" />
      <h2>
        <span role="status">
          {found ? "Found the others. Fetching the document …" : "Waiting for someone who has this document"}
        </span>
      </h2>
      <p className="muted">
        Keep this tab open: the document comes as soon as a tab that has it is open somewhere.
        {status?.signaling === "waiting" && " The signaling server does not answer; trying again."}
      </p>
    </section>
  );
}
