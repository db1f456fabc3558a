/** Break things on purpose, on this tab's node or on another one that allows it, and watch what the protocol does. */
import { useState } from "react";
import type { FaultOrder } from "../../page/fault-orders.ts";
import type { NodeId, NodeStatus } from "../../page/types.ts";
import { useLab, useSession } from "../context.ts";
import { nodeLines } from "../node-lines.ts";
import { Scenarios } from "./scenarios-view.tsx";

export function FaultsView({ status }: { readonly status: NodeStatus }) {
  const { lab } = useSession();
  const neighbours = useLab((state) => state.neighbours);
  const allows = useLab((state) => state.allows);
  const refusal = useLab((state) => state.refusal);
  const [chosen, setChosen] = useState<NodeId>(status.nodeId);
  const targets = [
    { id: status.nodeId, name: `${status.name} (this tab)` },
    ...neighbours.filter((neighbour) => neighbour.allows && neighbour.id !== status.nodeId),
  ];
  const target = targets.some(({ id }) => id === chosen) ? chosen : status.nodeId;
  const order = (wanted: FaultOrder) => void lab.order(target, wanted);
  return (
    <>
      <section aria-labelledby="faults-heading">
        <h2 id="faults-heading">Faults</h2>
        <div className="tools">
          <label className="tool">
            <span>On</span>
            <select value={target} onChange={(event) => setChosen(event.target.value)}>
              {targets.map(({ id, name }) => (
                <option key={id} value={id}>
                  {name}
                </option>
              ))}
            </select>
          </label>
          <label className="tool tool-check">
            <input type="checkbox" checked={allows} onChange={(event) => lab.allow(event.target.checked)} />
            <span>Other tabs of this browser may try faults on this one</span>
          </label>
        </div>
        <p className="muted" role="status">
          {status.faults.length === 0 ? "Nothing is broken on purpose in this tab." : `In this tab: ${status.faults.join("; ")}.`}
        </p>
        <Orders key={target} status={status} target={target} order={order} />
        {refusal !== null && <p role="alert">That was not done: {refusal}</p>}
      </section>
      <Scenarios />
    </>
  );
}

interface OrdersProps {
  readonly status: NodeStatus;
  readonly target: NodeId;
  readonly order: (order: FaultOrder) => void;
}

function Orders({ status, target, order }: OrdersProps) {
  const others = nodeLines(status).filter(({ id }) => id !== target);
  const [cut, setCut] = useState(others[0]?.id ?? "");
  const other = others.find(({ id }) => id === cut) ?? others[0];
  return (
    <ul className="orders" aria-label="Faults to try">
      <Order words="Cut off from all others" button="Isolate" onPress={() => order({ kind: "isolate" })} />
      {other !== undefined && (
        <li className="order">
          <label className="tool">
            <span>Cut the link to</span>
            <select value={other.id} onChange={(event) => setCut(event.target.value)}>
              {others.map(({ id, name }) => (
                <option key={id} value={id}>
                  {name}
                </option>
              ))}
            </select>
          </label>
          <button type="button" className="button button-small" onClick={() => order({ kind: "cut", ids: [other.id] })}>
            Cut
          </button>
        </li>
      )}
      <Measured
        words="Delay every message by"
        unit="ms"
        start={150}
        button="Delay"
        onPress={(ms) => order({ kind: "delay", ms, jitterMs: ms / 3 })}
      />
      <Measured
        words="Lose of its messages"
        unit="%"
        start={20}
        button="Lose"
        onPress={(part) => order({ kind: "drop", fraction: part / 100 })}
      />
      <Measured
        words="Repeat of its messages"
        unit="%"
        start={20}
        button="Repeat"
        onPress={(part) => order({ kind: "duplicate", fraction: part / 100 })}
      />
      <Measured
        words="Slow every write down by"
        unit="ms"
        start={300}
        button="Slow the disk"
        onPress={(ms) => order({ kind: "slowDisk", ms })}
      />
      <Order words="Let the next write fail" button="Fail the disk" onPress={() => order({ kind: "failDisk" })} />
      <Order words="Stand still until healed" button="Pause" onPress={() => order({ kind: "pause" })} />
      <Order words="Kill the node; its disk stays" button="Crash" onPress={() => order({ kind: "crash" })} />
      <Order words="Start it again after a crash" button="Restart" onPress={() => order({ kind: "restart" })} />
      <Order words="Undo everything but a crash" button="Heal" onPress={() => order({ kind: "heal" })} />
    </ul>
  );
}

interface OrderProps {
  readonly words: string;
  readonly button: string;
  readonly onPress: () => void;
}

function Order({ words, button, onPress }: OrderProps) {
  return (
    <li className="order">
      <span>{words}</span>
      <button type="button" className="button button-small" onClick={onPress}>
        {button}
      </button>
    </li>
  );
}

interface MeasuredProps {
  readonly words: string;
  readonly unit: "ms" | "%";
  readonly start: number;
  readonly button: string;
  readonly onPress: (value: number) => void;
}

function Measured({ words, unit, start, button, onPress }: MeasuredProps) {
  const [value, setValue] = useState(start);
  const most = unit === "%" ? 100 : 10_000;
  return (
    <li className="order">
      <label className="tool">
        <span>{words}</span>
        <input
          type="number"
          min={0}
          max={most}
          value={value}
          onChange={(event) => setValue(Math.min(most, Math.max(0, event.target.valueAsNumber || 0)))}
        />
        <span>{unit}</span>
      </label>
      <button type="button" className="button button-small" onClick={() => onPress(value)}>
        {button}
      </button>
    </li>
  );
}
