/** The dashboard's place on the screen, with what stands there while its code is on the way, or did not come. */
import { Component, lazy, type ReactNode, Suspense } from "react";

const Dashboard = lazy(() => import("./dashboard/dashboard.tsx"));

export function DashboardPanel() {
  return (
    <aside className="panel" aria-label="Dashboard">
      <LoadGuard what="The dashboard">
        <Suspense fallback={<PanelLoading />}>
          <Dashboard />
        </Suspense>
      </LoadGuard>
    </aside>
  );
}

function PanelLoading() {
  return (
    <p className="panel-message muted" role="status">
      Loading the dashboard …
    </p>
  );
}

interface LoadGuardProps {
  /** Begins the sentence. */
  readonly what: string;
  readonly children: ReactNode;
}

/** What is inside may fail, the text beside it must not. */
export class LoadGuard extends Component<LoadGuardProps, { readonly error: Error | null }> {
  override state: { readonly error: Error | null } = { error: null };

  static getDerivedStateFromError(error: unknown): { readonly error: Error } {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (error === null) return this.props.children;
    return (
      <div className="panel-message" role="alert">
        <p>
          {this.props.what} could not be shown: {error.message} The text and the node of this tab go on. Once your changes are
          committed, reload to try again.
        </p>
      </div>
    );
  }
}
