/** What the picture shows, as a table. */
import type { NodeId } from "../../page/types.ts";
import { RoleIcon } from "../icons.tsx";
import type { NodeLine } from "../node-lines.ts";
import { duration } from "../words.ts";
import { roleNow, roleWordNow } from "./cluster-picture.tsx";

interface TableProps {
  readonly nodes: readonly NodeLine[];
  readonly selected: NodeId | null;
  readonly onSelect: (id: NodeId | null) => void;
}

const COLUMNS = ["Node", "Role", "Term", "Commit", "Applied", "Match", "Round trip", "Last heard"] as const;

export function ClusterTable({ nodes, selected, onSelect }: TableProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
    <section className="scroll-x" tabIndex={0} aria-label="Table of nodes">
      <table className="table">
        <thead>
          <tr>
            {COLUMNS.map((title) => (
              <th key={title} scope="col">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {nodes.map((node) => (
            <tr key={node.id} className={selected === node.id ? "is-selected" : ""}>
              <th scope="row">
                <button
                  type="button"
                  className="row-button"
                  aria-pressed={selected === node.id}
                  onClick={() => onSelect(selected === node.id ? null : node.id)}
                >
                  <span className={`dot node-color-${node.color}`} aria-hidden="true" />
                  {node.name}
                  {node.isSelf && " (this tab)"}
                </button>
              </th>
              <td>
                <span className="role-cell">
                  <RoleIcon role={roleNow(node)} />
                  {roleWordNow(node)}
                </span>
              </td>
              <td>{node.term ?? "–"}</td>
              <td>{node.commitIndex ?? "–"}</td>
              <td>{node.lastApplied ?? "–"}</td>
              <td>{node.matchIndex ?? "–"}</td>
              <td>{node.isSelf ? "–" : duration(node.roundTripMs)}</td>
              <td>{node.isSelf ? "–" : duration(node.lastContactMs)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
