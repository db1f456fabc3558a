/**
 * The cluster as a picture: nodes on a circle with role, colour and term, links with their round trips, and what passes on them. Its nodes are
 * buttons in a list; everything that the picture says, the table beneath it says as well.
 */
import type { CSSProperties } from "react";
import type { NodeId, NodeStatus, RoleName } from "../../page/types.ts";
import { useWatch } from "../context.ts";
import { RoleIcon } from "../icons.tsx";
import type { NodeLine } from "../node-lines.ts";
import { duration, roleWord } from "../words.ts";
import { Marks } from "./marks.tsx";
import { type Place, placesOf } from "./picture-places.ts";

const RING_RADIUS = 7;

interface PictureProps {
  readonly status: NodeStatus;
  readonly nodes: readonly NodeLine[];
  readonly selected: NodeId | null;
  readonly onSelect: (id: NodeId | null) => void;
}

export function ClusterPicture({ status, nodes, selected, onSelect }: PictureProps) {
  const places = placesOf(nodes.map(({ id }) => id));
  return (
    <div className="picture">
      <svg className="picture-lines" viewBox="0 0 100 80" aria-hidden="true" focusable="false">
        <Links nodes={nodes} places={places} leader={status.leader} />
        {nodes.map((node) => {
          const place = places.get(node.id);
          return place === undefined ? null : <Ring key={node.id} node={node} place={place} />;
        })}
      </svg>
      <Marks status={status} places={places} />
      <ul className="picture-nodes" aria-label="Nodes">
        {nodes.map((node) => {
          const place = places.get(node.id);
          if (place === undefined) return null;
          return (
            <li key={node.id} className="picture-place" style={{ "--x": place.x, "--y": place.y } as CSSProperties}>
              <NodeButton
                node={node}
                isSelected={selected === node.id}
                onPress={() => onSelect(selected === node.id ? null : node.id)}
              />
            </li>
          );
        })}
      </ul>
    </div>
  );
}

interface NodeButtonProps {
  readonly node: NodeLine;
  readonly isSelected: boolean;
  readonly onPress: () => void;
}

/** What a node is now: its own word for it, unless it cannot be heard. */
export function roleNow(node: NodeLine): RoleName | null {
  return node.connected ? node.role : null;
}

export function roleWordNow(node: NodeLine): string {
  return node.connected ? roleWord(node.role) : "Gone";
}

function NodeButton({ node, isSelected, onPress }: NodeButtonProps) {
  const className = ["picture-node", `node-color-${node.color}`, node.connected ? "" : "is-gone"].filter(Boolean).join(" ");
  return (
    <button type="button" className={className} aria-pressed={isSelected} onClick={onPress}>
      <span className="picture-role">
        <RoleIcon role={roleNow(node)} />
      </span>
      <span className="picture-name">
        {node.name}
        {node.isSelf && <span className="picture-own"> (this tab)</span>}
      </span>
      <span className="picture-facts">
        {roleWordNow(node)}
        {node.term !== null && `, term ${node.term}`}
      </span>
      <span className="picture-facts">
        {node.commitIndex === null ? "" : `commit ${node.commitIndex}`}
        {node.matchIndex === null ? "" : `, match ${node.matchIndex}`}
      </span>
    </button>
  );
}

interface LinksProps {
  readonly nodes: readonly NodeLine[];
  readonly places: ReadonlyMap<NodeId, Place>;
  readonly leader: NodeId | null;
}

function Links({ nodes, places, leader }: LinksProps) {
  return (
    <>
      {nodes.flatMap((a, at) =>
        nodes.slice(at + 1).map((b) => {
          const [from, to] = [places.get(a.id), places.get(b.id)];
          if (from === undefined || to === undefined) return null;
          // Of this node's links it is known whether they work; of others', only that both ends are there.
          const own = a.isSelf ? b : b.isSelf ? a : null;
          const works = a.connected && b.connected;
          const leads = a.id === leader || b.id === leader;
          const className = ["link", works ? "" : "link-cut", own === null ? "link-far" : "", leads ? "link-leads" : ""].join(
            " ",
          );
          return (
            <g key={`${a.id} ${b.id}`}>
              <line className={className} x1={from.x} y1={from.y} x2={to.x} y2={to.y} />
              {own !== null && works && own.roundTripMs !== null && (
                <text className="link-words" x={(from.x + to.x) / 2} y={(from.y + to.y) / 2 - 1.2}>
                  {duration(own.roundTripMs)}
                </text>
              )}
            </g>
          );
        }),
      )}
    </>
  );
}

/** Around each node: its role's line, and around this one how far it is on its way to an election. */
function Ring({ node, place }: { readonly node: NodeLine; readonly place: Place }) {
  return (
    <g className={`ring node-color-${node.color}`}>
      <circle className={`ring-line ring-${roleNow(node) ?? "gone"}`} cx={place.x} cy={place.y} r={RING_RADIUS} />
      {node.isSelf && <ElectionArc place={place} />}
    </g>
  );
}

/** The election timer (§5.2): empty when a leader was just heard, full when this node campaigns. */
function ElectionArc({ place }: { readonly place: Place }) {
  const timer = useWatch((state) => state.timer);
  if (timer === null) return null;
  const passed = Math.min(1, Math.max(0, 1 - timer.remainingMs / timer.timeoutMs));
  return (
    <circle
      className="election-arc"
      cx={place.x}
      cy={place.y}
      r={RING_RADIUS + 1.5}
      pathLength={1}
      strokeDasharray={`${passed} 1`}
      transform={`rotate(-90 ${place.x} ${place.y})`}
    />
  );
}
