/** Mounts the page; nothing else. */
import { createRoot } from "react-dom/client";
import { createPageUpdate } from "./page/page-update.ts";
import { createPreferencesStore } from "./page/preferences-store.ts";
import { Session } from "./page/session.ts";
import { App } from "./view/app.tsx";
import { PageContext } from "./view/context.ts";
import "./view/styles/tokens.css";
import "./view/styles/base.css";
import "./view/styles/home.css";
import "./view/styles/document.css";

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");

const session = new Session();
const preferences = createPreferencesStore();
const update = createPageUpdate();
createRoot(root).render(
  <PageContext value={{ session, preferences, update }}>
    <App />
  </PageContext>,
);
session.start();
update.start();
