/** The cluster at a glance: is there a leader, how many more can fail, who am I; then the picture, its table, and what stands behind. */
import { useEffect, useState } from "react";
import type { NodeId, NodeStatus } from "../../page/types.ts";
import { useSession, useSessionState } from "../context.ts";
import { KeptBy } from "../kept-by.tsx";
import { nodeLines } from "../node-lines.ts";
import { bytesWords, connectedPeers, count, leaderWords, quorumWords, roleWord, signalingWords } from "../words.ts";
import { ClusterPicture } from "./cluster-picture.tsx";
import { ClusterTable } from "./cluster-table.tsx";
import { EventLine } from "./events-view.tsx";
import { NodeDetails } from "./node-details.tsx";

const EVENTS_SHOWN = 6;

export function ClusterView({ status }: { readonly status: NodeStatus }) {
  const nodes = nodeLines(status);
  const [selected, setSelected] = useState<NodeId | null>(null);
  const chosen = nodes.find(({ id }) => id === selected) ?? null;
  return (
    <div className="cluster">
      <Answers status={status} />
      <section aria-labelledby="nodes-heading" className="cluster-nodes">
        <h2 id="nodes-heading">
          Nodes <span className="muted">choose one to see more of it</span>
        </h2>
        <ClusterPicture status={status} nodes={nodes} selected={selected} onSelect={setSelected} />
        <ClusterTable nodes={nodes} selected={selected} onSelect={setSelected} />
        {chosen !== null && <NodeDetails node={chosen} status={status} onClose={() => setSelected(null)} />}
      </section>
      <div className="cluster-rest">
        <Health status={status} />
        <NameField />
        <RecentEvents />
      </div>
    </div>
  );
}

/** The first two facts that a person needs, and who this tab is. */
function Answers({ status }: { readonly status: NodeStatus }) {
  const since = useSessionState((state) => state.leaderSince);
  return (
    <dl className="answers">
      <Answer
        question="Leader"
        answer={leaderWords(status)}
        more={status.leader === null || since === null ? null : `since ${new Date(since).toLocaleTimeString()}`}
        isBad={status.leader === null}
      />
      <Answer question="Quorum" answer={quorumWords(status)} more={null} isBad={!status.quorum} />
      <Answer question="This tab" answer={`${roleWord(status.role)}, term ${status.term}`} more={null} isBad={false} />
    </dl>
  );
}

interface AnswerProps {
  readonly question: string;
  readonly answer: string;
  readonly more: string | null;
  readonly isBad: boolean;
}

function Answer({ question, answer, more, isBad }: AnswerProps) {
  return (
    <div className={isBad ? "answer answer-bad" : "answer"}>
      <dt>{question}</dt>
      <dd>
        {answer}
        {more !== null && <span className="answer-more"> {more}</span>}
      </dd>
    </div>
  );
}

function Health({ status }: { readonly status: NodeStatus }) {
  const peers = connectedPeers(status);
  const { storage, generation } = status;
  const kept = storage.persistent ? "kept until you delete it" : "which may clear it when space runs short";
  return (
    <section aria-labelledby="health-heading">
      <h2 id="health-heading">Health</h2>
      <dl className="facts">
        <dt>Storage</dt>
        <dd>{storage.failure ?? `${bytesWords(storage.bytes)} in this browser, ${kept}. Durability: ${storage.durability}.`}</dd>
        <dt>Signaling</dt>
        <dd>{signalingWords(status.signaling, peers)}</dd>
        <dt>Peers</dt>
        <dd>{peers === 0 ? "No other tab is connected." : `${count(peers, "tab is", "tabs are")} connected directly.`}</dd>
        <dt>Log</dt>
        <dd>
          Entries {status.firstLogIndex} to {status.lastLogIndex}, committed through {status.commitIndex}
          {status.snapshotIndex > 0 && `, snapshot through ${status.snapshotIndex}`}.
        </dd>
        <dt>Generation</dt>
        <dd>{generation === null ? "None yet." : `${generation.number} (${generation.id.slice(0, 8)})`}</dd>
        <dt>Faults</dt>
        <dd>{status.faults.length === 0 ? "None is being tried here." : `${status.faults.join("; ")}.`}</dd>
      </dl>
      <KeptBy />
    </section>
  );
}

function NameField() {
  const session = useSession();
  const name = useSessionState((state) => state.name);
  const [draft, setDraft] = useState(name);
  useEffect(() => setDraft(name), [name]);
  return (
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
