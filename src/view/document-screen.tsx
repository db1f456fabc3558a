/** The document: bar, one line of words when something is wrong, the text, and the dashboard beside it. */
import { usePreferences, useSessionState } from "./context.ts";
import { DashboardPanel } from "./dashboard-panel.tsx";
import { DocumentBar } from "./document-bar.tsx";
import { Editor } from "./editor.tsx";
import { Joining } from "./joining.tsx";
import { Notices } from "./notices.tsx";
import { RescueDialog } from "./rescue-dialog.tsx";
import { UnplacedDialog } from "./unplaced-dialog.tsx";
import { isJoining } from "./words.ts";

export function DocumentScreen() {
  const joining = useSessionState((state) => isJoining(state.status));
  const trouble = useSessionState((state) => state.leftBehind ?? state.trouble);
  const unplaced = useSessionState((state) => state.outbox.unplaced[0] ?? null);
  const panelOpen = usePreferences((state) => state.panelOpen);
  const panelWide = usePreferences((state) => state.panelWide);
  return (
    <div
      className={["document", panelOpen ? "has-panel" : "", panelOpen && panelWide ? "is-wide" : ""].filter(Boolean).join(" ")}
    >
      <DocumentBar />
      <Notices />
      <main className="document-main">{joining ? <Joining /> : <Editor />}</main>
      {panelOpen && <DashboardPanel />}
      {trouble !== null && <RescueDialog trouble={trouble} />}
      {unplaced !== null && <UnplacedDialog key={unplaced.clientId} unplaced={unplaced} />}
    </div>
  );
}
