/** The bar over the text: title, whether it is safe, who is here, and the ways out to sharing and to the dashboard. */
import { lazy, Suspense, useState } from "react";
import { CommitPill } from "./commit-pill.tsx";
import { usePreferences, useSessionState } from "./context.ts";
import { LoadGuard } from "./dashboard-panel.tsx";
import { Logo, RoleIcon, ShareIcon } from "./icons.tsx";
import { People } from "./people.tsx";
import { ThemeToggle } from "./theme-toggle.tsx";
import { TitleField } from "./title-field.tsx";

const ShareDialog = lazy(() => import("./share-dialog.tsx"));

export function DocumentBar() {
  const [sharing, setSharing] = useState(false);
  const link = useSessionState((state) => state.link);
  return (
    <header className="bar">
      <a className="bar-home" href="./" aria-label="tabraft, home">
        <Logo />
      </a>
      <TitleField />
      <CommitPill />
      <div className="bar-tools">
        <People />
        <button type="button" className="button button-primary" disabled={link === null} onClick={() => setSharing(true)}>
          <ShareIcon />
          Share
        </button>
        <PanelSwitch />
        <ThemeToggle />
      </div>
      {sharing && link !== null && (
        <LoadGuard what="The link">
          <Suspense>
            <ShareDialog link={link} onClose={() => setSharing(false)} />
          </Suspense>
        </LoadGuard>
      )}
    </header>
  );
}

function PanelSwitch() {
  const open = usePreferences((state) => state.panelOpen);
  const toggle = usePreferences((state) => state.togglePanel);
  const role = useSessionState((state) => state.status?.role ?? null);
  return (
    <button type="button" className="button button-switch" role="switch" aria-checked={open} onClick={toggle}>
      <RoleIcon role={role ?? "learner"} />
      Dashboard
    </button>
  );
}
