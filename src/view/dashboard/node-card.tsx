/** One node: who, in which role, and how far. */
import { RoleIcon } from "../icons.tsx";
import type { NodeLine } from "../node-lines.ts";
import { duration, roleWord } from "../words.ts";

interface NodeCardProps {
  readonly node: NodeLine;
  readonly isLeader: boolean;
}

const MEMBER_WORDS = { voter: "votes", learner: "does not vote", none: "not a member yet" } as const;

function detailsOf(node: NodeLine): string {
  const details = [
    MEMBER_WORDS[node.member ?? "none"],
    !node.isSelf && node.sameDevice === true ? "same browser" : null,
    node.visible === false ? "hidden tab" : null,
  ];
  return details.filter((detail) => detail !== null).join(", ");
}

export function NodeCard({ node, isLeader }: NodeCardProps) {
  const role = !node.connected ? "Gone" : roleWord(node.role);
  const className = ["node", isLeader ? "node-leads" : "", node.connected ? "" : "node-gone"].filter(Boolean).join(" ");
  return (
    <li className={className}>
      <div className="node-head">
        <span className={`node-role node-color-${node.color}`}>
          <RoleIcon role={node.connected ? node.role : null} />
        </span>
        <strong className="node-name">{node.name}</strong>
        {node.isSelf && <span className="tag">this tab</span>}
        <span className="node-role-word">{role}</span>
      </div>
      <p className="node-details muted">{detailsOf(node)}</p>
      <dl className="figures">
        <Figure name="Term" value={node.term ?? "–"} />
        <Figure name="Commit" value={node.commitIndex ?? "–"} />
        <Figure name="Applied" value={node.lastApplied ?? "–"} />
        <Figure name="Round trip" value={node.isSelf ? "–" : duration(node.roundTripMs)} />
        <Figure name="Last heard" value={node.isSelf ? "–" : duration(node.lastContactMs)} />
      </dl>
    </li>
  );
}

function Figure({ name, value }: { readonly name: string; readonly value: string | number }) {
  return (
    <div className="figure">
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
