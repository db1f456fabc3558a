/** The document: bar, one line of words when something is wrong, the text, and the cluster panel beside it. */
import { ClusterPanel } from "./cluster-panel.tsx";
import { usePreferences, useSessionState } from "./context.ts";
import { DocumentBar } from "./document-bar.tsx";
import { Editor } from "./editor.tsx";
import { Joining } from "./joining.tsx";
import { Notices } from "./notices.tsx";
import { RescueDialog } from "./rescue-dialog.tsx";
import { isJoining } from "./words.ts";

export function DocumentScreen() {
  const joining = useSessionState((state) => isJoining(state.status));
  const trouble = useSessionState((state) => state.trouble);
  const panelOpen = usePreferences((state) => state.panelOpen);
  return (
    <div className={panelOpen ? "document has-panel" : "document"}>
      <DocumentBar />
      <Notices />
      <main className="document-main">{joining ? <Joining /> : <Editor />}</main>
      {panelOpen && <ClusterPanel />}
      {trouble !== null && <RescueDialog trouble={trouble} />}
    </div>
  );
}
