/** The tabs that are here now. */
import { useSessionState } from "./context.ts";
import { nodeLines } from "./node-lines.ts";
import { count } from "./words.ts";

const FACES_MAX = 4;

export function People() {
  const status = useSessionState((state) => state.status);
  if (status === null) return null;
  const here = nodeLines(status).filter((node) => node.connected);
  const names = here.map((node) => (node.isSelf ? `${node.name} (you)` : node.name)).join(", ");
  return (
    <p className="people" title={names}>
      <span className="faces" aria-hidden="true">
        {here.slice(0, FACES_MAX).map((node) => (
          <span key={node.id} className={`face node-color-${node.color}`}>
            {node.name.slice(0, 1).toUpperCase()}
          </span>
        ))}
      </span>
      <span aria-hidden="true">{here.length} here</span>
      <span className="visually-hidden">
        {count(here.length, "tab has", "tabs have")} this document open: {names}
      </span>
    </p>
  );
}
