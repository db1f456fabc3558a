/** The dashboard: the cluster in front of you, one place for each question. Loaded when it is first opened. */
import { Tabs } from "@base-ui/react/tabs";
import { type ReactNode, useEffect } from "react";
import { DASHBOARD_PLACES, type DashboardPlace } from "../../page/preferences-store.ts";
import type { NodeStatus } from "../../page/types.ts";
import { usePreferences, useSession, useSessionState } from "../context.ts";
import { NarrowIcon, WidenIcon } from "../icons.tsx";
import { ClusterView } from "./cluster-view.tsx";
import { EventsView } from "./events-view.tsx";
import { FaultsView } from "./faults-view.tsx";
import { LogView } from "./log-view.tsx";
import { MetricsView } from "./metrics-view.tsx";
import { TimeTravelView } from "./time-travel-view.tsx";
import "../styles/dashboard.css";

interface Place {
  readonly title: string;
  readonly show: (status: NodeStatus) => ReactNode;
}

const PLACES: Readonly<Record<DashboardPlace, Place>> = {
  cluster: { title: "Cluster", show: (status) => <ClusterView status={status} /> },
  log: { title: "Log", show: (status) => <LogView status={status} /> },
  metrics: { title: "Metrics", show: (status) => <MetricsView status={status} /> },
  faults: { title: "Faults", show: (status) => <FaultsView status={status} /> },
  trace: { title: "Time travel", show: () => <TimeTravelView /> },
  events: { title: "Events", show: () => <EventsView /> },
};
const SHOWN = DASHBOARD_PLACES.map((key) => ({ key, ...PLACES[key] }));

export default function Dashboard() {
  const session = useSession();
  useEffect(() => {
    void session.lab.wake();
    return session.watch.watch();
  }, [session]);
  const status = useSessionState((state) => state.status);
  const place = usePreferences((state) => state.place);
  const goTo = usePreferences((state) => state.goTo);
  return (
    <Tabs.Root className="dashboard" value={place} onValueChange={goTo}>
      <div className="dashboard-head">
        <Tabs.List className="tabs" aria-label="Parts of the dashboard" activateOnFocus>
          {SHOWN.map(({ key, title }) => (
            <Tabs.Tab key={key} value={key} className="tab">
              {title}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <WideSwitch />
      </div>
      {SHOWN.map(({ key, show }) => (
        <Tabs.Panel key={key} value={key} className={`place place-${key}`}>
          {status === null ? <p className="muted">The node of this tab is starting.</p> : show(status)}
        </Tabs.Panel>
      ))}
    </Tabs.Root>
  );
}

function WideSwitch() {
  const wide = usePreferences((state) => state.panelWide);
  const toggle = usePreferences((state) => state.toggleWide);
  const label = wide ? "Beside the text" : "Whole screen";
  return (
    <button
      type="button"
      className="button button-icon button-small wide-switch"
      aria-label={label}
      title={label}
      onClick={toggle}
    >
      {wide ? <NarrowIcon /> : <WidenIcon />}
    </button>
  );
}
