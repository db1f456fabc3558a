/** The first screen: what this is, and one thing to do. */
import { lazy, Suspense } from "react";
import { useSession } from "./context.ts";
import { LoadGuard } from "./dashboard-panel.tsx";
import { Logo } from "./icons.tsx";
import { ThemeToggle } from "./theme-toggle.tsx";

/** Whoever comes by a link does without its code. */
const Shelf = lazy(() => import("./shelf.tsx"));

export default function Home() {
  const session = useSession();
  return (
    <div className="home">
      <header className="home-bar">
        <span className="brand">
          <Logo />
          tabraft
        </span>
        <ThemeToggle />
      </header>
      <main className="home-main">
        <h1>A shared document that lives in your browser tabs.</h1>
        <p className="lead">
          Write together by sharing a link. The tabs keep the text among themselves, and no server ever stores it.
        </p>
        <button type="button" className="button button-primary button-large" onClick={() => session.newDocument()}>
          New document
        </button>
        <LoadGuard what="The list of documents on this device">
          <Suspense fallback={null}>
            <Shelf />
          </Suspense>
        </LoadGuard>
        <ul className="promises">
          <li>
            <strong>Committed means kept.</strong> A change counts as committed once a majority of the tabs has it on disk.
          </li>
          <li>
            <strong>Any tab may close.</strong> With three tabs or more, the others go on at once.
          </li>
          <li>
            <strong>The link is the key.</strong> Who has it can read and write; the server that connects you cannot.
          </li>
        </ul>
      </main>
    </div>
  );
}
