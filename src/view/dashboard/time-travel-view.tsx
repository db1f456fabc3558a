/** The last minutes of this node's core, step by step, forth and back; or those of a trace file from elsewhere. */
import { type ChangeEvent, useEffect, useState } from "react";
import { createReplayStore, type OpenedTrace, type ReplayState } from "../../page/replay-store.ts";
import { useSession, useStore } from "../context.ts";
import { saveFile } from "../save-file.ts";
import { count } from "../words.ts";

export function TimeTravelView() {
  const session = useSession();
  const [replay] = useState(createReplayStore);
  const state = useStore(replay, (whole) => whole);
  const [refusal, setRefusal] = useState("");
  useEffect(() => () => replay.close(), [replay]);
  const withTrace = (use: (text: string) => void) => {
    setRefusal("");
    const { room } = session;
    if (room === null) return;
    room
      .request<"trace">({ kind: "trace" })
      .then(use, (error: unknown) => setRefusal(error instanceof Error ? error.message : String(error)));
  };
  const openFile = (event: ChangeEvent<HTMLInputElement>) => {
    const [file] = event.target.files ?? [];
    if (file !== undefined) void file.text().then((text) => replay.open(file.name, text));
  };
  return (
    <>
      <p className="muted">
        The core of a node depends on nothing but what it is told, so its steps can be taken again. A trace holds the text of the
        document: give it only to whom you would give the link.
      </p>
      <div className="tools">
        <button type="button" className="button button-small" onClick={() => withTrace((text) => replay.open("This node", text))}>
          Look back on this node
        </button>
        <button
          type="button"
          className="button button-small"
          onClick={() => withTrace((text) => saveFile("tabraft-trace.jsonl", "application/jsonl", text))}
        >
          Save the trace
        </button>
        <label className="button button-small file-button">
          Open a trace file
          <input type="file" className="visually-hidden" accept=".jsonl,.json,.txt" onChange={openFile} />
        </label>
      </div>
      {refusal !== "" && <p role="alert">The trace was not made: {refusal}</p>}
      <Opened state={state} go={replay.go} />
    </>
  );
}

function Opened({ state, go }: { readonly state: ReplayState; readonly go: (step: number) => void }) {
  const { source, opening, trace, failure, step } = state;
  if (failure !== null) {
    return (
      <p className="verdict verdict-bad" role="alert">
        {source} cannot be replayed: {failure}
      </p>
    );
  }
  if (source === null) return <p className="muted">Nothing is open.</p>;
  if (opening || trace === null) return <p role="status">Taking the steps again …</p>;
  return (
    <>
      <p className={trace.endsAsWritten ? "verdict verdict-good" : "verdict verdict-bad"} role="status">
        {source}, {trace.names[trace.nodeId] ?? trace.nodeId}: {count(trace.steps, "step", "steps")},{" "}
        {trace.endsAsWritten
          ? "and the end came out as it was written."
          : "but the end is another than the one that was written."}
      </p>
      {step !== null && <Controls trace={trace} at={step.step} go={go} />}
      {step !== null && <Moment trace={trace} step={step} />}
    </>
  );
}

interface ControlsProps {
  readonly trace: OpenedTrace;
  readonly at: number;
  readonly go: (step: number) => void;
}

function Controls({ trace, at, go }: ControlsProps) {
  const before = trace.turningPoints.findLast((point) => point < at);
  const after = trace.turningPoints.find((point) => point > at);
  return (
    <div className="travel">
      <input
        type="range"
        aria-label="Step"
        aria-valuetext={`step ${at} of ${trace.steps}`}
        min={0}
        max={trace.steps}
        value={at}
        onChange={(event) => go(Number(event.target.value))}
      />
      <div className="button-row">
        <Go words="Previous change of role" to={before} go={go} />
        <Go words="Back" to={at > 0 ? at - 1 : undefined} go={go} />
        <Go words="Forth" to={at < trace.steps ? at + 1 : undefined} go={go} />
        <Go words="Next change of role" to={after} go={go} />
      </div>
    </div>
  );
}

function Go({ words, to, go }: { readonly words: string; readonly to: number | undefined; readonly go: (step: number) => void }) {
  return (
    <button type="button" className="button button-small" disabled={to === undefined} onClick={() => to !== undefined && go(to)}>
      {words}
    </button>
  );
}

function Moment({ trace, step }: { readonly trace: OpenedTrace; readonly step: NonNullable<ReplayState["step"]> }) {
  const named = (text: string) => Object.entries(trace.names).reduce((words, [id, name]) => words.replaceAll(id, name), text);
  const when = new Date(trace.wallTimeAtZero + step.at);
  return (
    <section aria-labelledby="moment-heading" className="moment">
      <h2 id="moment-heading">
        Step {step.step} of {trace.steps}
        <span className="muted">{when.toLocaleTimeString(undefined, { fractionalSecondDigits: 3, hour12: false })}</span>
      </h2>
      <dl className="facts">
        <dt>Role</dt>
        <dd>
          {step.role}, term {step.term}
          {step.turnsPoint && <strong> (changed by this step)</strong>}
        </dd>
        <dt>Log</dt>
        <dd>
          ends at {step.lastLogIndex}, committed through {step.commitIndex}
        </dd>
        <dt>Told</dt>
        <dd className="mono">{step.event === "" ? "nothing yet: the trace begins here" : named(step.event)}</dd>
        <dt>Asked for</dt>
        <dd>
          {step.asked.length === 0 ? (
            "nothing"
          ) : (
            <ol className="mono asked">
              {step.asked.map((line, at) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: lines of one moment, which never move
                <li key={at}>{named(line)}</li>
              ))}
            </ol>
          )}
        </dd>
        <dt>Core</dt>
        <dd className="mono">{named(step.state)}</dd>
      </dl>
    </section>
  );
}
