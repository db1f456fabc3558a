/** One node: all that is known of it, and what can be done to it from here. */
import type { NodeStatus } from "../../page/types.ts";
import { useLab, useSession } from "../context.ts";
import { CloseIcon, RoleIcon } from "../icons.tsx";
import type { NodeLine } from "../node-lines.ts";
import { duration } from "../words.ts";
import { roleNow, roleWordNow } from "./cluster-picture.tsx";

const MEMBER_WORDS = { voter: "Votes", learner: "Learner: gets the log, does not vote", none: "No member yet" } as const;

interface DetailsProps {
  readonly node: NodeLine;
  readonly status: NodeStatus;
  readonly onClose: () => void;
}

export function NodeDetails({ node, status, onClose }: DetailsProps) {
  const { lab } = useSession();
  const neighbours = useLab((state) => state.neighbours);
  const neighbour = neighbours.find(({ id }) => id === node.id);
  const isolated = node.isSelf ? status.faults.length > 0 : false;
  const reachable = node.isSelf || neighbour?.allows === true;
  return (
    <section className="details" aria-labelledby="details-heading">
      <div className="details-head">
        <span className={`node-role node-color-${node.color}`}>
          <RoleIcon role={roleNow(node)} />
        </span>
        <h3 id="details-heading">{node.name}</h3>
        <button type="button" className="button button-icon button-small" aria-label="Close the details" onClick={onClose}>
          <CloseIcon />
        </button>
      </div>
      <dl className="facts">
        <dt>Role</dt>
        <dd>
          {roleWordNow(node)}
          {node.id === status.leader && node.role !== "leader" ? ", the leader as this tab knows it" : ""}
        </dd>
        <dt>Member</dt>
        <dd>{MEMBER_WORDS[node.member ?? "none"]}</dd>
        <dt>Where</dt>
        <dd>{whereWords(node)}</dd>
        <dt>Log</dt>
        <dd>{logWords(node)}</dd>
        {!node.isSelf && (
          <>
            <dt>Link</dt>
            <dd>
              {node.connected
                ? `Round trip ${duration(node.roundTripMs)}, last heard ${duration(node.lastContactMs)} ago`
                : "Not connected"}
            </dd>
          </>
        )}
        <dt>Id</dt>
        <dd className="mono">{node.id}</dd>
      </dl>
      {reachable ? (
        <div className="button-row">
          <button
            type="button"
            className="button button-small"
            disabled={isolated}
            onClick={() => void lab.order(node.id, { kind: "isolate" })}
          >
            Isolate
          </button>
          <button type="button" className="button button-small" onClick={() => void lab.order(node.id, { kind: "heal" })}>
            Heal
          </button>
        </div>
      ) : (
        <p className="muted">Faults can be tried on tabs of this browser that allow it; this node is none of them.</p>
      )}
    </section>
  );
}

function whereWords(node: NodeLine): string {
  if (node.isSelf) return "This tab";
  const browser = node.sameDevice === null ? "Not told yet" : node.sameDevice ? "This browser" : "Another browser";
  return node.visible === false ? `${browser}, hidden` : browser;
}

function logWords(node: NodeLine): string {
  if (node.commitIndex === null) return "Not told yet";
  const match = node.matchIndex === null ? "" : `, equal to the leader's through ${node.matchIndex}`;
  return `Committed through ${node.commitIndex}, applied through ${node.lastApplied ?? "–"}${match}`;
}
