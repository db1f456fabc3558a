/** Which screen. */
import { lazy, Suspense } from "react";
import { Announcer } from "./announcer.tsx";
import { useSessionState } from "./context.ts";
import { LoadGuard } from "./dashboard-panel.tsx";
import { DocumentScreen } from "./document-screen.tsx";
import { Logo } from "./icons.tsx";
import { Stopped } from "./stopped.tsx";
import { UpdateOffer } from "./update-offer.tsx";

const Home = lazy(() => import("./home.tsx"));

export function App() {
  const screen = useSessionState((state) => state.screen);
  return (
    <>
      <Announcer />
      {screen.kind === "home" && (
        <LoadGuard what="The page">
          <Suspense>
            <Home />
          </Suspense>
        </LoadGuard>
      )}
      {screen.kind === "opening" && <Opening create={screen.create} />}
      {screen.kind === "document" && <DocumentScreen />}
      <UpdateOffer />
      {screen.kind === "stopped" && <Stopped stop={screen.stop} text={screen.text} />}
    </>
  );
}

function Opening({ create }: { readonly create: boolean }) {
  return (
    <main className="centered">
      <Logo />
      <p role="status">{create ? "Making a new document" : "Opening the document"} …</p>
    </main>
  );
}
