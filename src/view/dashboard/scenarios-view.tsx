/** Experiments that say what will happen, do it, and check it. */
import type { ScenarioRun } from "../../page/lab.ts";
import { SCENARIOS, type Scenario } from "../../page/scenarios.ts";
import { useLab, useSession } from "../context.ts";
import { AlarmIcon, CheckIcon } from "../icons.tsx";

export function Scenarios() {
  const run = useLab((state) => state.run);
  const busy = run?.state === "running";
  return (
    <section aria-labelledby="scenarios-heading">
      <h2 id="scenarios-heading">Scenarios</h2>
      <p className="muted">
        Each needs three voters that are tabs of this browser. It says what will happen, and checks it with the nodes themselves.
      </p>
      <ul className="scenarios" aria-label="Scenarios">
        {SCENARIOS.map((scenario) => (
          <ScenarioLine key={scenario.key} scenario={scenario} run={run?.key === scenario.key ? run : null} busy={busy} />
        ))}
      </ul>
    </section>
  );
}

interface LineProps {
  readonly scenario: Scenario;
  readonly run: ScenarioRun | null;
  readonly busy: boolean;
}

function ScenarioLine({ scenario, run, busy }: LineProps) {
  const { lab } = useSession();
  const heading = `scenario-${scenario.key}`;
  return (
    <li className="scenario">
      <div className="scenario-head">
        <h3 id={heading}>{scenario.title}</h3>
        <button
          type="button"
          className="button button-small"
          aria-describedby={heading}
          disabled={busy}
          onClick={() => void lab.runScenario(scenario.key)}
        >
          {run?.state === "running" ? "Running …" : "Run"}
        </button>
      </div>
      <p className="scenario-says">{scenario.says}</p>
      {run !== null && <RunLines run={run} />}
    </li>
  );
}

function RunLines({ run }: { readonly run: ScenarioRun }) {
  const held = run.claims.filter(({ holds }) => holds).length;
  return (
    <>
      <ul className="claims" aria-label="Claims">
        {run.claims.map((claim) => (
          <li key={claim.text} className={claim.holds ? "claim claim-good" : "claim claim-bad"}>
            {claim.holds ? <CheckIcon /> : <AlarmIcon />}
            <span>
              <strong>{claim.holds ? "Holds:" : "Does not hold:"}</strong> {claim.text}
              <span className="claim-seen"> Seen: {claim.seen}.</span>
            </span>
          </li>
        ))}
      </ul>
      <p role="status" className={run.state === "failed" ? "verdict verdict-bad" : "muted"}>
        {run.state === "running" && run.doing}
        {run.state === "failed" && `It could not be carried out: ${run.doing}`}
        {run.state === "done" && `${held} of ${run.claims.length} claims hold.`}
      </p>
    </>
  );
}
