/** Which screen. */
import { Announcer } from "./announcer.tsx";
import { useSessionState } from "./context.ts";
import { DocumentScreen } from "./document-screen.tsx";
import { Home } from "./home.tsx";
import { Logo } from "./icons.tsx";
import { Stopped } from "./stopped.tsx";
import { UpdateOffer } from "./update-offer.tsx";

export function App() {
  const screen = useSessionState((state) => state.screen);
  return (
    <>
      <Announcer />
      {screen.kind === "home" && <Home />}
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
