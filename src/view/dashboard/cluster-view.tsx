/** The cluster at a glance: is there a leader, how many more can fail, who am I; then every node, the connections, the faults. */
import { useEffect, useState } from "react";
import type { NodeEvent, NodeStatus } from "../../page/types.ts";
import { useSession, useSessionState } from "../context.ts";
import { KeptBy } from "../kept-by.tsx";
import { nodeLines } from "../node-lines.ts";
import { bytesWords, connectedPeers, count, leaderWords, roleWord, signalingWords, toleranceWords } from "../words.ts";
import { NodeCard } from "./node-card.tsx";

const EVENTS_SHOWN = 8;

export function ClusterView({ status }: { readonly status: NodeStatus }) {
  const nodes = nodeLines(status);
  return (
    <>
      <dl className="answers">
        <Answer question="Leader" answer={leaderWords(status)} isBad={status.leader === null} />
        <Answer question="More that can fail" answer={toleranceWords(status)} isBad={!status.quorum} />
        <Answer question="This tab" answer={roleWord(status.role)} isBad={false} />
      </dl>
      <section aria-labelledby="nodes-heading">
        <h2 id="nodes-heading">
          Nodes <span className="muted">term {status.term}</span>
        </h2>
        <ul className="nodes" aria-label="Nodes">
          {nodes.map((node) => (
            <NodeCard key={node.id} node={node} isLeader={node.id === status.leader} />
          ))}
        </ul>
      </section>
      <NameField />
      <Connections status={status} />
      <Faults status={status} />
      <RecentEvents />
    </>
  );
}

interface AnswerProps {
  readonly question: string;
  readonly answer: string;
  readonly isBad: boolean;
}

function Answer({ question, answer, isBad }: AnswerProps) {
  return (
    <div className={isBad ? "answer answer-bad" : "answer"}>
      <dt>{question}</dt>
      <dd>{answer}</dd>
    </div>
  );
}

function NameField() {
  const session = useSession();
  const name = useSessionState((state) => state.name);
  const [draft, setDraft] = useState(name);
  useEffect(() => setDraft(name), [name]);
  return (
    <section>
      <label className="field">
        <span>Name of this tab</span>
        <input
          value={draft}
          maxLength={40}
          onChange={(event) => setDraft(event.target.value)}
          onBlur={() => session.rename(draft)}
          onKeyDown={(event) => {
            if (event.key === "Enter") session.rename(draft);
          }}
        />
      </label>
    </section>
  );
}

function Connections({ status }: { readonly status: NodeStatus }) {
  const peers = connectedPeers(status);
  const { storage } = status;
  const kept = storage.persistent ? "kept until you delete it" : "which may clear it when space runs short";
  return (
    <section aria-labelledby="connections-heading">
      <h2 id="connections-heading">Connections</h2>
      <dl className="facts">
        <dt>Signaling</dt>
        <dd>{signalingWords(status.signaling, peers)}</dd>
        <dt>Peers</dt>
        <dd>{peers === 0 ? "No other tab is connected." : `${count(peers, "tab is", "tabs are")} connected directly.`}</dd>
        <dt>Storage</dt>
        <dd>{storage.failure ?? `${bytesWords(storage.bytes)} in this browser, ${kept}.`}</dd>
      </dl>
      <KeptBy />
    </section>
  );
}

function Faults({ status }: { readonly status: NodeStatus }) {
  const session = useSession();
  const isIsolated = status.faults.some((fault) => fault.startsWith("isolated"));
  return (
    <section aria-labelledby="faults-heading">
      <h2 id="faults-heading">Try a fault</h2>
      <p className="muted">
        Cut this tab off from all others, and watch the rest elect a leader without it. Healing brings it back.
      </p>
      <div className="button-row">
        <button type="button" className="button" disabled={isIsolated} onClick={() => session.isolate()}>
          Isolate this tab
        </button>
        <button type="button" className="button" disabled={status.faults.length === 0} onClick={() => session.heal()}>
          Heal
        </button>
      </div>
    </section>
  );
}

function RecentEvents() {
  const events = useSessionState((state) => state.events);
  if (events.length === 0) return null;
  const newestFirst = events.slice(-EVENTS_SHOWN).reverse();
  return (
    <section aria-labelledby="events-heading">
      <h2 id="events-heading">What happened</h2>
      <ol className="events" reversed>
        {newestFirst.map((event) => (
          <EventLine key={event.id} event={event} />
        ))}
      </ol>
    </section>
  );
}

function EventLine({ event }: { readonly event: NodeEvent }) {
  const at = new Date(event.at);
  return (
    <li>
      <time dateTime={at.toISOString()}>{at.toLocaleTimeString()}</time>
      <span>{event.text}</span>
    </li>
  );
}
